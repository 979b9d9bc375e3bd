using System.Text.Json.Serialization;
using CryptoPlane.Ike;
using VpnBroker.Monitoring;

namespace VpnBroker.Status;

/// <summary>What <c>broker status</c> shows. Counters run from the start of the process.</summary>
public sealed record StatusReport
{
    /// <summary>When the counters were read (UTC).</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The broker's process id.</summary>
    public required int ProcessId { get; init; }

    /// <summary>Seconds since the start, to the millisecond.</summary>
    public required double UptimeSeconds { get; init; }

    /// <summary>The seconds behind the rates of lcores, ports and ESP tunnels; null while there is no earlier reading.</summary>
    public double? RateSeconds { get; init; }

    /// <summary>Sessions: users who are logged in, with or without a tunnel.</summary>
    public required int Sessions { get; init; }

    /// <summary>Connections that have not become a tunnel.</summary>
    public required int HalfOpen { get; init; }

    /// <summary>Connections that were refused because there were too many.</summary>
    public required long RefusedConnections { get; init; }

    /// <summary>Session cookies that were refused.</summary>
    public required long RefusedCookies { get; init; }

    /// <summary>Garbage collections and their pauses.</summary>
    public required GcReport Gc { get; init; }

    /// <summary>One entry per lcore.</summary>
    public required IReadOnlyList<LcoreReport> Lcores { get; init; }

    /// <summary>One entry per port and lcore.</summary>
    public required IReadOnlyList<PortReport> Ports { get; init; }

    /// <summary>One entry per pair of ESP SAs.</summary>
    public required IReadOnlyList<EspReport> Esp { get; init; }

    /// <summary>Users' data channels over DTLS; null where none are offered.</summary>
    public DtlsReport? Dtls { get; init; }

    /// <summary>IPsec's peers: their IKE SAs, and those that have none; empty without IPsec.</summary>
    public IReadOnlyList<IpsecReport> Ipsec { get; init; } = [];

    /// <summary>What became of the requests of those who begin an IKE SA; null without IPsec.</summary>
    public IkeGateReport? IkeRequests { get; init; }

    /// <summary>The policy's rules; null where every flow passes.</summary>
    public PolicyReport? Policy { get; init; }

    /// <summary>Where flow records go; empty without export.</summary>
    public IReadOnlyList<ExportReport> Export { get; init; } = [];

    /// <summary>The IPsec peers that share prefixes; empty where none do.</summary>
    public IReadOnlyList<PeerShareReport> PeerShares { get; init; } = [];

    /// <summary>What waits for its turn: of each class, user and ESP tunnel; empty where traffic is not managed.</summary>
    public IReadOnlyList<QueueReport> Queues { get; init; } = [];

    /// <summary>DPDK's devices; null without DPDK.</summary>
    public DpdkReport? Dpdk { get; init; }

    /// <summary>One entry per session, when they were asked for.</summary>
    public required IReadOnlyList<SessionReport> Users { get; init; }
}

/// <summary>Garbage collections.</summary>
/// <param name="Collections">How many there were.</param>
/// <param name="WorstPauseMilliseconds">The longest time that one stopped the process.</param>
/// <param name="LastPauseMilliseconds">The longest time that the last one stopped the process.</param>
/// <param name="HeapBytes">The heap's size.</param>
public sealed record GcReport(int Collections, double WorstPauseMilliseconds, double LastPauseMilliseconds, long HeapBytes);

/// <summary>Packets and bytes through a port, a kind of port or a tunnel.</summary>
/// <param name="Name">Which one.</param>
/// <param name="ReceivedPackets">Packets that came in.</param>
/// <param name="ReceivedBytes">Their bytes.</param>
/// <param name="SentPackets">Packets that went out.</param>
/// <param name="SentBytes">Their bytes.</param>
public sealed record TrafficReport(string Name, ulong ReceivedPackets, ulong ReceivedBytes, ulong SentPackets, ulong SentBytes)
{
    /// <summary>The same per second, now; null while there is no earlier reading.</summary>
    public TrafficRate? Rate { get; init; }
}

/// <summary>One lcore.</summary>
/// <param name="Index">Its index.</param>
/// <param name="Cpu">The CPU it is pinned to, or -1.</param>
/// <param name="Tunnels">User tunnels it has.</param>
/// <param name="BusyNanoseconds">Time it worked.</param>
/// <param name="IdleNanoseconds">Time it had nothing to do.</param>
/// <param name="Traffic">Inner packets by kind of port.</param>
/// <param name="Drops">Packets dropped, by reason.</param>
public sealed record LcoreReport(
    int Index, int Cpu, int Tunnels, ulong BusyNanoseconds, ulong IdleNanoseconds,
    IReadOnlyList<TrafficReport> Traffic, IReadOnlyDictionary<string, ulong> Drops)
{
    /// <summary>The share of its time that it works now, 0 to 1; null while there is no earlier reading.</summary>
    public double? Busy { get; init; }

    /// <summary>Packets dropped per second now, by reason; null while there is no earlier reading.</summary>
    public IReadOnlyDictionary<string, double>? DropRates { get; init; }

    /// <summary>Its sessions inside of tunnels; null where they are not kept.</summary>
    public FlowTableReport? Flows { get; init; }

    /// <summary>ICMP errors that it sent, where a packet was too large, could not be forwarded, or was rejected by the policy.</summary>
    public ulong IcmpSent { get; init; }

    /// <summary>TCP segments that it answered with a RST, since the policy rejects them.</summary>
    public ulong ResetsSent { get; init; }
}

