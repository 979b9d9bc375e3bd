using System.Buffers.Binary;
using System.Net;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>UDP datagrams over IPv4 between two hosts.</summary>
/// <param name="first">The host that sends in direction 0.</param>
/// <param name="second">The host that sends in direction 1.</param>
internal sealed class NumberedPacket(IPAddress first, IPAddress second) : INumbered
{
    private const int HopLimit = 8, Protocol = 9, Checksum = 10, Source = 12, Destination = 16, Udp = 20, Number = 28, Pattern = 36;
    private const int Shortest = 40, Longest = 1300, Port = 9; // discard (RFC 863)

    private readonly byte[][] _hosts = [first.GetAddressBytes(), second.GetAddressBytes()];

    public int LengthOf(ulong number) => Shortest + (int)(number * 97 % (Longest - Shortest + 1));

    public void Write(Span<byte> packet, int direction, ulong number)
    {
        packet[..Number].Clear();
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)packet.Length);
        packet[HopLimit] = 64;
        packet[Protocol] = 17;
        _hosts[direction].CopyTo(packet[Source..]);
        _hosts[1 - direction].CopyTo(packet[Destination..]);
        WriteHeaderChecksum(packet);
        BinaryPrimitives.WriteUInt16BigEndian(packet[Udp..], Port);
        BinaryPrimitives.WriteUInt16BigEndian(packet[(Udp + 2)..], Port);
        // A checksum of zero is none (RFC 768).
        BinaryPrimitives.WriteUInt16BigEndian(packet[(Udp + 4)..], (ushort)(packet.Length - Udp));
        BinaryPrimitives.WriteUInt64BigEndian(packet[Number..], number);
        for (int i = Pattern; i < packet.Length; i++)
            packet[i] = (byte)((number * 31) + (ulong)(i * 7));
    }

    public bool IsOurs(ReadOnlySpan<byte> packet) => packet.Length >= Shortest && packet[0] == 0x45 && packet[Protocol] == 17;

    /// <summary>A router between the hosts may have lowered the hop limit; the header's checksum must be right all the same.</summary>
    public ulong Check(ReadOnlySpan<byte> packet, int direction)
    {
        ulong number = BinaryPrimitives.ReadUInt64BigEndian(packet[Number..]);
        int length = LengthOf(number);
        Span<byte> expected = stackalloc byte[Longest];
        Write(expected[..length], direction, number);
        expected[HopLimit] = packet[HopLimit];
        WriteHeaderChecksum(expected);
        return packet.SequenceEqual(expected[..length]) ? number : 0;
    }

    /// <summary>The checksum of an IPv4 header without options (RFC 1071).</summary>
    public static void WriteHeaderChecksum(Span<byte> packet)
    {
        packet[Checksum] = packet[Checksum + 1] = 0;
        uint sum = 0;
        for (int i = 0; i < 20; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(packet[i..]);
        sum = (sum & 0xFFFF) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(packet[Checksum..], (ushort)~(sum + (sum >> 16)));
    }
}
