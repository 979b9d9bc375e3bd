using System.Net;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>The data plane's counters at one moment. All counters run from the start of the process.</summary>
public sealed record DataPlaneStatus
{
    /// <summary>One entry per lcore, in the order of their indices.</summary>
    public required IReadOnlyList<LcoreStatus> Lcores { get; init; }

    /// <summary>The ports, each lcore's part of each of them.</summary>
    public IReadOnlyList<DevicePortStatus> Ports { get; init; } = [];

    /// <summary>The user tunnels, when they were asked for.</summary>
    public IReadOnlyList<UserTunnelStatus> Tunnels { get; init; } = [];

    /// <summary>One entry per pair of ESP SAs.</summary>
    public IReadOnlyList<EspPairStatus> Esp { get; init; } = [];

    /// <summary>DPDK's devices; null without DPDK.</summary>
    public DpdkStatus? Dpdk { get; init; }
}

/// <summary>One lcore's counters.</summary>
public sealed record LcoreStatus
{
    /// <summary>The lcore's index.</summary>
    public required int Index { get; init; }

    /// <summary>The CPU it is pinned to, or -1.</summary>
    public required int Cpu { get; init; }

    /// <summary>User tunnels it has.</summary>
    public required int Tunnels { get; init; }

    /// <summary>Nanoseconds it worked.</summary>
    public required ulong BusyNanoseconds { get; init; }

    /// <summary>Nanoseconds it found nothing to do, or slept.</summary>
    public required ulong IdleNanoseconds { get; init; }

    /// <summary>Inner packets by kind of port: <c>users</c>, <c>esp</c>, <c>tun</c>.</summary>
    public required IReadOnlyList<PortStatus> Ports { get; init; }

    /// <summary>Packets dropped, by reason; reasons with no drops may be left out.</summary>
    public required IReadOnlyList<DropStatus> Drops { get; init; }

    /// <summary>Packets given to other lcores.</summary>
    public ulong HandedOver { get; init; }

    /// <summary>Packets taken from other lcores.</summary>
    public ulong TakenOver { get; init; }

    /// <summary>ICMP errors made here.</summary>
    public ulong IcmpSent { get; init; }

    /// <summary>KeyUpdate messages sent to users.</summary>
    public ulong KeyUpdates { get; init; }

    /// <summary>Packet buffers in use: 0 at rest.</summary>
    public int PacketsHeld { get; init; }

    /// <summary>Chunks in use for bytes that wait on connections: 0 when all is sent and no record is cut in two.</summary>
    public int ChunksHeld { get; init; }
}

/// <summary>Packets and bytes of inner packets through one kind of port of an lcore.</summary>
/// <param name="Name">The kind of port.</param>
/// <param name="ReceivedPackets">Inner packets that came in.</param>
/// <param name="ReceivedBytes">Their bytes.</param>
/// <param name="SentPackets">Inner packets that went out.</param>
/// <param name="SentBytes">Their bytes.</param>
public readonly record struct PortStatus(string Name, ulong ReceivedPackets, ulong ReceivedBytes, ulong SentPackets, ulong SentBytes);

/// <summary>Packets dropped for one reason.</summary>
/// <param name="Reason">The reason's name, in lower-case words with hyphens: <c>source-address</c>.</param>
/// <param name="Packets">How many.</param>
public readonly record struct DropStatus(string Reason, ulong Packets);

/// <summary>One user tunnel's counters.</summary>
public sealed record UserTunnelStatus
{
    /// <summary>The tunnel.</summary>
    public required ulong TunnelId { get; init; }

    /// <summary>Its session.</summary>
    public required ulong SessionId { get; init; }

    /// <summary>The inner IPv4 address, or null.</summary>
    public IPAddress? InnerIPv4 { get; init; }

    /// <summary>The inner IPv6 address, or null.</summary>
    public IPAddress? InnerIPv6 { get; init; }

    /// <summary>The home lcore.</summary>
    public required int Lcore { get; init; }

    /// <summary>Traffic, seen from the broker: received is what the user sent.</summary>
    public required PortStatus Traffic { get; init; }

    /// <summary>Packets to or from this user that were dropped.</summary>
    public required ulong Drops { get; init; }

    /// <summary>Bytes waiting to be sent.</summary>
    public required int UnsentBytes { get; init; }
}

/// <summary>One pair of ESP SAs' counters.</summary>
public sealed record EspPairStatus
{
    /// <summary>The tunnel's name.</summary>
    public required string Tunnel { get; init; }

    /// <summary>The lcore that owns the pair.</summary>
    public required int Lcore { get; init; }

    /// <summary>The inbound SPI.</summary>
    public required uint InboundSpi { get; init; }

    /// <summary>The outbound SPI.</summary>
    public required uint OutboundSpi { get; init; }

    /// <summary>Inner packets through the tunnel.</summary>
    public required PortStatus Traffic { get; init; }

    /// <summary>The next sequence number to be sent.</summary>
    public required ulong NextSequence { get; init; }

    /// <summary>The first sequence number that is not reserved.</summary>
    public required ulong SequenceLimit { get; init; }

    /// <summary>Whether packets are sent on it; of a negotiated tunnel's pairs on one lcore, one does.</summary>
    public bool Sends { get; init; } = true;

    /// <summary>Packets dropped, by reason.</summary>
    public required IReadOnlyList<DropStatus> Drops { get; init; }
}
