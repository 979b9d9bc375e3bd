using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace VpnBroker.Tests.DataPlane;

/// <summary>TCP segments in IPv4 and IPv6 packets as a host sends them: with right checksums, which are computed here byte by byte.</summary>
internal static class TcpPackets
{
    public static byte[] Make(string from, string to, ushort fromPort, ushort toPort, int flags, uint sequence, uint acknowledgement = 0, int payload = 0)
    {
        IPAddress source = IPAddress.Parse(from), destination = IPAddress.Parse(to);
        bool isIPv4 = source.AddressFamily == AddressFamily.InterNetwork;
        int header = isIPv4 ? 20 : 40, length = 20 + payload;
        byte[] packet = new byte[header + length];
        if (isIPv4)
        {
            packet[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
            packet[6] = 0x40;
            (packet[8], packet[9]) = (64, 6);
        }
        else
        {
            packet[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)length);
            (packet[6], packet[7]) = (6, 64);
        }
        source.TryWriteBytes(packet.AsSpan(isIPv4 ? 12 : 8), out int size);
        destination.TryWriteBytes(packet.AsSpan((isIPv4 ? 12 : 8) + size), out _);
        Span<byte> tcp = packet.AsSpan(header);
        BinaryPrimitives.WriteUInt16BigEndian(tcp, fromPort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], toPort);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], acknowledgement);
        (tcp[12], tcp[13]) = (0x50, (byte)flags);
        for (int i = 20; i < tcp.Length; i++)
            tcp[i] = (byte)i;
        FixChecksum(packet);
        if (isIPv4)
            InnerPackets.FixHeaderChecksum(packet);
        return packet;
    }

    /// <summary>Computes the segment's checksum anew (RFC 9293 §3.1).</summary>
    public static void FixChecksum(byte[] packet)
    {
        bool isIPv4 = packet[0] >> 4 == 4;
        Span<byte> tcp = packet.AsSpan(isIPv4 ? 20 : 40);
        (tcp[16], tcp[17]) = (0, 0);
        byte[] all = [.. isIPv4 ? packet.AsSpan(12, 8) : packet.AsSpan(8, 32), 0, 0, (byte)(tcp.Length >> 8), (byte)tcp.Length, 0, 6, .. tcp, 0];
        uint sum = 0;
        for (int i = 0; i + 1 < all.Length; i += 2)
            sum += (uint)((all[i] << 8) | all[i + 1]);
        while (sum > 0xFFFF)
            sum = (sum >> 16) + (sum & 0xFFFF);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], (ushort)~sum);
    }

    /// <summary>A packet with the hop limit of one that nobody has forwarded.</summary>
    public static byte[] WithoutHops(byte[] packet)
    {
        byte[] copy = [.. packet];
        copy[copy[0] >> 4 == 4 ? 8 : 7] = 64;
        if (copy[0] >> 4 == 4)
            InnerPackets.FixHeaderChecksum(copy);
        return copy;
    }
}
