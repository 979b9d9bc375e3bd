namespace CryptoPlane.Flows;

/// <summary>What a <see cref="FlowTable{TKey, TState}"/> finds a flow by: an unmanaged struct of the application's own.</summary>
/// <typeparam name="TSelf">The struct itself.</typeparam>
/// <remarks>
/// A struct whose bytes all count (no padding, no field that is left unset) says it in two lines, by
/// <see cref="FlowHash.Of{T}(in T, in FlowHashSeed)"/> and <see cref="FlowHash.Same{T}(in T, in T)"/>. Where both directions of a session
/// are to meet in one entry the application puts the two ends into one order before it makes the key.
/// </remarks>
public interface IFlowKey<TSelf>
    where TSelf : unmanaged, IFlowKey<TSelf>
{
    /// <summary>
    /// A hash of all that <see cref="Equals"/> looks at, that nobody who does not know the seed can make collide: keys come from strangers.
    /// All 64 bits are used.
    /// </summary>
    static abstract ulong Hash(in TSelf key, in FlowHashSeed seed);

    /// <summary>Whether two keys are the same flow's.</summary>
    static abstract bool Equals(in TSelf a, in TSelf b);
}
