using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace CryptoPlane.Ike.Authentication.Eap;

/// <summary>MD4 (RFC 1320), which the framework does not have. Broken as a hash; MS-CHAPv2 is made of it (RFC 2759 §8.3).</summary>
internal static class Md4
{
    /// <summary>Bytes of a digest.</summary>
    public const int Length = 16;

    private const int BlockLength = 64, CountLength = 8;

    /// <summary>Hashes data, which may be a password: the working copies are zeroed.</summary>
    public static void HashData(ReadOnlySpan<byte> data, Span<byte> digest)
    {
        Span<uint> state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476];
        int whole = data.Length / BlockLength * BlockLength;
        for (int offset = 0; offset < whole; offset += BlockLength)
            Compress(state, data.Slice(offset, BlockLength));

        // §3.1, §3.2: a one bit, zeros, and the length in bits, which may take a further block.
        Span<byte> tail = stackalloc byte[2 * BlockLength];
        tail.Clear();
        ReadOnlySpan<byte> rest = data[whole..];
        rest.CopyTo(tail);
        tail[rest.Length] = 0x80;
        int tailLength = rest.Length + 1 + CountLength <= BlockLength ? BlockLength : 2 * BlockLength;
        BinaryPrimitives.WriteUInt64LittleEndian(tail[(tailLength - CountLength)..], 8ul * (ulong)data.Length);
        for (int offset = 0; offset < tailLength; offset += BlockLength)
            Compress(state, tail.Slice(offset, BlockLength));
        CryptographicOperations.ZeroMemory(tail);

        for (int i = 0; i < state.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(digest[(4 * i)..], state[i]);
    }

    private static void Compress(Span<uint> state, ReadOnlySpan<byte> block)
    {
        // §3.4: in each round every word comes once, in this order, with four shifts by turns.
        ReadOnlySpan<byte> order =
        [
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
            0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15,
            0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15,
        ];
        ReadOnlySpan<byte> shifts = [3, 7, 11, 19, 3, 5, 9, 13, 3, 9, 11, 15];
        uint a = state[0], b = state[1], c = state[2], d = state[3];
        for (int step = 0; step < order.Length; step++)
        {
            int round = step / 16;
            uint mixed = round switch
            {
                0 => (b & c) | (~b & d),
                1 => ((b & c) | (b & d) | (c & d)) + 0x5A827999,
                _ => (b ^ c ^ d) + 0x6ED9EBA1,
            };
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * order[step])..]);
            uint next = BitOperations.RotateLeft(a + mixed + word, shifts[(4 * round) + (step % 4)]);
            (a, d, c, b) = (d, c, b, next);
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
    }
}
