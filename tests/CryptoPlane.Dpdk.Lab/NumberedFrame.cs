using System.Buffers.Binary;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>Ethernet frames of type 0x88B5 (IEEE 802, local experiments).</summary>
internal sealed class NumberedFrame : INumbered
{
    private const int EtherType = 12, Direction = 14, Number = 16, Pattern = 24, Shortest = 60, Longest = 1514;

    public int LengthOf(ulong number) => Shortest + (int)(number * 97 % (Longest - Shortest + 1));

    public void Write(Span<byte> packet, int direction, ulong number)
    {
        // Locally administered unicast addresses.
        BinaryPrimitives.WriteUInt64BigEndian(packet, 0x0200_5E00_0000_0000 | (ulong)(1 - direction) << 16);
        BinaryPrimitives.WriteUInt64BigEndian(packet[6..], 0x0200_5E00_0000_0000 | (ulong)direction << 16);
        BinaryPrimitives.WriteUInt16BigEndian(packet[EtherType..], 0x88B5);
        BinaryPrimitives.WriteUInt16BigEndian(packet[Direction..], (ushort)direction);
        BinaryPrimitives.WriteUInt64BigEndian(packet[Number..], number);
        for (int i = Pattern; i < packet.Length; i++)
            packet[i] = (byte)((number * 31) + (ulong)(i * 7));
    }

    public bool IsOurs(ReadOnlySpan<byte> packet) => packet.Length >= Shortest && BinaryPrimitives.ReadUInt16BigEndian(packet[EtherType..]) == 0x88B5;

    public ulong Check(ReadOnlySpan<byte> packet, int direction)
    {
        ulong number = BinaryPrimitives.ReadUInt64BigEndian(packet[Number..]);
        int length = LengthOf(number);
        Span<byte> expected = stackalloc byte[Longest];
        Write(expected[..length], direction, number);
        return packet.SequenceEqual(expected[..length]) ? number : 0;
    }
}
