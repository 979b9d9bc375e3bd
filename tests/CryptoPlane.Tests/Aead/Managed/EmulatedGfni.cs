using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CryptoPlane.Aead.Managed;

namespace CryptoPlane.Tests.Aead.Managed;

/// <summary>The Galois field instructions as Intel's manual describes them, byte by byte, for CPUs without them.</summary>
internal readonly struct EmulatedGfni : IGfni
{
    private static readonly byte[] s_inverses = [.. Enumerable.Range(0, 256).Select(x => Inverse((byte)x))];

    public static Vector512<byte> Affine(Vector512<byte> x, Vector512<byte> matrix) => Transform(x, matrix, value => value, 0);

    public static Vector512<byte> AffineInverse(Vector512<byte> x, Vector512<byte> matrix) => Transform(x, matrix, value => s_inverses[value], 0x63);

    /// <summary>The product in AES's field (FIPS 197 §4.2), modulo x^8 + x^4 + x^3 + x + 1.</summary>
    public static byte Multiply(byte x, byte y)
    {
        int product = 0;
        for (int a = x, b = y; b != 0; b >>= 1, a = (a << 1) ^ ((a >> 7) * 0x11B))
            product ^= a * (b & 1);
        return (byte)product;
    }

    private static byte Inverse(byte x)
    {
        for (int y = 1; y < 256; y++)
        {
            if (Multiply(x, (byte)y) == 1)
                return (byte)y;
        }
        return 0;
    }

    private static Vector512<byte> Transform(Vector512<byte> x, Vector512<byte> matrix, Func<byte, byte> first, byte plus)
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<Vector512<byte>>(ref x));
        ReadOnlySpan<byte> rows = MemoryMarshal.AsBytes(new ReadOnlySpan<Vector512<byte>>(in matrix));
        for (int i = 0; i < 64; i++)
        {
            byte value = first(bytes[i]);
            int result = 0;
            // Bit i of the result is row 7 − i of the matrix times the vector: the parity of what both have.
            for (int bit = 0; bit < 8; bit++)
                result |= (BitOperations.PopCount((uint)(rows[i / 8 * 8 + 7 - bit] & value)) & 1) << bit;
            bytes[i] = (byte)(result ^ plus);
        }
        return x;
    }
}
