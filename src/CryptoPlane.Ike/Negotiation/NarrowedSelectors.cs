namespace CryptoPlane.Ike.Negotiation;

/// <summary>What a child SA of a peer is granted (RFC 7296 §2.9).</summary>
/// <param name="Local">Our side's selectors.</param>
/// <param name="Remote">The peer's side's.</param>
/// <param name="HasTrigger">
/// Whether the first selectors of both lists, by which a peer describes the packet that made it ask, were granted as they are.
/// </param>
/// <param name="IsWhole">Whether the peer was granted all that it offered.</param>
internal sealed record NarrowedSelectors(IReadOnlyList<TrafficSelector> Local, IReadOnlyList<TrafficSelector> Remote, bool HasTrigger, bool IsWhole)
{
    /// <summary>Narrows an offer to one child of the configuration.</summary>
    /// <param name="offeredLocal">The peer's selectors for our side: TSr of its request.</param>
    /// <param name="offeredRemote">The peer's selectors for its own side: TSi of its request.</param>
    /// <param name="grantedLocal">The configuration's.</param>
    /// <param name="grantedRemote">The configuration's.</param>
    /// <returns>Null if one side has nothing: TS_UNACCEPTABLE.</returns>
    public static NarrowedSelectors? Narrow(
        IReadOnlyList<TrafficSelector> offeredLocal,
        IReadOnlyList<TrafficSelector> offeredRemote,
        IReadOnlyList<TrafficSelector> grantedLocal,
        IReadOnlyList<TrafficSelector> grantedRemote)
    {
        IReadOnlyList<TrafficSelector> local = SelectorSets.Intersect(offeredLocal, grantedLocal), remote = SelectorSets.Intersect(offeredRemote, grantedRemote);
        if (local.Count == 0 || remote.Count == 0)
            return null;
        return new NarrowedSelectors(local, remote,
            HasTrigger: SelectorSets.Covers(local, [offeredLocal[0]]) && SelectorSets.Covers(remote, [offeredRemote[0]]),
            IsWhole: SelectorSets.Covers(local, offeredLocal) && SelectorSets.Covers(remote, offeredRemote));
    }

    /// <summary>
    /// Narrows an offer to the child of the configuration that suits it best: the first that grants all of it, else the first that grants the
    /// triggering packet, else the first that grants anything.
    /// </summary>
    /// <returns>The index of the child and what it grants; null if none grants anything.</returns>
    /// <param name="offeredLocal">As for <see cref="Narrow"/>.</param>
    /// <param name="offeredRemote">As for <see cref="Narrow"/>.</param>
    /// <param name="children">The selectors of the configuration's children, in their order.</param>
    public static (int Index, NarrowedSelectors Selectors)? Choose(
        IReadOnlyList<TrafficSelector> offeredLocal,
        IReadOnlyList<TrafficSelector> offeredRemote,
        IReadOnlyList<(IReadOnlyList<TrafficSelector> Local, IReadOnlyList<TrafficSelector> Remote)> children)
    {
        (int Index, NarrowedSelectors Selectors)? best = null;
        for (int i = 0; i < children.Count; i++)
        {
            if (Narrow(offeredLocal, offeredRemote, children[i].Local, children[i].Remote) is { } narrowed && (best is not { } other || narrowed.Rank > other.Selectors.Rank))
                best = (i, narrowed);
        }
        return best;
    }

    private int Rank => IsWhole ? 2 : HasTrigger ? 1 : 0;
}
