namespace VpnBroker.DataPlane.Contracts;

/// <summary>What waited for its turn, was sent, marked and dropped, of a class or a tunnel. All counters run from its begin.</summary>
public sealed record QueueStatus
{
    /// <summary>The class's name; of a tunnel, empty.</summary>
    public string Class { get; init; } = "";

    /// <summary>Which way: <c>outside</c> (to users and IPsec peers) or <c>inside</c> (to the local network).</summary>
    public required string Port { get; init; }

    /// <summary>The lcore.</summary>
    public required int Lcore { get; init; }

    /// <summary>Packets that wait now.</summary>
    public required long WaitingPackets { get; init; }

    /// <summary>Their bytes.</summary>
    public required long WaitingBytes { get; init; }

    /// <summary>Packets that went on.</summary>
    public required long SentPackets { get; init; }

    /// <summary>Their bytes.</summary>
    public required long SentBytes { get; init; }

    /// <summary>Packets that went on with a mark of congestion (ECN).</summary>
    public required long MarkedPackets { get; init; }

    /// <summary>Packets dropped, by reason.</summary>
    public required IReadOnlyList<DropStatus> Drops { get; init; }

    /// <summary>Nanoseconds that all packets together waited that went on.</summary>
    public required long DelayNanoseconds { get; init; }

    /// <summary>The largest delay of the last second or two, in nanoseconds.</summary>
    public required long LargestDelayNanoseconds { get; init; }
}
