using System.Runtime.CompilerServices;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Offload;

namespace CryptoPlane.IO.Ethernet;

/// <summary>
/// Makes answers for our own addresses where no exception port has a kernel behind it: ARP replies, neighbour advertisements, echo
/// replies. A request becomes its answer in its own buffer.
/// </summary>
internal sealed unsafe class LocalResponder
{
    private const byte EchoRequest = 8, EchoReply = 0, EchoRequestV6 = 128, EchoReplyV6 = 129, ProtocolIcmpV6 = 58, HopLimit = 64;

    private readonly NextHops _hops;
    private readonly ulong _mac;

    public LocalResponder(NextHops hops, ulong mac)
    {
        _hops = hops;
        _mac = mac;
    }

    /// <summary>Answers a request for one of our addresses; false if it is none.</summary>
    public bool TryAnswer(PacketBuffer* frame, in Arp.Message message)
    {
        // Who uses our own addresses is not answered: see NeighbourResolver for conflicts.
        if (message.IsReply || !_hops.IsOwn(in message.Target) || _hops.IsOwn(in message.Sender) || message.SenderMac == _mac)
            return false;
        frame->TrySetLength(EthernetFrame.HeaderSize + Arp.Size);
        Arp.Write(frame->Data, Arp.Reply, message.SenderMac, _mac, message.Target, message.SenderMac, message.Sender);
        return true;
    }

    /// <summary>Answers a solicitation for one of our addresses; false if it is none, or there is no room.</summary>
    public bool TryAnswer(PacketBuffer* frame, in NeighbourDiscovery.Message message)
    {
        const int size = EthernetFrame.HeaderSize + NeighbourDiscovery.Size;
        if (message.IsAdvertisement || !_hops.IsOwn(in message.Target) || _hops.IsOwn(in message.Source) || message.Mac == _mac)
            return false;
        ulong asker = EthernetFrame.ReadMac(frame->Data + EthernetFrame.Source);
        if (!EthernetFrame.IsStation(asker) || !frame->TrySetLength(size))
            return false;
        // RFC 4861 §7.2.4: who has no address yet (duplicate address detection) is answered by the group of all nodes.
        LinkAddress to = message.Source.IsZero ? NeighbourDiscovery.AllNodes() : message.Source;
        ulong mac = message.Source.IsZero ? EthernetFrame.MulticastIPv6((byte*)&to) : message.Mac != 0 ? message.Mac : asker;
        NeighbourDiscovery.WriteAdvertisement(frame->Data, mac, _mac, message.Target, to, solicited: !message.Source.IsZero);
        return true;
    }

    /// <summary>Answers an echo request, its IP header checked and for us; false if it is another message, or its checksum is wrong.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="length">Bytes of the IP packet.</param>
    public bool TryAnswerEcho(PacketBuffer* frame, int length)
    {
        byte* packet = frame->Data + EthernetFrame.HeaderSize;
        bool isV4 = packet[0] >> 4 == 4;
        int header = isV4 ? (packet[0] & 15) * 4 : HeaderFields.IPv6HeaderSize;
        byte* icmp = packet + header;
        int size = length - header;
        ulong asker = EthernetFrame.ReadMac(frame->Data + EthernetFrame.Source);
        // RFC 1122 §3.2.2.6 and RFC 4443 §4.1: a header of 8 bytes. Options are not sent back.
        if (size < 8 || icmp[0] != (isV4 ? EchoRequest : EchoRequestV6) || icmp[1] != 0
            || (isV4 && header != HeaderFields.IPv4HeaderSize) || !EthernetFrame.IsStation(asker))
        {
            return false;
        }
        ulong pseudo = isV4 ? 0 : InternetChecksum.PseudoHeaderIPv6(packet, ProtocolIcmpV6, size);
        if (InternetChecksum.Fold(pseudo + InternetChecksum.Sum(icmp, size)) != 0xFFFF)
            return false;
        frame->TrySetLength(EthernetFrame.HeaderSize + length);
        EthernetFrame.WriteMac(frame->Data, asker);
        EthernetFrame.WriteMac(frame->Data + EthernetFrame.Source, _mac);
        if (isV4)
        {
            Swap(packet + 12, packet + 16, 4);
            packet[8] = HopLimit;
            HeaderFields.WriteIPv4Checksum(packet, header);
        }
        else
        {
            // The pseudo-header's sum stays as it is.
            Swap(packet + 8, packet + 24, 16);
            packet[7] = HopLimit;
        }
        icmp[0] = isV4 ? EchoReply : EchoReplyV6;
        Unsafe.WriteUnaligned(icmp + 2, (ushort)0);
        Unsafe.WriteUnaligned(icmp + 2, InternetChecksum.Complement(pseudo + InternetChecksum.Sum(icmp, size)));
        return true;
    }

    private static void Swap(byte* first, byte* second, int length)
    {
        for (int i = 0; i < length; i++)
            (first[i], second[i]) = (second[i], first[i]);
    }
}
