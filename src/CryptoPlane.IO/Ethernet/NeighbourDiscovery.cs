using System.Runtime.CompilerServices;
using CryptoPlane.IO.Offload;

namespace CryptoPlane.IO.Ethernet;

/// <summary>Neighbour solicitations and advertisements of IPv6 (RFC 4861 §4.3, §4.4).</summary>
internal static unsafe class NeighbourDiscovery
{
    /// <summary>Bytes behind the Ethernet header of a message with one link-layer address option.</summary>
    public const int Size = HeaderFields.IPv6HeaderSize + BodySize + OptionSize;

    public const byte Solicitation = 135, Advertisement = 136;

    private const byte Icmp = 58, HopLimit = 255, SourceOption = 1, TargetOption = 2;
    private const int BodySize = 24, OptionSize = 8, Target = 8;
    private const byte SolicitedFlag = 0x40, OverrideFlag = 0x20;

    /// <summary>What a message says.</summary>
    public struct Message
    {
        public bool IsAdvertisement, IsSolicited, IsOverride;

        /// <summary>The link-layer address in its option; 0 where there is none.</summary>
        public ulong Mac;

        public LinkAddress Source, Target;
    }

    /// <summary>Whether an ICMPv6 type is one of neighbour discovery's (RFC 4861 §4): for the exception port, and perhaps for us.</summary>
    public static bool IsType(byte type) => type is >= 133 and <= 137;

    /// <summary>Reads a solicitation or an advertisement.</summary>
    /// <param name="packet">The IPv6 header, checked already, ICMPv6 behind it.</param>
    /// <param name="length">Bytes from there.</param>
    /// <param name="message">What it says.</param>
    /// <returns>False for what RFC 4861 §7.1 wants discarded, and for other messages.</returns>
    public static bool TryRead(byte* packet, int length, out Message message)
    {
        message = default;
        byte* icmp = packet + HeaderFields.IPv6HeaderSize;
        int size = length - HeaderFields.IPv6HeaderSize;
        // RFC 4861 §7.1: a hop limit below 255 comes from beyond the link.
        if (size < BodySize || packet[7] != HopLimit || icmp[0] is not (Solicitation or Advertisement) || icmp[1] != 0)
            return false;
        if (InternetChecksum.Fold(InternetChecksum.PseudoHeaderIPv6(packet, Icmp, size) + InternetChecksum.Sum(icmp, size)) != 0xFFFF)
            return false;
        message.IsAdvertisement = icmp[0] == Advertisement;
        message.IsSolicited = message.IsAdvertisement && (icmp[4] & SolicitedFlag) != 0;
        message.IsOverride = message.IsAdvertisement && (icmp[4] & OverrideFlag) != 0;
        message.Source = LinkAddress.IPv6(packet + 8);
        message.Target = LinkAddress.IPv6(icmp + Target);
        var destination = LinkAddress.IPv6(packet + 24);
        if (message.Target.IsGroup || message.Target.IsIPv4 || message.Source.IsGroup || (message.IsSolicited && destination.IsGroup))
            return false;
        // RFC 4861 §7.1.1, §7.1.2: who has no address yet asks solicited-node groups only, and advertises nothing.
        if (message.Source.IsZero && (message.IsAdvertisement || !destination.Equals(SolicitedNode(message.Target))))
            return false;
        return TryReadOption(icmp + BodySize, size - BodySize, message.IsAdvertisement ? TargetOption : SourceOption, out message.Mac)
            // RFC 4861 §7.1.1: who has no address yet names no link-layer address.
            && !(message.Source.IsZero && message.Mac != 0);
    }

    /// <summary>Writes a whole frame that asks for a neighbour, of <see cref="EthernetFrame.HeaderSize"/> + <see cref="Size"/> bytes.</summary>
    /// <param name="frame">Where.</param>
    /// <param name="destination">The neighbour's link-layer address, or 0 to ask its solicited-node group.</param>
    /// <param name="mac">Our own.</param>
    /// <param name="source">Our address.</param>
    /// <param name="target">The neighbour's.</param>
    public static void WriteSolicitation(byte* frame, ulong destination, ulong mac, LinkAddress source, LinkAddress target)
    {
        LinkAddress to = destination == 0 ? SolicitedNode(target) : target;
        Write(frame, destination == 0 ? EthernetFrame.MulticastIPv6((byte*)&to) : destination, mac, source, to, target, Solicitation, 0, SourceOption);
    }

    /// <summary>Writes a whole frame that tells our link-layer address, of as many bytes.</summary>
    public static void WriteAdvertisement(byte* frame, ulong destination, ulong mac, LinkAddress own, LinkAddress to, bool solicited) =>
        Write(frame, destination, mac, own, to, own, Advertisement, (byte)(OverrideFlag | (solicited ? SolicitedFlag : 0)), TargetOption);

    /// <summary>ff02::1:ffXX:XXXX (RFC 4291 §2.7.1).</summary>
    public static LinkAddress SolicitedNode(LinkAddress address)
    {
        byte* group = (byte*)&address;
        ReadOnlySpan<byte> prefix = [0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF];
        prefix.CopyTo(new Span<byte>(group, 16));
        return address;
    }

    /// <summary>ff02::1, all nodes on the link.</summary>
    public static LinkAddress AllNodes()
    {
        LinkAddress address = default;
        byte* group = (byte*)&address;
        group[0] = 0xFF;
        group[1] = 2;
        group[15] = 1;
        return address;
    }

    private static void Write(
        byte* frame, ulong destination, ulong mac, LinkAddress source, LinkAddress to, LinkAddress target, byte type, byte flags, byte option)
    {
        EthernetFrame.WriteHeader(frame, destination, mac, EthernetFrame.TypeIPv6);
        byte* packet = frame + EthernetFrame.HeaderSize;
        byte* icmp = packet + HeaderFields.IPv6HeaderSize;
        new Span<byte>(packet, Size).Clear();
        packet[0] = 0x60;
        HeaderFields.Write16(packet + HeaderFields.IPv6PayloadLength, BodySize + OptionSize);
        packet[HeaderFields.IPv6NextHeader] = Icmp;
        packet[7] = HopLimit;
        Unsafe.WriteUnaligned(packet + 8, source);
        Unsafe.WriteUnaligned(packet + 24, to);
        icmp[0] = type;
        icmp[4] = flags;
        Unsafe.WriteUnaligned(icmp + Target, target);
        icmp[BodySize] = option;
        icmp[BodySize + 1] = OptionSize / 8;
        EthernetFrame.WriteMac(icmp + BodySize + 2, mac);
        ushort checksum = InternetChecksum.Complement(
            InternetChecksum.PseudoHeaderIPv6(packet, Icmp, BodySize + OptionSize) + InternetChecksum.Sum(icmp, BodySize + OptionSize));
        Unsafe.WriteUnaligned(icmp + 2, checksum);
    }

    /// <summary>Finds a link-layer address among options (RFC 4861 §4.6); false if they do not parse.</summary>
    private static bool TryReadOption(byte* options, int length, byte wanted, out ulong mac)
    {
        mac = 0;
        while (length > 0)
        {
            // RFC 4861 §4.6: nodes discard a message with an option of length 0.
            int size = length < OptionSize ? 0 : options[1] * 8;
            if (size == 0 || size > length)
                return false;
            if (options[0] == wanted)
            {
                mac = EthernetFrame.ReadMac(options + 2);
                // RFC 2464 §6: with Ethernet's 6 bytes the option has 8.
                if (size != OptionSize || !EthernetFrame.IsStation(mac))
                    return false;
            }
            options += size;
            length -= size;
        }
        return true;
    }
}
