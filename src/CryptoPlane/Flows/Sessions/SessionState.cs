using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Flows.Sessions;

/// <summary>What is so of a session beside its numbers.</summary>
[Flags]
public enum SessionFlags : byte
{
    /// <summary>Nothing of these.</summary>
    None = 0,

    /// <summary>The initiator is the upper end of the key.</summary>
    InitiatorIsUpper = 1,

    /// <summary>The responder has sent something.</summary>
    Answered = 2,

    /// <summary>Policy denies it: its packets are dropped, and the entry remembers that.</summary>
    Denied = 4,

    /// <summary>A TCP connection whose beginning was not seen.</summary>
    PickedUp = 8,

    /// <summary>It is to end, whatever its times say.</summary>
    Ending = 16,

    /// <summary>With <see cref="Denied"/>: the initiator is told.</summary>
    Rejected = 32,

    /// <summary>It counts among its user's sessions.</summary>
    CountedForUser = 64,

    /// <summary><see cref="SessionState.Subject"/> is somebody.</summary>
    HasSubject = 128,
}

/// <summary>
/// What an lcore keeps of a session: unmanaged, three cache lines, of which a packet touches the first, and one of TCP the second.
/// </summary>
/// <remarks>Forward is the initiator's direction: of the first packet that was seen. Times are the lcore's clock, in nanoseconds.</remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct SessionState
{
    /// <summary>Size of the struct.</summary>
    public const int SizeInBytes = 192;

    /// <summary>Packets from the initiator that went on.</summary>
    [FieldOffset(0)] public ulong ForwardPackets;

    /// <summary>Their bytes, with IP headers.</summary>
    [FieldOffset(8)] public ulong ForwardOctets;

    /// <summary>Packets to the initiator that went on.</summary>
    [FieldOffset(16)] public ulong ReversePackets;

    /// <summary>Their bytes, with IP headers.</summary>
    [FieldOffset(24)] public ulong ReverseOctets;

    /// <summary>When the last packet was seen.</summary>
    [FieldOffset(32)] public long LastPacket;

    /// <summary>Which rule set the verdict is of.</summary>
    [FieldOffset(40)] public uint PolicyGeneration;

    /// <summary>Where the initiator's packets come from: a number of the application's.</summary>
    [FieldOffset(44)] public uint Ingress;

    /// <summary>Where the initiator's packets go to: a number of the application's.</summary>
    [FieldOffset(48)] public uint Egress;

    /// <summary>What is so of it.</summary>
    [FieldOffset(52)] public SessionFlags Flags;

    /// <summary>Where the TCP connection is.</summary>
    [FieldOffset(53)] public TcpState Tcp;

    /// <summary>The class that the policy put it into.</summary>
    [FieldOffset(54)] public byte TrafficClass;

    /// <summary>The code point of the first packet, 0 to 63.</summary>
    [FieldOffset(55)] public byte Dscp;

    /// <summary>The low half of <see cref="FlowId"/>, in the line that every packet touches: an entry's next session has another one.</summary>
    [FieldOffset(56)] public uint Stamp;

    /// <summary>The rule that decided; 0 for none.</summary>
    [FieldOffset(60)] public uint RuleId;

    [FieldOffset(64)] internal TcpSide ForwardTcp;
    [FieldOffset(72)] internal TcpSide ReverseTcp;

    /// <summary>When the first packet was seen.</summary>
    [FieldOffset(80)] public long First;

    /// <summary>When the next record about it is due, should it go on.</summary>
    [FieldOffset(88)] public long NextRecord;

    /// <summary>Packets from the initiator that were dropped after their session was known.</summary>
    [FieldOffset(96)] public uint ForwardDrops;

    /// <summary>Packets to the initiator that were dropped after their session was known.</summary>
    [FieldOffset(100)] public uint ReverseDrops;

    /// <summary>TCP flags that the initiator has sent since the last record.</summary>
    [FieldOffset(104)] public byte ForwardTcpFlags;

    /// <summary>TCP flags that the responder has sent since the last record.</summary>
    [FieldOffset(105)] public byte ReverseTcpFlags;

    [FieldOffset(106)] internal byte TcpSeen;
    [FieldOffset(107)] internal byte TcpAcked;
    [FieldOffset(108)] internal uint RecordedReverseDrops;

    /// <summary>Whose it is for the policy: the initiator's subject; 0 for nobody's.</summary>
    [FieldOffset(112)] public uint Subject;

    /// <summary>Why the first of the drops since the last record was: a number of the application's.</summary>
    [FieldOffset(116)] public ushort FirstDropReason;

    /// <summary>Of ICMP the first packet's type.</summary>
    [FieldOffset(118)] public byte IcmpType;

    /// <summary>Of ICMP the first packet's code.</summary>
    [FieldOffset(119)] public byte IcmpCode;

    /// <summary>The session's number, as in <see cref="FlowRecord.FlowId"/>.</summary>
    [FieldOffset(120)] public ulong FlowId;

    [FieldOffset(128)] internal ulong RecordedForwardPackets;
    [FieldOffset(136)] internal ulong RecordedForwardOctets;
    [FieldOffset(144)] internal ulong RecordedReversePackets;
    [FieldOffset(152)] internal ulong RecordedReverseOctets;

    /// <summary>Which tunnel of <see cref="IngressKind"/> the initiator's packets come out of.</summary>
    [FieldOffset(160)] public ulong IngressId;

    /// <summary>Which tunnel of <see cref="EgressKind"/> they go into.</summary>
    [FieldOffset(168)] public ulong EgressId;

    /// <summary>What the initiator's packets come out of.</summary>
    [FieldOffset(176)] public FlowTunnelKind IngressKind;

    /// <summary>What they go into.</summary>
    [FieldOffset(177)] public FlowTunnelKind EgressKind;

    /// <summary><see cref="IngressKind"/> as it was when the policy was asked.</summary>
    [FieldOffset(178)] public FlowTunnelKind DecidedIngress;

    /// <summary><see cref="EgressKind"/> as it was when the policy was asked.</summary>
    [FieldOffset(179)] public FlowTunnelKind DecidedEgress;

    [FieldOffset(180)] internal uint RecordedForwardDrops;

    /// <summary>When the entry was last looked at by its timer, or will be: the application's.</summary>
    [FieldOffset(184)] public long Armed;

    /// <summary>Begins a session with its first packet, which is not accounted yet.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="flowId">The session's number.</param>
    /// <param name="now">The clock.</param>
    public void Begin(in SessionPacket packet, ulong flowId, long now)
    {
        this = default;
        Flags = packet.IsFromUpper ? SessionFlags.InitiatorIsUpper : SessionFlags.None;
        Dscp = packet.Dscp;
        IcmpType = packet.IcmpType;
        IcmpCode = packet.IcmpCode;
        FlowId = flowId;
        Stamp = (uint)flowId;
        First = LastPacket = now;
    }

    /// <summary>Whether a packet of the session goes to the initiator.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool IsReverse(bool isFromUpper) => isFromUpper != ((Flags & SessionFlags.InitiatorIsUpper) != 0);

    /// <summary>Counts a packet that goes on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Account(bool isReverse, int length)
    {
        if (isReverse)
        {
            ReversePackets++;
            ReverseOctets += (uint)length;
        }
        else
        {
            ForwardPackets++;
            ForwardOctets += (uint)length;
        }
    }

    /// <summary>Counts a packet that was dropped.</summary>
    /// <param name="isReverse">Whether it would have gone to the initiator.</param>
    /// <param name="reason">Why, other than 0.</param>
    public void Drop(bool isReverse, ushort reason)
    {
        if (isReverse)
            ReverseDrops++;
        else
            ForwardDrops++;
        if (FirstDropReason == 0)
            FirstDropReason = reason;
    }

    /// <summary>Counts a packet as dropped that was counted as one that goes on.</summary>
    /// <param name="isReverse">Whether it would have gone to the initiator.</param>
    /// <param name="length">The bytes that were counted.</param>
    /// <param name="reason">Why, other than 0.</param>
    /// <remarks>Where a record has told of it by then, the next records tell of so much less.</remarks>
    public void TakeBack(bool isReverse, int length, ushort reason)
    {
        if (isReverse)
        {
            ReversePackets--;
            ReverseOctets -= (uint)length;
        }
        else
        {
            ForwardPackets--;
            ForwardOctets -= (uint)length;
        }
        Drop(isReverse, reason);
    }

    /// <summary>Whether anything has been seen since the last record.</summary>
    public readonly bool HasNews => ForwardPackets > RecordedForwardPackets || ReversePackets > RecordedReversePackets
        || ForwardDrops != RecordedForwardDrops || ReverseDrops != RecordedReverseDrops;

    /// <summary>Writes a record of what has passed since the last one, and counts from here on.</summary>
    /// <param name="key">The session's key.</param>
    /// <param name="reason">Why the record is made.</param>
    /// <param name="toUnix">What makes nanoseconds since 1970 of the clock's.</param>
    /// <param name="lcore">The lcore.</param>
    /// <param name="record">The record.</param>
    public void Record(in SessionKey key, FlowEndReason reason, long toUnix, byte lcore, out FlowRecord record)
    {
        Describe(key, toUnix, lcore, out record);
        record.EndReason = reason;
        record.DropReason = FirstDropReason;
        record.Forward = new FlowTraffic
        {
            Packets = Since(ForwardPackets, ref RecordedForwardPackets), Octets = Since(ForwardOctets, ref RecordedForwardOctets),
            Drops = ForwardDrops - RecordedForwardDrops, TcpFlags = ForwardTcpFlags,
        };
        record.Reverse = new FlowTraffic
        {
            Packets = Since(ReversePackets, ref RecordedReversePackets), Octets = Since(ReverseOctets, ref RecordedReverseOctets),
            Drops = ReverseDrops - RecordedReverseDrops, TcpFlags = ReverseTcpFlags,
        };
        RecordedForwardDrops = ForwardDrops;
        RecordedReverseDrops = ReverseDrops;
        ForwardTcpFlags = ReverseTcpFlags = 0;
        FirstDropReason = 0;
    }

    /// <summary>
    /// Writes a record that the session has begun. It counts nothing, and takes nothing from the next record: of the first packet it has no
    /// more than the TCP flags, which that one has as well.
    /// </summary>
    /// <param name="key">The session's key.</param>
    /// <param name="toUnix">What makes nanoseconds since 1970 of the clock's.</param>
    /// <param name="lcore">The lcore.</param>
    /// <param name="record">The record.</param>
    public readonly void RecordStart(in SessionKey key, long toUnix, byte lcore, out FlowRecord record)
    {
        Describe(key, toUnix, lcore, out record);
        record.Event = (Flags & (SessionFlags.Denied | SessionFlags.Ending)) != 0 ? FlowEvent.Denied : FlowEvent.Created;
        record.Forward.TcpFlags = ForwardTcpFlags;
    }

    /// <summary>What a count has grown by since the last record; where it has shrunk, nothing, until it has made up for that.</summary>
    private static ulong Since(ulong now, ref ulong recorded)
    {
        if (now <= recorded)
            return 0;
        ulong news = now - recorded;
        recorded = now;
        return news;
    }

    private readonly void Describe(in SessionKey key, long toUnix, byte lcore, out FlowRecord record)
    {
        bool upper = (Flags & SessionFlags.InitiatorIsUpper) != 0;
        bool hasPorts = key.Kind == SessionKeyKind.Ports;
        record = new FlowRecord
        {
            Start = First + toUnix,
            End = LastPacket + toUnix,
            Source = upper ? key.Upper : key.Lower,
            Destination = upper ? key.Lower : key.Upper,
            SourcePort = hasPorts ? (upper ? key.UpperPort : key.LowerPort) : IcmpType,
            DestinationPort = hasPorts ? (upper ? key.LowerPort : key.UpperPort) : IcmpCode,
            FlowId = FlowId,
            IngressId = IngressId,
            EgressId = EgressId,
            IngressKind = IngressKind,
            EgressKind = EgressKind,
            RuleId = RuleId,
            Protocol = key.Protocol,
            Dscp = Dscp,
            TrafficClass = TrafficClass,
            Lcore = lcore,
            IsIPv6 = !key.Lower.IsIPv4,
        };
    }
}
