using System.Runtime.CompilerServices;

namespace CryptoPlane.Esp.Wire;

/// <summary>
/// What selectors look at in an inner packet (RFC 4301 §4.4.1.1): addresses, the protocol above IP, and its ports, as far as the packet
/// shows them.
/// </summary>
internal unsafe struct InnerFields
{
    /// <summary>No more extension headers of one packet are walked through; behind them its protocol counts as hidden.</summary>
    private const int MaxExtensionHeaders = 8;

    private const int FragmentHeader = 8;

    private const ushort IPv4OffsetBits = 0x1FFF;
    private const ushort IPv6OffsetBits = 0xFFF8;

    /// <summary>As numbers; an IPv4 address has its 32 bits.</summary>
    public UInt128 Source, Destination;

    public bool IsIPv6;

    /// <summary>The protocol above IP; -1 where the packet hides it.</summary>
    public short Protocol;

    /// <summary>Whether <see cref="SourcePort"/> and <see cref="DestinationPort"/>, or <see cref="SourcePort"/> alone, hold something.</summary>
    public PortFields Ports;

    /// <summary>The source port, or the one value of a protocol that has one: ICMP's type and code, a Mobility Header's type.</summary>
    public ushort SourcePort;

    public ushort DestinationPort;

    /// <summary>Bytes of the fragmented payload before what this packet carries of it; 0 for a whole packet and a first fragment.</summary>
    public int FragmentOffset;

    /// <summary>Reads a packet that <see cref="InnerPacket.TryMeasure"/> has measured, and nothing beyond its length.</summary>
    public static void Read(byte* packet, int length, out InnerFields fields)
    {
        fields = default;
        if (packet[0] >> 4 == 4)
        {
            fields.Source = NetworkOrder.From(*(uint*)(packet + 12));
            fields.Destination = NetworkOrder.From(*(uint*)(packet + 16));
            fields.FragmentOffset = (NetworkOrder.From(*(ushort*)(packet + 6)) & IPv4OffsetBits) * 8;
            fields.Protocol = packet[9];
            // Sound: a measured packet is as long as its header at least.
            int header = (packet[0] & 0x0F) * 4;
            fields.ReadPorts(packet + header, length - header);
            return;
        }
        fields.IsIPv6 = true;
        fields.Source = Address(packet + 8);
        fields.Destination = Address(packet + 24);
        int offset = fields.SkipExtensionHeaders(packet, length);
        if (fields.Protocol >= 0)
            fields.ReadPorts(packet + offset, length - offset);
    }

    /// <summary>An IPv6 address as a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static UInt128 Address(byte* address) =>
        new(NetworkOrder.From(*(ulong*)address), NetworkOrder.From(*(ulong*)(address + 8)));

    /// <summary>
    /// Finds the protocol behind the extension headers that RFC 4301 §4.4.1.1 has skipped: hop-by-hop options, routing, fragment and
    /// destination options.
    /// </summary>
    /// <returns>Where its header begins, at most <paramref name="length"/>, if <see cref="Protocol"/> is not -1 then.</returns>
    private int SkipExtensionHeaders(byte* packet, int length)
    {
        byte next = packet[6];
        int offset = EspOverhead.IPv6;
        for (int headers = 0; ; headers++)
        {
            if (!IpProtocol.IsSkippedExtension(next))
            {
                Protocol = next;
                return offset;
            }
            Protocol = -1;
            // Behind a fragment that is not the first lies no header: what its fragment header names, an extension here, is elsewhere.
            if (headers == MaxExtensionHeaders || FragmentOffset != 0 || length - offset < FragmentHeader)
                return offset;
            int size = next == IpProtocol.IPv6Fragment ? FragmentHeader : 8 * (packet[offset + 1] + 1);
            if (size > length - offset)
                return offset;
            if (next == IpProtocol.IPv6Fragment)
                FragmentOffset = NetworkOrder.From(*(ushort*)(packet + offset + 2)) & IPv6OffsetBits;
            next = packet[offset];
            offset += size;
        }
    }

    /// <summary>Reads ports, or what stands for them, if the packet holds the beginning of the protocol's header.</summary>
    private void ReadPorts(byte* header, int length)
    {
        if (FragmentOffset != 0)
            return;
        switch (Protocol)
        {
            case IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Dccp or IpProtocol.Sctp or IpProtocol.UdpLite when length >= 4:
                SourcePort = NetworkOrder.From(*(ushort*)header);
                DestinationPort = NetworkOrder.From(*(ushort*)(header + 2));
                Ports = PortFields.Two;
                break;
            case IpProtocol.Icmp or IpProtocol.IcmpV6 when length >= 2:
                SourcePort = NetworkOrder.From(*(ushort*)header);
                Ports = PortFields.One;
                break;
            case IpProtocol.MobilityHeader when length >= 3:
                SourcePort = (ushort)(header[2] << 8);
                Ports = PortFields.One;
                break;
            default:
                break;
        }
    }
}

/// <summary>What a packet shows of ports.</summary>
internal enum PortFields : byte
{
    /// <summary>Nothing: its protocol has none, it is a fragment behind the first, or it is cut short.</summary>
    None = 0,

    /// <summary>One value, which is the sender's affair alone (RFC 4301 §4.4.1.3): ICMP's type and code, a Mobility Header's type.</summary>
    One = 1,

    /// <summary>A source and a destination port.</summary>
    Two = 2,
}
