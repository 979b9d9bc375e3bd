using System.Buffers.Binary;
using System.Net;

namespace VpnBroker.Tests.DataPlane;

/// <summary>Plain UDP packets with right lengths and checksums.</summary>
internal static class InnerPackets
{
    /// <summary>A packet from one address to another of the same family.</summary>
    /// <param name="length">Bytes of the whole packet, at least 28 (IPv6: 48).</param>
    public static byte[] Udp(string from, string to, int length = 100, byte hopLimit = 64, bool dontFragment = true, int seed = 1)
    {
        IPAddress source = IPAddress.Parse(from), destination = IPAddress.Parse(to);
        byte[] packet = new byte[length];
        new Random(seed).NextBytes(packet);
        Span<byte> udp;
        if (source.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)
        {
            packet[0] = 0x45;
            packet[1] = 0;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)length);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), dontFragment ? (ushort)0x4000 : (ushort)0);
            packet[8] = hopLimit;
            packet[9] = 17;
            source.TryWriteBytes(packet.AsSpan(12), out _);
            destination.TryWriteBytes(packet.AsSpan(16), out _);
            FixHeaderChecksum(packet);
            udp = packet.AsSpan(20);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(packet, 0x6000_0000u);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)(length - 40));
            packet[6] = 17;
            packet[7] = hopLimit;
            source.TryWriteBytes(packet.AsSpan(8), out _);
            destination.TryWriteBytes(packet.AsSpan(24), out _);
            udp = packet.AsSpan(40);
        }
        BinaryPrimitives.WriteUInt16BigEndian(udp, 1000);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], 2000);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        return packet;
    }

    /// <summary>Makes an IPv4 header's checksum right.</summary>
    public static void FixHeaderChecksum(Span<byte> packet)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], Checksum(packet[..((packet[0] & 15) * 4)]));
    }

    /// <summary>The checksum of RFC 1071, written the plain way: an oracle.</summary>
    public static ushort Checksum(ReadOnlySpan<byte> data)
    {
        uint sum = 0;
        for (int i = 0; i < data.Length; i++)
            sum += (i & 1) == 0 ? (uint)data[i] << 8 : data[i];
        while (sum > 0xFFFF)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
