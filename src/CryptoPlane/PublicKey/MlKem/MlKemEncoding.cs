using System.Buffers.Binary;

namespace CryptoPlane.PublicKey.MlKem;

/// <summary>Polynomials as bytes: full coefficients, compressed ones and messages (FIPS 203 §4.2.1), in constant time.</summary>
internal static class MlKemEncoding
{
    /// <summary>Bytes of a polynomial with coefficients of 12 bits.</summary>
    public const int FullSize = 384;

    /// <summary>Writes coefficients of 12 bits (ByteEncode_12).</summary>
    /// <param name="values">Absolute values below q.</param>
    /// <param name="bytes">Receives <see cref="FullSize"/> bytes.</param>
    public static void WriteFull(ReadOnlySpan<short> values, Span<byte> bytes)
    {
        for (int i = 0; i < MlKemPolynomial.Size / 2; i++)
        {
            ushort low = MlKemField.Canonical(values[2 * i]), high = MlKemField.Canonical(values[2 * i + 1]);
            bytes[3 * i] = (byte)low;
            bytes[3 * i + 1] = (byte)(low >> 8 | high << 4);
            bytes[3 * i + 2] = (byte)(high >> 4);
        }
    }

    /// <summary>Reads coefficients of 12 bits (ByteDecode_12).</summary>
    /// <returns>False if one is not below q, which FIPS 203 §7.2 forbids in an encapsulation key. The time does not depend on which.</returns>
    public static bool TryReadFull(ReadOnlySpan<byte> bytes, Span<short> values)
    {
        int tooLarge = 0;
        for (int i = 0; i < MlKemPolynomial.Size / 2; i++)
        {
            int low = (bytes[3 * i] | bytes[3 * i + 1] << 8) & 0xFFF;
            int high = bytes[3 * i + 1] >> 4 | bytes[3 * i + 2] << 4;
            tooLarge |= (MlKemField.Q - 1 - low) | (MlKemField.Q - 1 - high);
            values[2 * i] = (short)low;
            values[2 * i + 1] = (short)high;
        }
        return tooLarge >= 0;
    }

    /// <summary>Writes coefficients compressed to some bits (Compress_d and ByteEncode_d).</summary>
    /// <param name="values">Absolute values below q.</param>
    /// <param name="bits">1, 4 or 10.</param>
    /// <param name="bytes">Receives 32 bytes per bit.</param>
    public static void WriteCompressed(ReadOnlySpan<short> values, int bits, Span<byte> bytes)
    {
        uint pending = 0;
        int held = 0, at = 0;
        foreach (short value in values)
        {
            pending |= Compress(MlKemField.Canonical(value), bits) << held;
            for (held += bits; held >= 8; held -= 8)
            {
                bytes[at++] = (byte)pending;
                pending >>= 8;
            }
        }
    }

    /// <summary>Reads coefficients that were compressed to some bits (ByteDecode_d and Decompress_d).</summary>
    /// <param name="bytes">32 bytes per bit.</param>
    /// <param name="bits">1, 4 or 10.</param>
    /// <param name="values">Receives numbers from 0 to q-1.</param>
    public static void ReadCompressed(ReadOnlySpan<byte> bytes, int bits, Span<short> values)
    {
        uint pending = 0;
        int held = 0, at = 0;
        foreach (ref short value in values)
        {
            for (; held < bits; held += 8)
                pending |= (uint)bytes[at++] << held;
            uint compressed = pending & ((1u << bits) - 1);
            pending >>= bits;
            held -= bits;
            value = (short)((compressed * MlKemField.Q + (1u << (bits - 1))) >> bits);
        }
    }

    /// <summary>Reads bits as they come out of the centred binomial distribution with eta = 2 (FIPS 203, algorithm 8).</summary>
    /// <param name="random">128 bytes.</param>
    /// <param name="values">Receives numbers from -2 to 2.</param>
    public static void ReadNoise(ReadOnlySpan<byte> random, Span<short> values)
    {
        for (int i = 0; i < MlKemPolynomial.Size / 8; i++)
        {
            uint bits = BinaryPrimitives.ReadUInt32LittleEndian(random[(4 * i)..]);
            uint pairs = (bits & 0x5555_5555) + ((bits >> 1) & 0x5555_5555);
            for (int j = 0; j < 8; j++)
                values[8 * i + j] = (short)((int)((pairs >> (4 * j)) & 3) - (int)((pairs >> (4 * j + 2)) & 3));
        }
    }

    /// <summary>
    /// round(2^bits / q * value) mod 2^bits. The quotient is a product with round(2^36 / q), which is exact for the numbers that occur
    /// (a test looks at all of them): a division's time could depend on a secret.
    /// </summary>
    private static uint Compress(ushort value, int bits)
    {
        const ulong Reciprocal = 20642679;
        ulong dividend = ((ulong)value << bits) + MlKemField.Q / 2;
        return (uint)((dividend * Reciprocal) >> 36) & ((1u << bits) - 1);
    }
}
