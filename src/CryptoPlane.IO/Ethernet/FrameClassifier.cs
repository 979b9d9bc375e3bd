using CryptoPlane.Buffers;
using CryptoPlane.IO.Offload;

namespace CryptoPlane.IO.Ethernet;

/// <summary>What is to be done with a received frame.</summary>
internal enum FrameClass : byte
{
    /// <summary>Dropped, for a reason.</summary>
    Drop = 0,

    /// <summary>An IP packet for the lcore.</summary>
    Deliver,

    /// <summary>An ARP message.</summary>
    Arp,

    /// <summary>A message of IPv6 neighbour discovery, its header checked.</summary>
    NeighbourDiscovery,

    /// <summary>ICMP or ICMPv6 to one of our addresses.</summary>
    OwnIcmp,

    /// <summary>For the kernel, if there is an exception port.</summary>
    Exception,

    /// <summary>With the tag of VLAN 0, which says a priority only: to be looked at without it.</summary>
    PriorityTagged,
}

/// <summary>Looks at the headers of a received frame, as far as it takes to know whose it is.</summary>
internal sealed unsafe class FrameClassifier
{
    private const byte ProtocolIcmp = 1, ProtocolEsp = 50, ProtocolIcmpV6 = 58;
    private const int FragmentBits = 0x3FFF; // more fragments, and the offset
    private const int VlanNumber = 0x0FFF;

    private readonly NextHops _hops;
    private readonly ulong _mac;
    private readonly bool _inside, _tagsWanted;
    private readonly ushort[] _udpPorts;

    /// <param name="options">The port's.</param>
    /// <param name="hops">Our addresses.</param>
    /// <param name="mac">Our Ethernet address.</param>
    /// <param name="tagsWanted">Whether somebody takes frames with a VLAN tag.</param>
    public FrameClassifier(EthernetIpOptions options, NextHops hops, ulong mac, bool tagsWanted)
    {
        _tagsWanted = tagsWanted;
        _hops = hops;
        _mac = mac;
        _inside = options.Role == EthernetRole.Inside;
        _udpPorts = [.. options.EspUdpPorts.Select(port => (ushort)port)];
    }

    /// <summary>Decides about a frame; changes nothing.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="length">For IP packets: bytes behind the Ethernet header, without its padding.</param>
    /// <param name="reason">For <see cref="FrameClass.Drop"/>.</param>
    public FrameClass Classify(PacketBuffer* frame, out int length, out EthernetDrop reason)
    {
        length = 0;
        reason = EthernetDrop.Truncated;
        if (frame->Length < EthernetFrame.HeaderSize)
            return FrameClass.Drop;
        byte* data = frame->Data;
        ulong destination = EthernetFrame.ReadMac(data);
        bool toUs = destination == _mac;
        if (!toUs && !EthernetFrame.IsGroup(destination))
        {
            reason = EthernetDrop.OtherStation;
            return FrameClass.Drop;
        }
        if (EthernetFrame.ReadMac(data + EthernetFrame.Source) == _mac)
        {
            reason = EthernetDrop.OwnSource;
            return FrameClass.Drop;
        }
        int available = frame->Length - EthernetFrame.HeaderSize;
        return HeaderFields.Read16(data + EthernetFrame.Type) switch
        {
            EthernetFrame.TypeIPv4 => ClassifyIPv4(data + EthernetFrame.HeaderSize, available, frame->Flags, toUs, out length, out reason),
            EthernetFrame.TypeIPv6 => ClassifyIPv6(data + EthernetFrame.HeaderSize, available, toUs, out length, out reason),
            EthernetFrame.TypeArp => FrameClass.Arp,
            EthernetFrame.TypeVlan or EthernetFrame.TypeServiceVlan => ClassifyTagged(data + EthernetFrame.HeaderSize, available, out reason),
            _ => FrameClass.Exception,
        };
    }

    /// <summary>A frame with a VLAN tag, whose number and the next type follow.</summary>
    private FrameClass ClassifyTagged(byte* tag, int available, out EthernetDrop reason)
    {
        reason = EthernetDrop.Truncated;
        if (available < EthernetFrame.TagSize)
            return FrameClass.Drop;
        // IEEE 802.1Q §6.9: a frame of VLAN 0 is of no VLAN. A second tag makes it another network's.
        bool isPriority = (HeaderFields.Read16(tag) & VlanNumber) == 0
            && HeaderFields.Read16(tag + 2) is not (EthernetFrame.TypeVlan or EthernetFrame.TypeServiceVlan);
        reason = EthernetDrop.Tagged;
        return isPriority ? FrameClass.PriorityTagged : _tagsWanted ? FrameClass.Exception : FrameClass.Drop;
    }

