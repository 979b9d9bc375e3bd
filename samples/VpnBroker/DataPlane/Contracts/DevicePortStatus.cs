namespace VpnBroker.DataPlane.Contracts;

/// <summary>
/// One port of the data plane, as its owner counts: packets as they are on the wire, while <see cref="LcoreStatus.Ports"/> has inner packets.
/// </summary>
public sealed record DevicePortStatus
{
    /// <summary>The port's name, the same on every lcore: <c>tun:cp0</c>, <c>udp:192.0.2.1:4500</c>, <c>esp:192.0.2.1</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The lcore whose queue or socket this is; null for what a device counts as a whole.</summary>
    public int? Lcore { get; init; }

    /// <summary>What it carried and dropped.</summary>
    public required PortReading Reading { get; init; }
}

/// <summary>What a port has counted at one moment.</summary>
public sealed record PortReading
{
    /// <summary>Packets that came in.</summary>
    public ulong ReceivedPackets { get; init; }

    /// <summary>Their bytes.</summary>
    public ulong ReceivedBytes { get; init; }

    /// <summary>Packets that went out.</summary>
    public ulong SentPackets { get; init; }

    /// <summary>Their bytes.</summary>
    public ulong SentBytes { get; init; }

    /// <summary>Packets that the port dropped, by reason: <c>queue-full</c>.</summary>
    public IReadOnlyList<DropStatus> Drops { get; init; } = [];

    /// <summary>What else the port counts: <c>receive-calls</c>, a device's own statistics.</summary>
    public IReadOnlyList<NamedCounter> Counters { get; init; } = [];
}

/// <summary>A counter that some kind of port has.</summary>
/// <param name="Name">Its name, in lower-case words with hyphens.</param>
/// <param name="Value">Its value.</param>
public readonly record struct NamedCounter(string Name, ulong Value);
