namespace CryptoPlane.Esp;

/// <summary>
/// How much one SA may carry (RFC 4301 §4.4.2.1). Past a soft limit the SA goes on and says so, and its owner makes a new one; past a
/// hard limit it carries nothing more.
/// </summary>
/// <remarks>Lifetimes in time are the owner's, who has a clock.</remarks>
public readonly record struct SaLifetime
{
    /// <summary>Packets after which <c>SoftLifetimeReached</c> is set; 0 for no limit.</summary>
    public ulong SoftPackets { get; init; }

    /// <summary>Packets after which nothing more is carried; 0 for no limit.</summary>
    public ulong HardPackets { get; init; }

    /// <summary>Bytes of inner packets after which <c>SoftLifetimeReached</c> is set; 0 for no limit.</summary>
    public ulong SoftBytes { get; init; }

    /// <summary>Bytes of inner packets after which nothing more is carried; 0 for no limit.</summary>
    public ulong HardBytes { get; init; }
}

/// <summary>
/// The limits of one SA, with "no limit" as the largest number, and where the next one lies: the hot path compares with that alone.
/// </summary>
internal struct SaLimits
{
    private ulong _softPackets;
    private ulong _hardPackets;
    private ulong _softBytes;
    private ulong _hardBytes;

    /// <summary>Whether a soft limit was passed.</summary>
    public bool SoftReached { get; private set; }

    public static SaLimits From(SaLifetime lifetime) => new()
    {
        _softPackets = OrNone(lifetime.SoftPackets),
        _hardPackets = OrNone(lifetime.HardPackets),
        _softBytes = OrNone(lifetime.SoftBytes),
        _hardBytes = OrNone(lifetime.HardBytes),
    };

    /// <summary>Packets that may be carried before <see cref="TryPass"/> must be asked.</summary>
    public readonly ulong NextPackets => SoftReached ? _hardPackets : Math.Min(_softPackets, _hardPackets);

    /// <summary>Bytes that may be carried before <see cref="TryPass"/> must be asked.</summary>
    public readonly ulong NextBytes => SoftReached ? _hardBytes : Math.Min(_softBytes, _hardBytes);

    /// <summary>Whether a packet may pass on top of what was carried; notes that a soft limit lies behind.</summary>
    /// <param name="packets">Packets carried so far.</param>
    /// <param name="bytes">Bytes carried, with this packet's.</param>
    public bool TryPass(ulong packets, ulong bytes)
    {
        if (packets >= _hardPackets || bytes > _hardBytes)
            return false;
        SoftReached |= packets >= _softPackets || bytes > _softBytes;
        return true;
    }

    private static ulong OrNone(ulong limit) => limit == 0 ? ulong.MaxValue : limit;
}
