namespace CryptoPlane.Ike.Fragmentation;

/// <summary>What a peer may make this side hold while it sends a message in fragments.</summary>
/// <param name="Fragments">Most fragments of a message.</param>
/// <param name="Bytes">Most bytes of a message's payloads.</param>
/// <param name="Timeout">
/// After so many milliseconds from the first fragment on, an incomplete message is forgotten; its sender repeats it all.
/// </param>
internal sealed record FragmentLimits(int Fragments, int Bytes, long Timeout)
{
    /// <summary>Enough for a chain of large certificates at the smallest size of packets.</summary>
    public static FragmentLimits Default { get; } = new(128, 65_536, 30_000);
}
