using CryptoPlane.Traffic;

namespace VpnBroker.DataPlane.Queueing;

/// <summary>What has come for each of a tunnel's limits since the tunnel began.</summary>
internal struct TunnelDemand
{
    public OfferedTraffic SendShape;
    public OfferedTraffic SendPolice;
    public OfferedTraffic ReceiveShape;
    public OfferedTraffic ReceivePolice;

    /// <summary>What has come for one of the limits.</summary>
    public readonly OfferedTraffic this[TunnelLimitKind kind] => kind switch
    {
        TunnelLimitKind.SendShape => SendShape,
        TunnelLimitKind.SendPolice => SendPolice,
        TunnelLimitKind.ReceiveShape => ReceiveShape,
        _ => ReceivePolice,
    };
}

/// <summary>What has come for a limit: read while an lcore counts, so that it may be a packet off.</summary>
/// <param name="Bytes">Bytes of packets that went on or wait.</param>
/// <param name="Packets">These packets.</param>
/// <param name="Dropped">Packets that a queue has dropped, whose bytes nobody has counted.</param>
internal readonly record struct OfferedTraffic(long Bytes, long Packets, long Dropped)
{
    /// <summary>Bytes of a packet where none has told.</summary>
    private const long UsualBytes = 1000;

    /// <summary>What has come for a queue.</summary>
    public static OfferedTraffic Of(in QueueCounters counters) =>
        new(counters.SentBytes + counters.WaitingBytes, counters.SentPackets + counters.WaitingPackets, counters.DroppedPackets);

    /// <summary>What has come per second since an earlier reading.</summary>
    /// <param name="before">The earlier reading.</param>
    /// <param name="elapsed">Nanoseconds since then.</param>
    /// <param name="overhead">Bytes that are reckoned for each packet besides its own.</param>
    /// <returns>Bits and packets per second.</returns>
    public (long Bits, long Packets) Since(in OfferedTraffic before, long elapsed, int overhead)
    {
        // Counters that have begun anew: what was read before was of the tunnel that had their place.
        OfferedTraffic from = Packets + Dropped < (before.Packets + before.Dropped) / 2 ? default : before;
        long packets = Math.Max(0, Packets + Dropped - from.Packets - from.Dropped);
        long mean = Packets <= 0 ? UsualBytes : Bytes / Packets;
        long bytes = Math.Max(0, Bytes - from.Bytes + ((Dropped - from.Dropped) * mean)) + (packets * overhead);
        return (PerSecond(bytes * 8, elapsed), PerSecond(packets, elapsed));
    }

    private static long PerSecond(long count, long elapsed) => (long)((Int128)count * 1_000_000_000 / Math.Max(1, elapsed));
}