/// <summary>An lcore's sessions inside of tunnels.</summary>
/// <param name="Active">Sessions now, denied ones among them.</param>
/// <param name="Denied">Of these, sessions that the policy denies.</param>
/// <param name="Maximum">Sessions that there can be at most, beside denied ones.</param>
/// <param name="Begun">Sessions that began.</param>
/// <param name="Expired">Sessions that ended by themselves.</param>
/// <param name="Evicted">Sessions that ended to make room for others.</param>
/// <param name="DeniedEvicted">Denied sessions that ended because there were too many of them.</param>
/// <param name="Untracked">Packets without a session, because there was no room for one.</param>
/// <param name="Records">Records given to the exporter.</param>
/// <param name="RecordsLost">Records that were lost because the exporter was behind.</param>
public sealed record FlowTableReport(
    int Active, int Denied, int Maximum, ulong Begun, ulong Expired, ulong Evicted, ulong DeniedEvicted, ulong Untracked, ulong Records,
    ulong RecordsLost);

/// <summary>One port as an lcore uses it, or a device as a whole: packets as they are on the wire.</summary>
/// <param name="Lcore">The lcore, or null for the device as a whole.</param>
/// <param name="Traffic">What it carried, with the port's name.</param>
/// <param name="Drops">Packets that the port dropped, by reason.</param>
/// <param name="Counters">What else the port counts.</param>
public sealed record PortReport(int? Lcore, TrafficReport Traffic, IReadOnlyDictionary<string, ulong> Drops, IReadOnlyDictionary<string, ulong> Counters)
{
    /// <summary>Packets dropped per second now, by reason; null while there is no earlier reading.</summary>
    public IReadOnlyDictionary<string, double>? DropRates { get; init; }

    /// <summary>Where the counters are, for people.</summary>
    internal string Place => Lcore is { } lcore ? $"{Traffic.Name}, lcore {lcore}" : Traffic.Name;
}

/// <summary>One pair of ESP SAs.</summary>
/// <param name="Tunnel">The tunnel's name.</param>
/// <param name="Lcore">The lcore that owns the pair.</param>
/// <param name="InboundSpi">The inbound SPI, in hexadecimal.</param>
/// <param name="OutboundSpi">The outbound SPI, in hexadecimal.</param>
/// <param name="NextSequence">The next sequence number to be sent.</param>
/// <param name="SequenceLimit">The first one that is not reserved.</param>
/// <param name="Traffic">Traffic through the tunnel.</param>
/// <param name="Drops">Packets dropped, by reason.</param>
public sealed record EspReport(
    string Tunnel, int Lcore, string InboundSpi, string OutboundSpi, ulong NextSequence, ulong SequenceLimit,
    TrafficReport Traffic, IReadOnlyDictionary<string, ulong> Drops)
{
    /// <summary>Packets dropped per second now, by reason; null while there is no earlier reading.</summary>
    public IReadOnlyDictionary<string, double>? DropRates { get; init; }
}

/// <summary>One user's session.</summary>
/// <param name="Session">The session's number.</param>
/// <param name="User">The user.</param>
/// <param name="Group">The group whose profile counts, or null.</param>
/// <param name="Remote">Where the client is.</param>
/// <param name="IPv4">The inner IPv4 address, or null.</param>
/// <param name="IPv6">The inner IPv6 address, or null.</param>
/// <param name="Lcore">The home lcore, or -1 without a tunnel.</param>
/// <param name="Connected">Whether there is a tunnel now.</param>
/// <param name="AgeSeconds">Seconds since the log-in.</param>
/// <param name="Traffic">Traffic of the tunnel: received is what the user sent.</param>
/// <param name="Drops">Packets to or from the user that were dropped.</param>
/// <param name="UnsentBytes">Bytes waiting to be sent.</param>
/// <param name="Via">How the user connects: <c>openconnect</c> or <c>ikev2</c>.</param>
public sealed record SessionReport(
    ulong Session, string User, string? Group, string Remote, string? IPv4, string? IPv6, int Lcore, bool Connected,
    long AgeSeconds, TrafficReport Traffic, ulong Drops, int UnsentBytes, string Via = "openconnect")
{
    /// <summary>What the user's data goes by now: <c>dtls</c>, <c>tls</c> or <c>esp</c>; null without a tunnel.</summary>
    public string? Data { get; init; }
}

/// <summary>Users' data channels over DTLS.</summary>
/// <param name="Channels">Tunnels whose data goes by DTLS now.</param>
/// <param name="Begun">Channels that got their keys.</param>
/// <param name="Fallbacks">Times that a tunnel's data went back to TLS because the client was not heard any more.</param>
/// <param name="Moved">Times that a client's datagrams came from another port.</param>
/// <param name="HalfOpen">Handshakes that are not complete.</param>
/// <param name="Failed">Handshakes that failed, mostly by time.</param>
/// <param name="Refused">Hellos that were refused: of no session with a tunnel, or too many at a time.</param>
/// <param name="CookieRequests">Clients that were asked for a cookie first.</param>
/// <param name="Dropped">Datagrams dropped before there were keys: malformed, or of no handshake.</param>
public sealed record DtlsReport(
    int Channels, ulong Begun, ulong Fallbacks, ulong Moved, int HalfOpen, long Failed, long Refused, long CookieRequests, long Dropped);

/// <summary>JSON without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(Control.ControlRequest))]
[JsonSerializable(typeof(Control.ControlResponse))]
[JsonSerializable(typeof(FlowsRequest))]
[JsonSerializable(typeof(Capture.CaptureProgress))]
internal sealed partial class StatusJson : JsonSerializerContext;

/// <summary>The same, over several lines, for people and scripts.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(FlowsReport))]
internal sealed partial class IndentedStatusJson : JsonSerializerContext;
