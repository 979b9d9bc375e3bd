using CryptoPlane.Flows.Sessions;

namespace VpnBroker.DataPlane.Inner;

/// <summary>
/// Writes the RST that answers a TCP segment which is not let through, in the name of whom it was for: what a host says where nobody listens
/// (RFC 9293 §3.10.7.1), so that the sender fails at once and does not try again.
/// </summary>
internal static unsafe class TcpReset
{
    /// <summary>Largest answer: a header of IPv6 and one of TCP.</summary>
    public const int MaxLength = InnerPacket.IPv6Header + TcpHeader;

    private const int TcpHeader = 20;
    private const byte Tcp = 6;
    private const byte HopLimit = 64;

    /// <summary>Whether a packet is a TCP segment that an answer can be made for, or that no answer may be made for.</summary>
    /// <param name="packet">What was seen of it.</param>
    /// <returns>False of other protocols and of fragments, whose end, and so whose sequence numbers, nobody has seen.</returns>
    public static bool IsSegment(in SessionPacket packet) =>
        (packet.Flags & (SessionPacketFlags.Tcp | SessionPacketFlags.FirstFragment)) == SessionPacketFlags.Tcp;

    /// <summary>Writes the answer to a checked packet, addressed to its source.</summary>
    /// <param name="offending">The packet.</param>
    /// <param name="inner">What its header says.</param>
    /// <param name="packet">What was seen of it: a whole TCP header is at its upper offset.</param>
    /// <param name="destination">Room for <see cref="MaxLength"/> bytes.</param>
    /// <returns>
    /// The answer's bytes; 0 where there is none: to a RST (RFC 9293 §3.5.2), to what no host would take for a segment, and where nobody or
    /// many would be told.
    /// </returns>
    // Sound: reads the segment, which lies within the packet's length, and writes MaxLength bytes at most.
    public static int Write(byte* offending, in InnerPacket inner, in SessionPacket packet, byte* destination)
    {
        byte* segment = offending + packet.UpperOffset;
        int length = packet.UpperLength;
        int header = (segment[12] >> 4) * 4;
        byte flags = segment[13];
        if ((flags & TcpTracker.Rst) != 0 || header < TcpHeader || header > length)
            return 0;
        if (!InnerPacket.IsForwardable(inner.Source) || !InnerPacket.IsForwardable(inner.Destination))
            return 0;
        bool isIPv4 = inner.Source.Family == 4;
        // RFC 9293 §3.1: a segment with a wrong checksum is none. (Both addresses lie side by side in the IP header.)
        if (InternetChecksum.Finish(Sum(offending + (isIPv4 ? 12 : 8), isIPv4, segment, length)) != 0)
            return 0;

        int network = isIPv4 ? InnerPacket.IPv4Header : InnerPacket.IPv6Header;
        new Span<byte>(destination, network + TcpHeader).Clear();
        if (isIPv4)
            WriteIPv4(inner, destination);
        else
            WriteIPv6(inner, destination);
        WriteSegment(segment, flags, (uint)(length - header), destination + network);
        ulong sum = Sum(destination + (isIPv4 ? 12 : 8), isIPv4, destination + network, TcpHeader);
        *(ushort*)(destination + network + 16) = InternetChecksum.Finish(sum);
        return network + TcpHeader;
    }

    private static void WriteIPv4(in InnerPacket inner, byte* destination)
    {
        destination[0] = 0x45;
        *(ushort*)(destination + 2) = NetworkOrder.From((ushort)(InnerPacket.IPv4Header + TcpHeader));
        // RFC 6864 §4.1: what must not be fragmented needs no identification.
        destination[6] = 0x40;
        destination[8] = HopLimit;
        destination[9] = Tcp;
        inner.Destination.Write(destination + 12);
        inner.Source.Write(destination + 16);
        *(ushort*)(destination + 10) = InternetChecksum.Finish(InternetChecksum.Add(0, destination, InnerPacket.IPv4Header));
    }

    private static void WriteIPv6(in InnerPacket inner, byte* destination)
    {
        destination[0] = 0x60;
        *(ushort*)(destination + 4) = NetworkOrder.From((ushort)TcpHeader);
        destination[6] = Tcp;
        destination[7] = HopLimit;
        inner.Destination.Write(destination + 8);
        inner.Source.Write(destination + 24);
    }

    /// <summary>
    /// RFC 9293 §3.10.7.1: to a segment with ACK the RST comes from where the sender waits for it, which is what RFC 5961 §3.2 asks for; to one
    /// without, from 0, and it acknowledges all of the segment: its bytes, SYN and FIN.
    /// </summary>
    private static void WriteSegment(byte* segment, byte flags, uint payload, byte* destination)
    {
        *(ushort*)destination = *(ushort*)(segment + 2);
        *(ushort*)(destination + 2) = *(ushort*)segment;
        destination[12] = TcpHeader / 4 << 4;
        if ((flags & TcpTracker.Ack) != 0)
        {
            *(uint*)(destination + 4) = *(uint*)(segment + 8);
            destination[13] = TcpTracker.Rst;
            return;
        }
        uint end = NetworkOrder.From(*(uint*)(segment + 4)) + payload + (uint)((flags & TcpTracker.Syn) >> 1) + (uint)(flags & TcpTracker.Fin);
        *(uint*)(destination + 8) = NetworkOrder.From(end);
        destination[13] = TcpTracker.Rst | TcpTracker.Ack;
    }

    /// <summary>The sum of a segment with its pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1).</summary>
    private static ulong Sum(byte* addresses, bool isIPv4, byte* segment, int length)
    {
        ulong sum = InternetChecksum.Add(0, addresses, isIPv4 ? 8 : 32);
        sum += NetworkOrder.From((ushort)length);
        sum += NetworkOrder.From((ushort)Tcp);
        return InternetChecksum.Add(sum, segment, length);
    }
}
