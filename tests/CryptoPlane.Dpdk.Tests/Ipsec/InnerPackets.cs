using System.Buffers.Binary;

namespace CryptoPlane.Dpdk.Tests.Ipsec;

/// <summary>Plain IP packets whose payload a seed decides.</summary>
internal static class InnerPackets
{
    private const byte Experimental = 253; // RFC 3692: a protocol for tests.
    private const int IPv4Header = 20, IPv6Header = 40;

    /// <summary>
    /// Packets of every length from the bare header on, more than all paddings need, and of those around what an Ethernet frame carries.
    /// </summary>
    public static List<byte[]> OfManyLengths(bool ipv6)
    {
        int shortest = ipv6 ? IPv6Header : IPv4Header;
        return [.. Enumerable.Range(shortest, 300).Concat([576, 1023, 1024, 1025, 1279, 1280, 1281]).Concat(Enumerable.Range(1400, 101))
            .Select(length => Make(ipv6, length, seed: length))];
    }

    /// <summary>Packets of one kind, each with another payload.</summary>
    public static List<byte[]> Many(bool ipv6, int count) => [.. Enumerable.Range(0, count).Select(i => Make(ipv6, 60 + (i % 90), seed: i))];

    /// <param name="ipv6">IPv6 or IPv4.</param>
    /// <param name="length">Bytes of the whole packet, at least its header.</param>
    /// <param name="seed">Of the payload.</param>
    public static byte[] Make(bool ipv6, int length, int seed)
    {
        byte[] packet = new byte[length];
        new Random(seed).NextBytes(packet);
        if (ipv6)
        {
            BinaryPrimitives.WriteUInt32BigEndian(packet, 0x6000_0000);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)(length - IPv6Header));
            packet[6] = Experimental;
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(packet, 0x4500_0000 | (uint)length);
            BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), 0x0000_4000);
            packet[9] = Experimental;
        }
        return packet;
    }
}
