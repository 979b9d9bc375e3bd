using System.Buffers.Binary;

namespace CryptoPlane.Dpdk.Lab;

/// <summary>Frames that say which they are, and whose every byte follows from that: EtherType 0x88B5 (IEEE 802, local experiments).</summary>
internal static class NumberedFrame
{
    private const int EtherType = 12, Direction = 14, Number = 16, Pattern = 24;

    /// <summary>Bytes of a frame: from the shortest to the longest of Ethernet, one after the other.</summary>
    public static int LengthOf(ulong number) => 60 + (int)(number * 97 % (1514 - 60 + 1));

    /// <summary>Writes a frame.</summary>
    /// <param name="frame">Of <see cref="LengthOf"/> its number.</param>
    /// <param name="direction">0 or 1; its stations' addresses follow from it.</param>
    /// <param name="number">From 1.</param>
    public static void Write(Span<byte> frame, int direction, ulong number)
    {
        // Locally administered unicast addresses.
        BinaryPrimitives.WriteUInt64BigEndian(frame, 0x0200_5E00_0000_0000 | (ulong)(1 - direction) << 16);
        BinaryPrimitives.WriteUInt64BigEndian(frame[6..], 0x0200_5E00_0000_0000 | (ulong)direction << 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame[EtherType..], 0x88B5);
        BinaryPrimitives.WriteUInt16BigEndian(frame[Direction..], (ushort)direction);
        BinaryPrimitives.WriteUInt64BigEndian(frame[Number..], number);
        for (int i = Pattern; i < frame.Length; i++)
            frame[i] = (byte)((number * 31) + (ulong)(i * 7));
    }

    /// <summary>Whether a frame is one of ours; others, such as those of a kernel's neighbour discovery, need not be looked at.</summary>
    public static bool IsOurs(ReadOnlySpan<byte> frame) => frame.Length >= 60 && BinaryPrimitives.ReadUInt16BigEndian(frame[EtherType..]) == 0x88B5;

    /// <summary>The number of a frame, or 0 if it is not as it was written.</summary>
    public static ulong Check(ReadOnlySpan<byte> frame, int direction)
    {
        ulong number = BinaryPrimitives.ReadUInt64BigEndian(frame[Number..]);
        int length = LengthOf(number);
        Span<byte> expected = stackalloc byte[1514];
        Write(expected[..length], direction, number);
        return frame.SequenceEqual(expected[..length]) ? number : 0;
    }
}
