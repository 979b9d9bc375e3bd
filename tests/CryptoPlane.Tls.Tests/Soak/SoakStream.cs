using System.Buffers.Binary;

namespace CryptoPlane.Tls.Tests.Soak;

/// <summary>
/// The bytes of one direction of one connection: each follows from the direction's key and its place, so that one that is lost, doubled, altered or
/// out of order is seen by whoever counts what came.
/// </summary>
internal static class SoakStream
{
    /// <summary>Writes the bytes from a place on.</summary>
    public static void Fill(Span<byte> bytes, ulong key, long position)
    {
        while (!bytes.IsEmpty)
        {
            int offset = (int)(position & 7);
            ulong word = Word(key, position >> 3);
            if (offset == 0 && bytes.Length >= sizeof(ulong))
            {
                BinaryPrimitives.WriteUInt64LittleEndian(bytes, word);
                bytes = bytes[sizeof(ulong)..];
                position += sizeof(ulong);
                continue;
            }
            bytes[0] = (byte)(word >> (8 * offset));
            bytes = bytes[1..];
            position++;
        }
    }

    /// <summary>Whether these are the bytes from a place on.</summary>
    public static bool IsRight(ReadOnlySpan<byte> bytes, ulong key, long position)
    {
        while (!bytes.IsEmpty)
        {
            int offset = (int)(position & 7);
            ulong word = Word(key, position >> 3);
            if (offset == 0 && bytes.Length >= sizeof(ulong))
            {
                if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) != word)
                    return false;
                bytes = bytes[sizeof(ulong)..];
                position += sizeof(ulong);
                continue;
            }
            if (bytes[0] != (byte)(word >> (8 * offset)))
                return false;
            bytes = bytes[1..];
            position++;
        }
        return true;
    }

    /// <summary>SplitMix64's output function over the place.</summary>
    private static ulong Word(ulong key, long index)
    {
        ulong z = key + ((ulong)index * 0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
