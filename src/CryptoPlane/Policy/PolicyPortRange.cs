namespace CryptoPlane.Policy;

/// <summary>Ports from one to another, both included.</summary>
/// <param name="First">The first one.</param>
/// <param name="Last">The last one; not below the first.</param>
public readonly record struct PolicyPortRange(ushort First, ushort Last)
{
    /// <summary>A range of one port.</summary>
    public PolicyPortRange(ushort port)
        : this(port, port)
    {
    }

    /// <inheritdoc/>
    public override string ToString() => First == Last ? $"{First}" : $"{First}-{Last}";
}
