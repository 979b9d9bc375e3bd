using System.Runtime.CompilerServices;

namespace CryptoPlane.PublicKey.MlKem;

/// <summary>
/// Polynomials of 256 coefficients modulo q and their number theoretic transforms (FIPS 203 §4.3), in memory of the caller's, who erases it.
/// </summary>
internal static class MlKemPolynomial
{
    /// <summary>Coefficients.</summary>
    public const int Size = 256;

    /// <summary>Powers of 17, the 256th root of unity, in the order of FIPS 203 appendix A and in Montgomery form.</summary>
    private static readonly short[] Zetas = MakeZetas();

    /// <summary>128^-1 * 2^32 mod q: ends the inverse transform and leaves its output multiplied by 2^16.</summary>
    private const short InverseScale = 1441;

    /// <summary>Transforms in place (FIPS 203, algorithm 9).</summary>
    /// <param name="values">Absolute values below q; afterwards again.</param>
    public static void Transform(Span<short> values)
    {
        int zeta = 1;
        for (int length = 128; length >= 2; length >>= 1)
        {
            for (int start = 0; start < Size; start += 2 * length)
            {
                short factor = Zetas[zeta++];
                Span<short> low = values.Slice(start, length), high = values.Slice(start + length, length);
                for (int j = 0; j < low.Length; j++)
                {
                    short product = MlKemField.Multiply(factor, high[j]);
                    high[j] = (short)(low[j] - product);
                    low[j] = (short)(low[j] + product);
                }
            }
        }
        // Seven layers of sums stay below 8q, which a short holds.
        Reduce(values);
    }

    /// <summary>Transforms back in place (FIPS 203, algorithm 10); the output is in Montgomery form.</summary>
    /// <param name="values">Absolute values below q; afterwards again.</param>
    public static void TransformBack(Span<short> values)
    {
        int zeta = 127;
        for (int length = 2; length <= 128; length <<= 1)
        {
            for (int start = 0; start < Size; start += 2 * length)
            {
                short factor = Zetas[zeta--];
                Span<short> low = values.Slice(start, length), high = values.Slice(start + length, length);
                for (int j = 0; j < low.Length; j++)
                {
                    short sum = (short)(low[j] + high[j]);
                    short difference = (short)(high[j] - low[j]);
                    low[j] = MlKemField.Barrett(sum);
                    high[j] = MlKemField.Multiply(factor, difference);
                }
            }
        }
        foreach (ref short value in values)
            value = MlKemField.Multiply(value, InverseScale);
    }

    /// <summary>
    /// Adds the product of two transforms (FIPS 203, algorithms 11 and 12) to a sum; the product is divided by 2^16. Up to four products
    /// fit before the sum must be reduced.
    /// </summary>
    public static void AddProduct(Span<short> sum, ReadOnlySpan<short> a, ReadOnlySpan<short> b)
    {
        for (int i = 0; i < Size; i += 4)
        {
            short zeta = Zetas[64 + i / 4];
            AddPair(sum.Slice(i, 2), a.Slice(i, 2), b.Slice(i, 2), zeta);
            AddPair(sum.Slice(i + 2, 2), a.Slice(i + 2, 2), b.Slice(i + 2, 2), (short)-zeta);
        }
    }

    /// <summary>Brings numbers into Montgomery form.</summary>
    public static void ToMontgomery(Span<short> values)
    {
        foreach (ref short value in values)
            value = MlKemField.Multiply(value, MlKemField.MontgomerySquare);
    }

    /// <summary>Adds coefficient by coefficient; the sums are not reduced.</summary>
    public static void Add(Span<short> sum, ReadOnlySpan<short> addend)
    {
        for (int i = 0; i < Size; i++)
            sum[i] += addend[i];
    }

    /// <summary>Replaces the subtrahend by the difference, which is not reduced.</summary>
    public static void SubtractFrom(ReadOnlySpan<short> minuend, Span<short> subtrahend)
    {
        for (int i = 0; i < Size; i++)
            subtrahend[i] = (short)(minuend[i] - subtrahend[i]);
    }

    /// <summary>Reduces to absolute values of at most (q-1)/2.</summary>
    public static void Reduce(Span<short> values)
    {
        foreach (ref short value in values)
            value = MlKemField.Barrett(value);
    }

    /// <summary>Multiplies modulo X^2 - zeta.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddPair(Span<short> sum, ReadOnlySpan<short> a, ReadOnlySpan<short> b, short zeta)
    {
        sum[0] += (short)(MlKemField.Multiply(MlKemField.Multiply(a[1], b[1]), zeta) + MlKemField.Multiply(a[0], b[0]));
        sum[1] += (short)(MlKemField.Multiply(a[0], b[1]) + MlKemField.Multiply(a[1], b[0]));
    }

    private static short[] MakeZetas()
    {
        var zetas = new short[128];
        for (int i = 0; i < zetas.Length; i++)
        {
            int exponent = 0;
            for (int bit = 0; bit < 7; bit++)
                exponent |= ((i >> bit) & 1) << (6 - bit);
            int value = 1 << 16;
            for (int j = 0; j < exponent; j++)
                value = value % MlKemField.Q * 17;
            zetas[i] = MlKemField.Barrett((short)(value % MlKemField.Q));
        }
        return zetas;
    }
}
