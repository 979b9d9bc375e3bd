using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CryptoPlane.Aead.Managed;

namespace CryptoPlane.Tests.Aead.Managed;

/// <summary>The instructions as Intel's manual describes them, byte by byte, for CPUs without them.</summary>
internal readonly struct EmulatedGfni : IGfni
{
    private static readonly byte[] s_inverses = [.. Enumerable.Range(0, 256).Select(x => Inverse((byte)x))];

    public static Vector512<byte> Affine(Vector512<byte> x, Vector512<byte> matrix) => Transform(x, matrix, value => value, 0);

    public static Vector512<byte> AffineInverse(Vector512<byte> x, Vector512<byte> matrix) => Transform(x, matrix, value => s_inverses[value], 0x63);

    public static Vector512<byte> RotateRight(Vector512<byte> x, [ConstantExpected] byte bits) =>
        ((x.AsUInt32() >>> bits) | (x.AsUInt32() << (32 - bits))).AsByte();

    public static Vector512<ushort> InterleaveLow(Vector512<byte> x, Vector512<byte> y) => Interleave(x, y, 0).AsUInt16();

    public static Vector512<ushort> InterleaveHigh(Vector512<byte> x, Vector512<byte> y) => Interleave(x, y, 8).AsUInt16();

    public static Vector512<byte> InterleaveLow(Vector512<ushort> x, Vector512<ushort> y) => Interleave(x, y, 0).AsByte();

    public static Vector512<byte> InterleaveHigh(Vector512<ushort> x, Vector512<ushort> y) => Interleave(x, y, 4).AsByte();

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

    /// <summary>Of every 128 bits a half of both vectors in turn.</summary>
    private static Vector512<T> Interleave<T>(Vector512<T> x, Vector512<T> y, int from)
    {
        Vector512<T> result = default;
        int half = Vector128<T>.Count / 2;
        for (int i = 0; i < Vector512<T>.Count; i++)
        {
            int source = i / (2 * half) * (2 * half) + from + i % (2 * half) / 2;
            result = result.WithElement(i, i % 2 == 0 ? x[source] : y[source]);
        }
        return result;
    }
}