    private FrameClass ClassifyIPv4(byte* packet, int available, PacketFlags flags, bool toUs, out int length, out EthernetDrop reason)
    {
        length = 0;
        reason = EthernetDrop.Truncated;
        if (available < HeaderFields.IPv4HeaderSize)
            return FrameClass.Drop;
        int header = (packet[0] & 15) * 4;
        length = HeaderFields.Read16(packet + HeaderFields.IPv4TotalLength);
        if (length > available)
            return FrameClass.Drop;
        reason = EthernetDrop.Malformed;
        if (packet[0] >> 4 != 4 || header < HeaderFields.IPv4HeaderSize || length < header)
            return FrameClass.Drop;
        reason = EthernetDrop.Checksum;
        if ((flags & PacketFlags.IpChecksumBad) != 0
            || ((flags & PacketFlags.IpChecksumGood) == 0 && InternetChecksum.Fold(InternetChecksum.Sum(packet, header)) != 0xFFFF))
        {
            return FrameClass.Drop;
        }
        LinkAddress source = LinkAddress.IPv4(packet + 12), destination = LinkAddress.IPv4(packet + 16);
        if (!source.IsStation || !destination.IsStation)
            return ClassifyUnusual(in source, in destination, out reason);
        reason = EthernetDrop.OwnSource;
        if (_hops.IsOwn(in source))
            return FrameClass.Drop;
        // RFC 1122 §3.3.6: what was sent to a group of stations is no tunnel's.
        if (!toUs)
            return FrameClass.Exception;
        if (!_hops.IsOwn(in destination))
            return _inside ? FrameClass.Deliver : FrameClass.Exception;
        // A fragment's SPI or ports may be in another one, and nothing here puts fragments together.
        if ((HeaderFields.Read16(packet + HeaderFields.IPv4Fragment) & FragmentBits) != 0)
            return FrameClass.Exception;
        byte protocol = packet[HeaderFields.IPv4Protocol];
        return protocol == ProtocolIcmp ? FrameClass.OwnIcmp : ClassifyTunnel(protocol, packet + header, length - header);
    }

    private FrameClass ClassifyIPv6(byte* packet, int available, bool toUs, out int length, out EthernetDrop reason)
    {
        length = 0;
        reason = EthernetDrop.Truncated;
        if (available < HeaderFields.IPv6HeaderSize)
            return FrameClass.Drop;
        length = HeaderFields.IPv6HeaderSize + HeaderFields.Read16(packet + HeaderFields.IPv6PayloadLength);
        if (length > available)
            return FrameClass.Drop;
        reason = EthernetDrop.Malformed;
        if (packet[0] >> 4 != 6)
            return FrameClass.Drop;
        LinkAddress source = LinkAddress.IPv6(packet + 8), destination = LinkAddress.IPv6(packet + 24);
        // RFC 4942 §2.2: IPv4-mapped addresses are not for the wire.
        if (source.IsIPv4 || destination.IsIPv4)
            return FrameClass.Drop;
        byte next = packet[HeaderFields.IPv6NextHeader];
        byte* payload = packet + HeaderFields.IPv6HeaderSize;
        int payloadLength = length - HeaderFields.IPv6HeaderSize;
        if (next == ProtocolIcmpV6 && payloadLength > 0 && NeighbourDiscovery.IsType(*payload))
        {
            // Before the look at its source: another's advertisement of our address is how the kernel detects a duplicate (RFC 4862 §5.4).
            return FrameClass.NeighbourDiscovery;
        }
        if (!source.IsStation || !destination.IsStation)
            return ClassifyUnusual(in source, in destination, out reason);
        reason = EthernetDrop.OwnSource;
        if (_hops.IsOwn(in source))
            return FrameClass.Drop;
        if (!toUs)
            return FrameClass.Exception;
        // RFC 4291 §2.5.6: no router forwards from or to link-local addresses.
        if (!_hops.IsOwn(in destination))
            return _inside && !destination.IsIPv6LinkLocal && !source.IsIPv6LinkLocal ? FrameClass.Deliver : FrameClass.Exception;
        // RFC 8200 §4: extension headers, fragments among them, are the kernel's affair: no gateway puts them before ESP.
        return next == ProtocolIcmpV6 ? FrameClass.OwnIcmp : ClassifyTunnel(next, payload, payloadLength);
    }

    /// <summary>A packet to a group, or from somebody who has no address yet, unless it cannot be (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3, §2.7).</summary>
    private FrameClass ClassifyUnusual(in LinkAddress source, in LinkAddress destination, out EthernetDrop reason)
    {
        reason = EthernetDrop.Malformed;
        if (source.IsGroup || source.IsLoopback || destination.IsLoopback)
            return FrameClass.Drop;
        reason = EthernetDrop.OwnSource;
        return _hops.IsOwn(in source) ? FrameClass.Drop : FrameClass.Exception;
    }

    /// <summary>What was sent to one of our addresses, behind its IP header.</summary>
    private FrameClass ClassifyTunnel(byte protocol, byte* data, int length)
    {
        if (_inside)
            return FrameClass.Exception;
        if (protocol == ProtocolEsp)
            return FrameClass.Deliver;
        if (protocol != HeaderFields.ProtocolUdp || length < HeaderFields.UdpHeaderSize + sizeof(uint))
            return FrameClass.Exception;
        int datagram = HeaderFields.Read16(data + HeaderFields.UdpLength);
        // The UDP checksum is not looked at: RFC 3948 §2.1 leaves it out, and ESP's own check covers more.
        // RFC 3948 §2.2, §2.3: four zero bytes begin an IKE message, and a single byte keeps a NAT's mapping.
        bool esp = datagram >= HeaderFields.UdpHeaderSize + sizeof(uint) && datagram <= length
            && HeaderFields.Read32(data + HeaderFields.UdpHeaderSize) != 0;
        return esp && Array.IndexOf(_udpPorts, HeaderFields.Read16(data + 2)) >= 0 ? FrameClass.Deliver : FrameClass.Exception;
    }
}
