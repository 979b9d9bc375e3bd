using System.Buffers.Binary;
using System.Net;

namespace VpnBroker.Tests.DataPlane.Policy;

/// <summary>Packets with every header that may stand before ports, some of them to port 443, to be cut and changed; and a reader of its own of what passed.</summary>
internal static class MalformedPackets
{
    private const byte Tcp = 6;

    public static IEnumerable<byte[]> All(string source4, string destination4, string source6, string destination6)
    {
        foreach (ushort port in new ushort[] { 443, 22 })
        {
            byte[] tcp = Segment(port), udp = Datagram(port);
            yield return IPv4(source4, destination4, Tcp, [], tcp);
            yield return IPv4(source4, destination4, Tcp, [0x07, 0x0B, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0], tcp);
            yield return IPv4(source4, destination4, 17, [], udp);
            yield return IPv4(source4, destination4, Tcp, [], tcp, fragment: 0x2000, id: (ushort)(port + 1));
            yield return IPv4(source4, destination4, Tcp, [], new byte[32], fragment: 10, id: (ushort)(port + 1));
            yield return IPv4(source4, destination4, Tcp, [], tcp, fragment: 10, id: (ushort)(port + 2));
            yield return IPv4(source4, destination4, Tcp, [], tcp, fragment: 1, id: (ushort)(port + 3));
            yield return IPv4(source4, destination4, 41, [], tcp);
            yield return IPv6(source6, destination6, Tcp, tcp);
            yield return IPv6(source6, destination6, 0, [60, 0, 1, 4, 0, 0, 0, 0, Tcp, 1, 1, 12, .. new byte[12], .. tcp]);
            yield return IPv6(source6, destination6, 43, [Tcp, 0, 0, 0, 0, 0, 0, 0, .. tcp]);
            yield return IPv6(source6, destination6, 44, [Tcp, 0, 0, 1, 0, 0, 0, 9, .. tcp]);
            yield return IPv6(source6, destination6, 44, [Tcp, 0, 0, 80, 0, 0, 0, 10, .. tcp]);
            yield return IPv6(source6, destination6, 60, [.. Enumerable.Range(0, 9).SelectMany(i => new byte[] { i == 8 ? Tcp : (byte)60, 0, 1, 4, 0, 0, 0, 0 }), .. tcp]);
            yield return IPv6(source6, destination6, 51, [Tcp, 4, 0, 0, 0, 0, 0, 1, .. new byte[16], .. tcp]);
            yield return IPv6(source6, destination6, 59, tcp);
        }
    }

    /// <summary>The packet's first bytes, with lengths and checksum that fit, so that the cut is seen behind the IP header.</summary>
    public static byte[] Cut(byte[] packet, int length)
    {
        byte[] cut = packet[..length];
        if (cut[0] >> 4 == 6)
        {
            if (length >= 40)
                BinaryPrimitives.WriteUInt16BigEndian(cut.AsSpan(4), (ushort)(length - 40));
            return cut;
        }
        BinaryPrimitives.WriteUInt16BigEndian(cut.AsSpan(2), (ushort)length);
        if ((cut[0] & 15) * 4 <= length)
            InnerPackets.FixHeaderChecksum(cut);
        return cut;
    }

    /// <summary>Whether a packet is TCP to port 443, or a later fragment of one whose first fragment was.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="firsts">The first fragments so far.</param>
    public static bool IsTcpTo443(byte[] packet, HashSet<string> firsts)
    {
        bool isIPv6 = packet[0] >> 4 == 6;
        string ends = Convert.ToHexString(isIPv6 ? packet.AsSpan(8, 32) : packet.AsSpan(12, 8));
        int at = isIPv6 ? 40 : (packet[0] & 15) * 4;
        byte protocol = isIPv6 ? packet[6] : packet[9];
        int offset = isIPv6 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(6)) & 0x1FFF;
        bool isFragment = !isIPv6 && (BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(6)) & 0x3FFF) != 0;
        string id = isIPv6 ? "" : Convert.ToHexString(packet.AsSpan(4, 2));
        while (isIPv6 && protocol is 0 or 43 or 44 or 51 or 60 or 135)
        {
            if (at + 8 > packet.Length)
                return false;
            byte next = packet[at];
            if (protocol == 44)
            {
                isFragment = true;
                offset = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(at + 2)) >> 3;
                id = Convert.ToHexString(packet.AsSpan(at + 4, 4));
                at += 8;
                protocol = next;
                if (offset != 0)
                    break;
                continue;
            }
            at += protocol == 51 ? (packet[at + 1] + 2) * 4 : (packet[at + 1] + 1) * 8;
            protocol = next;
        }
        if (offset != 0)
            return firsts.Contains(ends + id);
        bool is443 = protocol == Tcp && at + 4 <= packet.Length && BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(at + 2)) == 443;
        if (is443 && isFragment)
            firsts.Add(ends + id);
        return is443;
    }

    private static byte[] IPv4(string source, string destination, byte protocol, byte[] options, byte[] upper, int fragment = 0, ushort id = 1)
    {
        byte[] packet = [.. new byte[20], .. options, .. upper];
        packet[0] = (byte)(0x40 | ((20 + options.Length) / 4));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), id);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)fragment);
        packet[8] = 64;
        packet[9] = protocol;
        IPAddress.Parse(source).TryWriteBytes(packet.AsSpan(12), out _);
        IPAddress.Parse(destination).TryWriteBytes(packet.AsSpan(16), out _);
        InnerPackets.FixHeaderChecksum(packet);
        return packet;
    }

    private static byte[] IPv6(string source, string destination, byte next, byte[] payload)
    {
        byte[] packet = [.. new byte[40], .. payload];
        packet[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)payload.Length);
        packet[6] = next;
        packet[7] = 64;
        IPAddress.Parse(source).TryWriteBytes(packet.AsSpan(8), out _);
        IPAddress.Parse(destination).TryWriteBytes(packet.AsSpan(24), out _);
        return packet;
    }

    private static byte[] Segment(ushort port)
    {
        byte[] tcp = new byte[28];
        BinaryPrimitives.WriteUInt16BigEndian(tcp, 50000);
        BinaryPrimitives.WriteUInt16BigEndian(tcp.AsSpan(2), port);
        tcp[12] = 0x50;
        tcp[13] = 0x02;
        return tcp;
    }

    private static byte[] Datagram(ushort port)
    {
        byte[] udp = new byte[16];
        BinaryPrimitives.WriteUInt16BigEndian(udp, 50000);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(2), port);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(4), (ushort)udp.Length);
        return udp;
    }
}
