using System.Runtime.InteropServices;

namespace CryptoPlane.Flows.Sessions;

/// <summary>One direction's part of a <see cref="FlowRecord"/>: all are deltas, that is, since the session's last record.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlowTraffic
{
    /// <summary>Packets that went on.</summary>
    public ulong Packets;

    /// <summary>Their bytes, with their IP headers.</summary>
    public ulong Octets;

    /// <summary>Packets that were dropped after their session was known; they are not among <see cref="Packets"/>.</summary>
    public ulong Drops;

    /// <summary>All TCP flags seen: bits 0 to 7 as in the header (FIN is 1), NS bit 8; 0 for other protocols.</summary>
    public ushort TcpFlags;
}

/// <summary>
/// What an lcore says of a session to the exporter: when it has ended, every active timeout before, and if wanted when it begins.
/// Blittable, of fixed size, so that it goes through a <see cref="Lcores.SpscRing{T}"/>; names are looked up where records are read.
/// </summary>
/// <remarks>Source, destination and forward are the initiator's view: who sent the first packet that was seen.</remarks>
[StructLayout(LayoutKind.Sequential)]
public struct FlowRecord
{
    /// <summary>Nanoseconds since 1970 (UTC) of the first packet: of the session, also in later records of it.</summary>
    public long Start;

    /// <summary>Nanoseconds since 1970 (UTC) of the last packet.</summary>
    public long End;

    /// <summary>The initiator.</summary>
    public SessionAddress Source;

    /// <summary>The responder.</summary>
    public SessionAddress Destination;

    /// <summary>From the initiator.</summary>
    public FlowTraffic Forward;

    /// <summary>To the initiator.</summary>
    public FlowTraffic Reverse;

    /// <summary>The session: the lcore in the top 8 bits, a number of the lcore's below; never used twice by a process.</summary>
    public ulong FlowId;

    /// <summary>Which tunnel of <see cref="IngressKind"/> the initiator's packets came out of.</summary>
    public ulong IngressId;

    /// <summary>Which tunnel of <see cref="EgressKind"/> they went into.</summary>
    public ulong EgressId;

    /// <summary>The rule that decided; 0 for none.</summary>
    public uint RuleId;

    /// <summary>The initiator's port; of ICMP the first packet's type; 0 where the protocol has none or it could not be read.</summary>
    public ushort SourcePort;

    /// <summary>The responder's port; of ICMP the first packet's code; 0 where the protocol has none or it could not be read.</summary>
    public ushort DestinationPort;

    /// <summary>Why the first of the drops was, since the last record: a number of the application's; 0 for none.</summary>
    public ushort DropReason;

    /// <summary>The upper protocol's number: 6 for TCP.</summary>
    public byte Protocol;

    /// <summary>The differentiated services code point of the first packet, 0 to 63.</summary>
    public byte Dscp;

    /// <summary>The class that the policy put it into.</summary>
    public byte TrafficClass;

    /// <summary>What the initiator's packets came out of.</summary>
    public FlowTunnelKind IngressKind;

    /// <summary>What they went into.</summary>
    public FlowTunnelKind EgressKind;

    /// <summary>Why the record was made; none for one of an <see cref="Event"/>.</summary>
    public FlowEndReason EndReason;

    /// <summary>The lcore that saw it.</summary>
    public byte Lcore;

    /// <summary>Whether the addresses are IPv6.</summary>
    public bool IsIPv6;

    /// <summary>
    /// Other than none: the record says only that the session has begun. It counts nothing, so that the sum over all records stays what has
    /// passed; the first packet's counts come with the next record of the session.
    /// </summary>
    public FlowEvent Event;
}
