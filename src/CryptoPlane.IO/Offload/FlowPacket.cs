using System.Runtime.CompilerServices;
using static CryptoPlane.IO.Offload.HeaderFields;

namespace CryptoPlane.IO.Offload;

/// <summary>
/// What the coalescer must know of a packet: whether it may share a super-packet with its neighbours, and where its parts are.
/// </summary>
internal unsafe struct FlowPacket
{
    /// <summary>First byte of the IP header.</summary>
    public byte* Data;

    /// <summary>Where the transport header begins.</summary>
    public int Transport;

    /// <summary>Bytes of all headers.</summary>
    public int Headers;

    /// <summary>Bytes behind them.</summary>
    public int Payload;

    /// <summary>TCP: the sequence number of the first payload byte.</summary>
    public uint Sequence;

    /// <summary>Equal for packets of one flow; 0 where there is no flow to speak of.</summary>
    public int FlowHash;

    /// <summary>TCP rather than UDP.</summary>
    public bool IsTcp;

    /// <summary>IPv6 rather than IPv4.</summary>
    public bool IsIPv6;

    /// <summary>TCP: the segment carries PSH, behind which nothing is appended.</summary>
    public bool IsPush;

    /// <summary>
    /// Reads a packet's headers.
    /// </summary>
    /// <param name="data">The IP packet.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="mergeUdp">Whether UDP datagrams may be merged.</param>
    /// <param name="packet">What was found; <see cref="FlowHash"/> is set for every unfragmented TCP and UDP packet, mergeable or not.</param>
    /// <returns>True if the packet may be merged: headers without options that need care, data, and right checksums.</returns>
    public static bool TryRead(byte* data, int length, bool mergeUdp, out FlowPacket packet)
    {
        packet = new FlowPacket { Data = data };
        byte protocol;
        if (length >= IPv4HeaderSize && data[0] == 0x45)
        {
            // More fragments, or a fragment offset: the transport header is elsewhere.
            if (Read16(data + IPv4TotalLength) != length || (Read16(data + IPv4Fragment) & 0x3FFF) != 0)
                return false;
            protocol = data[IPv4Protocol];
            packet.Transport = IPv4HeaderSize;
        }
        else if (length >= IPv6HeaderSize && data[0] >> 4 == 6)
        {
            if (Read16(data + IPv6PayloadLength) != length - IPv6HeaderSize)
                return false;
            protocol = data[IPv6NextHeader];
            packet.Transport = IPv6HeaderSize;
            packet.IsIPv6 = true;
        }
        else
        {
            return false;
        }

        if (protocol == ProtocolTcp)
            return packet.TryReadTcp(length);
        return protocol == ProtocolUdp && packet.TryReadUdp(length) && mergeUdp;
    }

    /// <summary>Whether this packet may follow another of the same flow in one super-packet: what is not rebuilt must be equal.</summary>
    /// <param name="first">The first packet of the super-packet.</param>
    /// <param name="index">Which packet of it this would be.</param>
    public readonly bool Continues(in FlowPacket first, int index)
    {
        if (Headers != first.Headers || IsTcp != first.IsTcp || IsIPv6 != first.IsIPv6)
            return false;
        byte* mine = Data, its = first.Data;
        if (IsIPv6)
        {
            // Version, traffic class, flow label; next header, hop limit, addresses.
            if (*(uint*)mine != *(uint*)its || !Equal(mine + 6, its + 6, IPv6HeaderSize - 6))
                return false;
        }
        else
        {
            // Version, IHL, TOS; flags and fragment offset, TTL, protocol; addresses.
            if (*(ushort*)mine != *(ushort*)its || *(uint*)(mine + IPv4Fragment) != *(uint*)(its + IPv4Fragment)
                || *(ulong*)(mine + 12) != *(ulong*)(its + 12))
                return false;
            // RFC 6864 §4.1: with DF set the identification means nothing; without it, cutting must give the same again.
            bool dontFragment = (mine[IPv4Fragment] & 0x40) != 0;
            if (!dontFragment && Read16(mine + IPv4Identification) != (ushort)(Read16(its + IPv4Identification) + index))
                return false;
        }
        mine += Transport;
        its += Transport;
        if (*(uint*)mine != *(uint*)its)
            return false;
        if (!IsTcp)
            return true;
        // Acknowledgement; window; options. Data offset and flags were compared by Headers and by TryReadTcp, PSH aside.
        return *(uint*)(mine + TcpAcknowledgement) == *(uint*)(its + TcpAcknowledgement)
            && *(ushort*)(mine + TcpWindow) == *(ushort*)(its + TcpWindow)
            && mine[TcpDataOffset] == its[TcpDataOffset]
            && Equal(mine + TcpHeaderSize, its + TcpHeaderSize, Headers - Transport - TcpHeaderSize);
    }

    private bool TryReadTcp(int length)
    {
        if (length < Transport + TcpHeaderSize)
            return false;
        byte* tcp = Data + Transport;
        IsTcp = true;
        SetHash(tcp, ProtocolTcp);
        Headers = Transport + ((tcp[TcpDataOffset] >> 4) * 4);
        Payload = length - Headers;
        Sequence = Read32(tcp + TcpSequence);
        IsPush = (tcp[TcpFlags] & Push) != 0;
        // SYN, FIN, RST, URG, ECE, CWR, reserved bits: such a segment travels alone.
        bool plain = (tcp[TcpFlags] & ~Push) == Acknowledge && (tcp[TcpDataOffset] & 15) == 0;
        return plain && Headers >= Transport + TcpHeaderSize && Payload > 0 && ChecksumsAreRight(ProtocolTcp, length);
    }

    private bool TryReadUdp(int length)
    {
        if (length < Transport + UdpHeaderSize)
            return false;
        byte* udp = Data + Transport;
        SetHash(udp, ProtocolUdp);
        Headers = Transport + UdpHeaderSize;
        Payload = length - Headers;
        // RFC 768: checksum 0 means none, and a super-packet's datagrams would all get one.
        return Payload > 0 && Read16(udp + UdpLength) == length - Transport && *(ushort*)(udp + UdpChecksum) != 0
            && ChecksumsAreRight(ProtocolUdp, length);
    }

    /// <summary>A packet that was damaged on its way must stay damaged: a super-packet's checksums are made anew.</summary>
    private readonly bool ChecksumsAreRight(byte protocol, int length)
    {
        int covered = length - Transport;
        if (!IsIPv6 && InternetChecksum.Fold(InternetChecksum.Sum(Data, IPv4HeaderSize)) != 0xFFFF)
            return false;
        ulong pseudo = IsIPv6
            ? InternetChecksum.PseudoHeaderIPv6(Data, protocol, covered)
            : InternetChecksum.PseudoHeaderIPv4(Data, protocol, covered);
        return InternetChecksum.Fold(pseudo + InternetChecksum.Sum(Data + Transport, covered)) == 0xFFFF;
    }

    private void SetHash(byte* transport, byte protocol)
    {
        ulong addresses = IsIPv6
            ? *(ulong*)(Data + 8) ^ (*(ulong*)(Data + 16) * 3) ^ (*(ulong*)(Data + 24) * 5) ^ (*(ulong*)(Data + 32) * 7)
            : *(ulong*)(Data + 12);
        ulong mixed = (addresses ^ ((ulong)*(uint*)transport << 16) ^ protocol) * 0x9E37_79B9_7F4A_7C15;
        FlowHash = (int)(mixed >> 32) | 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Equal(byte* left, byte* right, int length) =>
        new ReadOnlySpan<byte>(left, length).SequenceEqual(new ReadOnlySpan<byte>(right, length));
}
