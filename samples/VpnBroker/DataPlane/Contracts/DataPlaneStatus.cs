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

    /// <summary>The peers that share prefixes, and what parts of new flows they get.</summary>
    public IReadOnlyList<PeerShareStatus> PeerShares { get; init; } = [];

    /// <summary>The policy's rules; null without a policy.</summary>
    public PolicyStatus? Policy { get; init; }

    /// <summary>What waits, by class, port and lcore; empty where traffic is not managed.</summary>
    public IReadOnlyList<QueueStatus> Queues { get; init; } = [];

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

    /// <summary>TCP segments that were answered with a RST.</summary>
    public ulong ResetsSent { get; init; }

    /// <summary>KeyUpdate messages sent to users.</summary>
    public ulong KeyUpdates { get; init; }

    /// <summary>Sessions inside of tunnels; null where they are not kept.</summary>
    public FlowStatus? Flows { get; init; }

    /// <summary>Users' data channels over DTLS.</summary>
    public DtlsStatus Dtls { get; init; }

    /// <summary>Packet buffers in use: 0 at rest.</summary>
    public int PacketsHeld { get; init; }

    /// <summary>Chunks in use for bytes that wait on connections: 0 when all is sent and no record is cut in two.</summary>
    public int ChunksHeld { get; init; }
}

/// <summary>One lcore's data channels over DTLS.</summary>
/// <param name="Channels">Tunnels whose data goes by DTLS now.</param>
/// <param name="Begun">Channels that got their keys.</param>
/// <param name="Fallbacks">Times that a tunnel's data went back to TLS because the client was not heard any more.</param>
/// <param name="Moved">Times that a client's datagrams came from another port.</param>
public readonly record struct DtlsStatus(int Channels, ulong Begun, ulong Fallbacks, ulong Moved);

/// <summary>Packets and bytes of inner packets through one kind of port of an lcore.</summary>
/// <param name="Name">The kind of port.</param>
/// <param name="ReceivedPackets">Inner packets that came in.</param>
/// <param name="ReceivedBytes">Their bytes.</param>
/// <param name="SentPackets">Inner packets that went out.</param>
/// <param name="SentBytes">Their bytes.</param>
public readonly record struct PortStatus(string Name, ulong ReceivedPackets, ulong ReceivedBytes, ulong SentPackets, ulong SentBytes);

/// <summary>One lcore's sessions.</summary>
/// <param name="Active">Sessions now, denied ones among them.</param>
/// <param name="Denied">Of these, sessions that the policy denies.</param>
/// <param name="Maximum">Sessions that there can be at most, beside denied ones.</param>
/// <param name="Begun">Sessions that began.</param>
/// <param name="Expired">Sessions that ended by themselves: their time had come, or TCP had ended.</param>
/// <param name="Evicted">Sessions that ended to make room for others.</param>
/// <param name="DeniedEvicted">Denied sessions that ended because there were too many of them.</param>
/// <param name="Untracked">Packets without a session, because there was no room for one.</param>
/// <param name="Records">Records given to the exporter.</param>
/// <param name="RecordsLost">Records that were lost because the exporter was behind.</param>
public readonly record struct FlowStatus(
    int Active, int Denied, int Maximum, ulong Begun, ulong Expired, ulong Evicted, ulong DeniedEvicted, ulong Untracked, ulong Records,
    ulong RecordsLost);

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

    /// <summary>Whether its data goes by DTLS now; null where that was not offered.</summary>
    public bool? DataByDtls { get; init; }

    /// <summary>Bytes waiting to be sent.</summary>
    public required int UnsentBytes { get; init; }

    /// <summary>What waits for the user, and what came from it; empty where traffic is not managed.</summary>
    public IReadOnlyList<QueueStatus> Queues { get; init; } = [];
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

    /// <summary>What waits for the peer, and what came from it; empty where traffic is not managed.</summary>
    public IReadOnlyList<QueueStatus> Queues { get; init; } = [];

    /// <summary>Packets dropped, by reason.</summary>
    public required IReadOnlyList<DropStatus> Drops { get; init; }
}
