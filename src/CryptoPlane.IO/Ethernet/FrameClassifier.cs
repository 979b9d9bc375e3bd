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
}

/// <summary>Looks at the headers of a received frame, as far as it takes to know whose it is.</summary>
internal sealed unsafe class FrameClassifier
{
    private const byte ProtocolIcmp = 1, ProtocolEsp = 50, ProtocolIcmpV6 = 58;
    private const int FragmentBits = 0x3FFF; // more fragments, and the offset

    private readonly NextHops _hops;
    private readonly ulong _mac;
    private readonly bool _inside;
    private readonly ushort[] _udpPorts;

    public FrameClassifier(EthernetIpOptions options, NextHops hops, ulong mac)
    {
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
        int available = frame->Length - EthernetFrame.HeaderSize;
        return HeaderFields.Read16(data + EthernetFrame.Type) switch
        {
            EthernetFrame.TypeIPv4 => ClassifyIPv4(data + EthernetFrame.HeaderSize, available, frame->Flags, toUs, out length, out reason),
            EthernetFrame.TypeIPv6 => ClassifyIPv6(data + EthernetFrame.HeaderSize, available, toUs, out length, out reason),
            EthernetFrame.TypeArp => FrameClass.Arp,
            _ => FrameClass.Exception,
        };
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
        if (_hops.IsOwn(LinkAddress.IPv4(packet + 12)))
        {
            reason = EthernetDrop.OwnSource;
            return FrameClass.Drop;
        }
        var destination = LinkAddress.IPv4(packet + 16);
        bool own = _hops.IsOwn(in destination);
        if (!toUs || destination.IsGroup)
            return FrameClass.Exception;
        if (!own)
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
        if (_hops.IsOwn(LinkAddress.IPv6(packet + 8)))
        {
            reason = EthernetDrop.OwnSource;
            return FrameClass.Drop;
        }
        byte next = packet[HeaderFields.IPv6NextHeader];
        byte* payload = packet + HeaderFields.IPv6HeaderSize;
        int payloadLength = length - HeaderFields.IPv6HeaderSize;
        if (next == ProtocolIcmpV6 && payloadLength > 0 && NeighbourDiscovery.IsType(*payload))
            return FrameClass.NeighbourDiscovery;
        var destination = LinkAddress.IPv6(packet + 24);
        if (!toUs || destination.IsGroup)
            return FrameClass.Exception;
        if (!_hops.IsOwn(in destination))
            return _inside && !destination.IsIPv6LinkLocal ? FrameClass.Deliver : FrameClass.Exception;
        // RFC 8200 §4: extension headers, fragments among them, are the kernel's affair: no gateway puts them before ESP.
        return next == ProtocolIcmpV6 ? FrameClass.OwnIcmp : ClassifyTunnel(next, payload, payloadLength);
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
        // RFC 3948 §2.2, §2.3: four zero bytes begin an IKE message, and a single byte keeps a NAT's mapping.
        bool esp = datagram >= HeaderFields.UdpHeaderSize + sizeof(uint) && datagram <= length && HeaderFields.Read32(data + HeaderFields.UdpHeaderSize) != 0;
        return esp && Array.IndexOf(_udpPorts, HeaderFields.Read16(data + 2)) >= 0 ? FrameClass.Deliver : FrameClass.Exception;
    }
}
