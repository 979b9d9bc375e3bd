namespace CryptoPlane.Traffic;

/// <summary>A rate with what may go at once: in bits and in packets, each of which may be left without a limit.</summary>
public readonly record struct TrafficRate
{
    /// <summary>Largest <see cref="BitsPerSecond"/>: a terabit per second.</summary>
    public const long MaxBitsPerSecond = 1_000_000_000_000;

    /// <summary>Largest <see cref="PacketsPerSecond"/>.</summary>
    public const long MaxPacketsPerSecond = 1_000_000_000;

    /// <summary>Largest <see cref="BurstBytes"/>: 256 MiB.</summary>
    public const long MaxBurstBytes = 256L << 20;

    /// <summary>Largest <see cref="BurstPackets"/>.</summary>
    public const long MaxBurstPackets = 1_000_000_000;

    /// <summary>No limit.</summary>
    public static TrafficRate None => default;

    /// <summary>Bits per second; 0 for no limit.</summary>
    public long BitsPerSecond { get; init; }

    /// <summary>Bytes that may go at once after a silence.</summary>
    public long BurstBytes { get; init; }

    /// <summary>Packets per second; 0 for no limit.</summary>
    public long PacketsPerSecond { get; init; }

    /// <summary>Packets that may go at once after a silence.</summary>
    public long BurstPackets { get; init; }

    /// <summary>Whether there is a limit at all.</summary>
    public bool IsLimited => BitsPerSecond != 0 || PacketsPerSecond != 0;

    /// <summary>A rate whose bursts are what it lets through in a time.</summary>
    /// <param name="bitsPerSecond">As in <see cref="BitsPerSecond"/>.</param>
    /// <param name="packetsPerSecond">As in <see cref="PacketsPerSecond"/>.</param>
    /// <param name="burstNanoseconds">The time. A burst is never less than two packets of 1,514 bytes.</param>
    public static TrafficRate Of(long bitsPerSecond, long packetsPerSecond, long burstNanoseconds)
    {
        const long second = 1_000_000_000, leastBytes = 2 * 1514, leastPackets = 2;
        return new TrafficRate
        {
            BitsPerSecond = bitsPerSecond,
            PacketsPerSecond = packetsPerSecond,
            BurstBytes = bitsPerSecond == 0 ? 0 : Math.Clamp((long)((Int128)bitsPerSecond * burstNanoseconds / (8 * second)), leastBytes, MaxBurstBytes),
            BurstPackets = packetsPerSecond == 0 ? 0
                : Math.Clamp((long)((Int128)packetsPerSecond * burstNanoseconds / second), leastPackets, MaxBurstPackets),
        };
    }

    /// <summary>Throws when a value is out of its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A rate is negative or too large, or a rate has no burst.</exception>
    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(BitsPerSecond);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BitsPerSecond, MaxBitsPerSecond);
        ArgumentOutOfRangeException.ThrowIfNegative(PacketsPerSecond);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(PacketsPerSecond, MaxPacketsPerSecond);
        ArgumentOutOfRangeException.ThrowIfLessThan(BurstBytes, BitsPerSecond == 0 ? 0 : 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BurstBytes, MaxBurstBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(BurstPackets, PacketsPerSecond == 0 ? 0 : 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BurstPackets, MaxBurstPackets);
    }
}
