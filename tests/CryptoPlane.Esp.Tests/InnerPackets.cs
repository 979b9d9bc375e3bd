using System.Buffers.Binary;
using System.Net;

namespace CryptoPlane.Esp.Tests;

/// <summary>Plain IP packets for tests, with right lengths and checksums and a payload that a seed decides.</summary>
internal static class InnerPackets
{
    /// <summary>An IPv4/UDP packet.</summary>
    /// <param name="length">Bytes of the whole packet, at least 28.</param>
    public static byte[] IPv4(int length, int seed = 0, byte trafficClass = 0, bool dontFragment = true)
    {
        byte[] packet = new byte[length];
        new Random(seed).NextBytes(packet);
        packet[0] = 0x45;
        packet[1] = trafficClass;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), dontFragment ? (ushort)0x4000 : (ushort)0);
        packet[8] = 64;
        packet[9] = 17;
        IPAddress.Parse("10.1.0.1").TryWriteBytes(packet.AsSpan(12), out _);
        IPAddress.Parse("10.2.0.2").TryWriteBytes(packet.AsSpan(16), out _);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), 0);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), Checksum(packet.AsSpan(0, 20)));
        WriteUdp(packet.AsSpan(20));
        return packet;
    }

    /// <summary>An IPv6/UDP packet.</summary>
    /// <param name="length">Bytes of the whole packet, at least 48.</param>
    public static byte[] IPv6(int length, int seed = 0, byte trafficClass = 0)
    {
        byte[] packet = new byte[length];
        new Random(seed).NextBytes(packet);
        BinaryPrimitives.WriteUInt32BigEndian(packet, 0x6000_0000u | ((uint)trafficClass << 20));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)(length - 40));
        packet[6] = 17;
        packet[7] = 64;
        IPAddress.Parse("fd00:1::1").TryWriteBytes(packet.AsSpan(8), out _);
        IPAddress.Parse("fd00:2::2").TryWriteBytes(packet.AsSpan(24), out _);
        WriteUdp(packet.AsSpan(40));
        return packet;
    }

    /// <summary>The checksum of RFC 1071, written the plain way: an oracle for the library's.</summary>
    public static ushort Checksum(ReadOnlySpan<byte> data)
    {
        uint sum = 0;
        for (int i = 0; i < data.Length; i++)
            sum += (i & 1) == 0 ? (uint)data[i] << 8 : data[i];
        while (sum > 0xFFFF)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }

    private static void WriteUdp(Span<byte> udp)
    {
        BinaryPrimitives.WriteUInt16BigEndian(udp, 1000);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], 2000);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], 0);
    }
}
