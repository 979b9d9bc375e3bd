using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;

namespace CryptoPlane.IO.Tests.Ethernet;

/// <summary>Builds Ethernet frames byte by byte, without the code under test.</summary>
internal static class FrameForge
{
    public const string Broadcast = "FF-FF-FF-FF-FF-FF";
    public const byte Icmp = 1, Tcp = 6, Udp = 17, Esp = 50, IcmpV6 = 58;
    public const ushort TypeIPv4 = 0x0800, TypeArp = 0x0806, TypeVlan = 0x8100, TypeIPv6 = 0x86DD, TypeServiceVlan = 0x88A8;

    /// <summary>A frame of the type that its payload's version says.</summary>
    public static byte[] Ip(string destination, string source, byte[] packet) =>
        Frame(destination, source, packet[0] >> 4 == 4 ? TypeIPv4 : TypeIPv6, packet);

    public static byte[] Frame(string destination, string source, ushort type, byte[] payload) => [.. Mac(destination), .. Mac(source), .. Number(type), .. payload];

    /// <summary>Puts a VLAN tag into a frame.</summary>
    public static byte[] Tag(byte[] frame, ushort control, ushort type = TypeVlan) => [.. frame[..12], .. Number(type), .. Number(control), .. frame[12..]];

    /// <summary>An ARP frame; the sender is also the source.</summary>
    public static byte[] Arp(ushort operation, string destination, string senderMac, string sender, string targetMac, string target) =>
        Frame(destination, senderMac, TypeArp, [
            0, 1, 8, 0, 6, 4, .. Number(operation), .. Mac(senderMac), .. Address(sender), .. Mac(targetMac), .. Address(target)]);

    /// <summary>A neighbour solicitation (135) or advertisement (136).</summary>
    /// <param name="type">Which of them.</param>
    /// <param name="destination">The frame's.</param>
    /// <param name="source">The frame's.</param>
    /// <param name="from">The packet's.</param>
    /// <param name="to">The packet's.</param>
    /// <param name="target">Whose address is meant.</param>
    /// <param name="mac">In the option; null for none.</param>
    /// <param name="flags">0x40: solicited, 0x20: override.</param>
    /// <param name="hopLimit">255, unless it comes from far away.</param>
    public static byte[] Neighbour(
        byte type, string destination, string source, string from, string to, string target, string? mac, byte flags = 0, byte hopLimit = 255)
    {
        byte[] option = mac == null ? [] : [(byte)(type == 135 ? 1 : 2), 1, .. Mac(mac)];
        byte[] packet = IPv6(from, to, IcmpV6, [type, 0, 0, 0, flags, 0, 0, 0, .. Address(target), .. option], hopLimit);
        byte[] frame = Frame(destination, source, TypeIPv6, packet);
        MendChecksums(frame);
        return frame;
    }

    /// <summary>An echo request of either version.</summary>
    public static byte[] Echo(string from, string to, int length)
    {
        bool isV4 = !from.Contains(':');
        byte[] message = [(byte)(isV4 ? 8 : 128), 0, 0, 0, 0x12, 0x34, 0, 1, .. Bytes(length)];
        if (!isV4)
            return IPv6(from, to, IcmpV6, message);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), Checksum(message));
        return IPv4(from, to, Icmp, message);
    }

    public static byte[] IPv4(string from, string to, byte protocol, byte[] payload, ushort fragment = 0x4000, byte[]? options = null)
    {
        byte[] some = options ?? [];
        byte[] packet = [
            (byte)(0x45 + (some.Length / 4)), 0, .. Number(20 + some.Length + payload.Length), 0, 7, .. Number(fragment), 64, protocol, 0, 0,
            .. Address(from), .. Address(to), .. some, .. payload];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), Checksum(packet.AsSpan(0, 20 + some.Length)));
        return packet;
    }

    public static byte[] IPv6(string from, string to, byte next, byte[] payload, byte hopLimit = 64)
    {
        byte[] packet = [0x60, 0, 0, 0, .. Number(payload.Length), next, hopLimit, .. Address(from), .. Address(to), .. payload];
        if (next == IcmpV6 && payload.Length >= 4)
            MendIcmp(packet);
        return packet;
    }

    /// <summary>A UDP datagram without a checksum.</summary>
    public static byte[] UdpDatagram(int from, int to, byte[] payload) => [.. Number(from), .. Number(to), .. Number(8 + payload.Length), 0, 0, .. payload];

    /// <summary>An ESP packet: SPI, sequence number, and bytes that nobody here opens.</summary>
    public static byte[] EspPacket(int length) => [0, 0, 0x10, 0x01, 0, 0, 0, 1, .. Bytes(length)];

    /// <summary>Makes the checksums of a changed frame right again, as far as its lengths allow.</summary>
    public static void MendChecksums(byte[] frame)
    {
        if (frame.Length < 14 + 20)
            return;
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12));
        Span<byte> packet = frame.AsSpan(14);
        int header = (packet[0] & 15) * 4;
        if (type == TypeIPv4 && header >= 20 && header <= packet.Length)
        {
            packet[10] = packet[11] = 0;
            BinaryPrimitives.WriteUInt16BigEndian(packet[10..], Checksum(packet[..header]));
        }
        if (type != TypeIPv6 || packet.Length < 44 || packet[6] != IcmpV6)
            return;
        int length = BinaryPrimitives.ReadUInt16BigEndian(packet[4..]);
        if (length >= 4 && 40 + length <= packet.Length)
            MendIcmp(packet[..(40 + length)]);
    }

    /// <summary>The Internet checksum (RFC 1071), as a number of the wire's order.</summary>
    public static ushort Checksum(ReadOnlySpan<byte> data, uint sum = 0)
    {
        for (int i = 0; i < data.Length; i += 2)
            sum += (uint)((data[i] << 8) | (i + 1 < data.Length ? data[i + 1] : 0));
        while (sum >> 16 != 0)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }

    /// <summary>Bytes that are none of zero.</summary>
    private static byte[] Bytes(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(1 + (i % 255)))];

    private static void MendIcmp(Span<byte> packet)
    {
        packet[42] = packet[43] = 0;
        ushort addresses = (ushort)~Checksum(packet[8..40]);
        ushort sum = Checksum(packet[40..], (uint)(addresses + (packet.Length - 40) + IcmpV6));
        BinaryPrimitives.WriteUInt16BigEndian(packet[42..], sum);
    }

    private static byte[] Mac(string mac) => PhysicalAddress.Parse(mac).GetAddressBytes();

    private static byte[] Address(string address) => IPAddress.Parse(address).GetAddressBytes();

    private static byte[] Number(int value) => [(byte)(value >> 8), (byte)value];
}
