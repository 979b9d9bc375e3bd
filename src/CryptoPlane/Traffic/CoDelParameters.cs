namespace CryptoPlane.Traffic;

/// <summary>When CoDel finds that a queue stands (RFC 8289 §4.3, §4.4).</summary>
public readonly record struct CoDelParameters
{
    /// <summary>The values of RFC 8289 §4.4: 5 ms and 100 ms, and packets of Ethernet.</summary>
    public static CoDelParameters Default => new() { TargetNanoseconds = 5_000_000, IntervalNanoseconds = 100_000_000, MaxPacketBytes = 1514 };

    /// <summary>No early drops.</summary>
    public static CoDelParameters Off => default;

    /// <summary>The delay that a queue may have for good, in nanoseconds; 0 switches CoDel off.</summary>
    public long TargetNanoseconds { get; init; }

    /// <summary>How long the delay may be above the target: the round-trip time of most connections, in nanoseconds.</summary>
    public long IntervalNanoseconds { get; init; }

    /// <summary>A queue of no more than this many bytes is never dropped from: one packet's transmission is no standing queue.</summary>
    public int MaxPacketBytes { get; init; }

    /// <summary>Whether packets are dropped early.</summary>
    public bool IsOn => TargetNanoseconds > 0;
}
