using System.Security.Cryptography;

namespace CryptoPlane.PublicKey.MlKem;

/// <summary>Polynomials out of seeds (FIPS 203 §4.2.2), by the framework's SHAKE.</summary>
internal static class MlKemSampling
{
    /// <summary>Bytes of a seed.</summary>
    public const int SeedSize = 32;

    /// <summary>Draws a polynomial of the public matrix, which is a transform already (FIPS 203, algorithm 7). Not in constant time: the seed is public.</summary>
    /// <param name="seed">The seed of the matrix, rho.</param>
    /// <param name="column">The element's column.</param>
    /// <param name="row">The element's row.</param>
    /// <param name="values">Receives numbers from 0 to q-1.</param>
    public static void DrawUniform(ReadOnlySpan<byte> seed, int column, int row, Span<short> values)
    {
        Span<byte> input = [.. seed, (byte)column, (byte)row];
        // Of 336 candidates 273 are taken on the average; in one of a hundred draws fewer than 256 are, and a longer output begins alike.
        const int Bytes = 3 * 168;
        Span<byte> output = stackalloc byte[Bytes];
        Shake128.HashData(input, output);
        int count = Take(output, values);
        for (int size = 2 * Bytes; count < values.Length; size *= 2)
            count = Take(Shake128.HashData(input, size), values);
    }

    /// <summary>Draws a polynomial of small coefficients (FIPS 203 §4.1, PRF, and algorithm 8).</summary>
    /// <param name="seed">The secret seed.</param>
    /// <param name="number">Which polynomial of this seed.</param>
    /// <param name="values">Receives numbers from -2 to 2.</param>
    public static void DrawNoise(ReadOnlySpan<byte> seed, int number, Span<short> values)
    {
        Span<byte> input = [.. seed, (byte)number];
        Span<byte> output = stackalloc byte[MlKemPolynomial.Size / 2];
        Shake256.HashData(input, output);
        MlKemEncoding.ReadNoise(output, values);
        CryptographicOperations.ZeroMemory(input);
        CryptographicOperations.ZeroMemory(output);
    }

    /// <summary>Takes the candidates of 12 bits that are below q.</summary>
    /// <returns>How many were taken: at most as many as there is room for.</returns>
    private static int Take(ReadOnlySpan<byte> random, Span<short> values)
    {
        int count = 0;
        for (int i = 0; i + 3 <= random.Length; i += 3)
        {
            int low = (random[i] | random[i + 1] << 8) & 0xFFF, high = random[i + 1] >> 4 | random[i + 2] << 4;
            if (low < MlKemField.Q && count < values.Length)
                values[count++] = (short)low;
            if (high < MlKemField.Q && count < values.Length)
                values[count++] = (short)high;
        }
        return count;
    }
}
