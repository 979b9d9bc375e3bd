namespace VpnBroker.Status;

/// <summary>What <c>broker flows</c> asks for.</summary>
/// <param name="User">Sessions of a user; null for all.</param>
/// <param name="Prefix">Sessions with one end in a prefix, or at an address.</param>
/// <param name="Port">Sessions with such a port on one end.</param>
/// <param name="Protocol">Sessions of a protocol.</param>
/// <param name="State">TCP connections in a state: opening, established, closing or closed; or what the policy denies: denied.</param>
/// <param name="Tunnel">Sessions through <c>users</c>, <c>esp</c>, <c>tun</c>, or an ESP tunnel's name.</param>
/// <param name="Sort"><c>bytes</c>, <c>packets</c>, <c>rate</c>, <c>age</c> or <c>drops</c>.</param>
/// <param name="Top">How many at most.</param>
public sealed record FlowsRequest(
    string? User = null, string? Prefix = null, int? Port = null, string? Protocol = null, string? State = null, string? Tunnel = null,
    string Sort = "rate", int Top = 20);

/// <summary>What <c>broker flows</c> shows.</summary>
/// <param name="Time">When the sessions were read (UTC).</param>
/// <param name="Tracked">Sessions that there are.</param>
/// <param name="Maximum">Sessions that there can be.</param>
/// <param name="Matching">Sessions that were asked for.</param>
/// <param name="Seconds">The time between the two readings that rates are of.</param>
/// <param name="Flows">The first of them, in the order that was asked for.</param>
public sealed record FlowsReport(DateTimeOffset Time, long Tracked, long Maximum, long Matching, double Seconds, IReadOnlyList<FlowReport> Flows);

/// <summary>One end of a session.</summary>
/// <param name="Address">The inner address.</param>
/// <param name="Port">The port; null without ports.</param>
/// <param name="Through">What its packets come through: a user's name, an ESP tunnel's, or <c>tun</c>.</param>
public sealed record FlowEndReport(string Address, int? Port, string Through);

/// <summary>One direction of a session.</summary>
/// <param name="Packets">Packets that went on.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Drops">Packets that were dropped.</param>
/// <param name="BitsPerSecond">The rate between the two readings.</param>
public sealed record FlowDirectionReport(ulong Packets, ulong Bytes, uint Drops, double BitsPerSecond);

/// <summary>One session.</summary>
/// <param name="Id">Its number, as in exported records.</param>
/// <param name="Lcore">The lcore that keeps it.</param>
/// <param name="Protocol">The protocol: tcp, udp, icmp, or its number.</param>
/// <param name="State">Of TCP its state; of others new or answered; denied where the policy says so.</param>
/// <param name="Initiator">Who sent its first packet.</param>
/// <param name="Responder">The other end.</param>
/// <param name="Sent">From the initiator.</param>
/// <param name="Received">To the initiator.</param>
/// <param name="AgeSeconds">Seconds since its first packet.</param>
/// <param name="IdleSeconds">Seconds since its last packet.</param>
/// <param name="Rule">The policy's rule that decided; null for none.</param>
/// <param name="TrafficClass">The class of its packets.</param>
/// <param name="Dscp">The code point of its first packet.</param>
/// <param name="DropReason">Why the first of its drops was since the last record; null for none.</param>
/// <param name="PickedUp">Whether its beginning was not seen.</param>
public sealed record FlowReport(
    ulong Id, int Lcore, string Protocol, string State, FlowEndReport Initiator, FlowEndReport Responder, FlowDirectionReport Sent,
    FlowDirectionReport Received, double AgeSeconds, double IdleSeconds, uint? Rule, byte TrafficClass, byte Dscp, string? DropReason, bool PickedUp);
