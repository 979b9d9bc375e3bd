using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace CryptoPlane.PublicKey.MlKem;

/// <summary>
/// ML-KEM-768 (FIPS 203): the three algorithms, as functions of their randomness. No branch, index or division depends on a secret, and
/// all that is secret is erased from the stack.
/// </summary>
internal static class MlKem768Algorithm
{
    /// <summary>Bytes of an encapsulation key.</summary>
    public const int EncapsulationKeySize = Rank * MlKemEncoding.FullSize + MlKemSampling.SeedSize;

    /// <summary>Bytes of a decapsulation key.</summary>
    public const int DecapsulationKeySize = Rank * MlKemEncoding.FullSize + EncapsulationKeySize + 2 * MlKemSampling.SeedSize;

    /// <summary>Bytes of a ciphertext.</summary>
    public const int CiphertextSize = 32 * (Rank * VectorBits + LastBits);

    /// <summary>Bytes of the shared secret, and of the message that it is made from.</summary>
    public const int SecretSize = 32;

    /// <summary>Bytes of the seed that makes a pair of keys: d and z.</summary>
    public const int KeySeedSize = 2 * MlKemSampling.SeedSize;

    private const int Rank = 3, VectorBits = 10, LastBits = 4;
    private const int VectorSize = Rank * MlKemPolynomial.Size;

    // The decapsulation key is s, the encapsulation key, its hash, and z (FIPS 203, algorithm 16).
    private const int OwnKeyAt = Rank * MlKemEncoding.FullSize, HashAt = OwnKeyAt + EncapsulationKeySize, RejectionAt = HashAt + 32;

    /// <summary>Whether the platform's libcrypto has the hashes that ML-KEM is made of.</summary>
    public static bool IsSupported => SHA3_256.IsSupported && SHA3_512.IsSupported && Shake128.IsSupported && Shake256.IsSupported;

    /// <summary>Makes a pair of keys (FIPS 203, algorithms 13 and 16).</summary>
    /// <param name="seed">d and z, 64 random bytes.</param>
    /// <param name="decapsulationKey">Receives <see cref="DecapsulationKeySize"/> bytes, of which <see cref="EncapsulationKey"/> is a part.</param>
    public static void GenerateKeys(ReadOnlySpan<byte> seed, Span<byte> decapsulationKey)
    {
        Span<short> work = stackalloc short[2 * VectorSize + MlKemPolynomial.Size];
        Span<byte> seeds = stackalloc byte[64], domain = [.. seed[..32], Rank];
        try
        {
            Span<short> secret = work[..VectorSize], sum = work.Slice(VectorSize, VectorSize), element = work[(2 * VectorSize)..];
            SHA3_512.HashData(domain, seeds);
            ReadOnlySpan<byte> matrixSeed = seeds[..32], noiseSeed = seeds[32..];
            for (int i = 0; i < Rank; i++)
            {
                MlKemSampling.DrawNoise(noiseSeed, i, Part(secret, i));
                MlKemPolynomial.Transform(Part(secret, i));
            }
            sum.Clear();
            for (int row = 0; row < Rank; row++)
            {
                Span<short> part = Part(sum, row);
                for (int column = 0; column < Rank; column++)
                {
                    MlKemSampling.DrawUniform(matrixSeed, column, row, element);
                    MlKemPolynomial.AddProduct(part, element, Part(secret, column));
                }
                MlKemPolynomial.ToMontgomery(part);
                MlKemSampling.DrawNoise(noiseSeed, Rank + row, element);
                MlKemPolynomial.Transform(element);
                MlKemPolynomial.Add(part, element);
                MlKemPolynomial.Reduce(part);
                MlKemEncoding.WriteFull(part, decapsulationKey.Slice(OwnKeyAt + row * MlKemEncoding.FullSize, MlKemEncoding.FullSize));
                MlKemEncoding.WriteFull(Part(secret, row), decapsulationKey.Slice(row * MlKemEncoding.FullSize, MlKemEncoding.FullSize));
            }
            matrixSeed.CopyTo(decapsulationKey[(HashAt - 32)..]);
            SHA3_256.HashData(EncapsulationKey(decapsulationKey), decapsulationKey.Slice(HashAt, 32));
            seed[32..].CopyTo(decapsulationKey[RejectionAt..]);
        }
        finally
        {
            Erase(work);
            CryptographicOperations.ZeroMemory(seeds);
            CryptographicOperations.ZeroMemory(domain);
        }
    }

    /// <summary>The public part of a pair of keys.</summary>
    public static ReadOnlySpan<byte> EncapsulationKey(ReadOnlySpan<byte> decapsulationKey) => decapsulationKey[OwnKeyAt..HashAt];

    /// <summary>Whether a peer's encapsulation key has the right length and only coefficients below q (FIPS 203 §7.2).</summary>
    public static bool IsEncapsulationKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != EncapsulationKeySize)
            return false;
        Span<short> values = stackalloc short[MlKemPolynomial.Size];
        bool right = true;
        for (int i = 0; i < Rank; i++)
            right &= MlKemEncoding.TryReadFull(key.Slice(i * MlKemEncoding.FullSize, MlKemEncoding.FullSize), values);
        return right;
    }

    /// <summary>Makes a secret and its ciphertext for the owner of a key (FIPS 203, algorithm 17).</summary>
    /// <param name="key">An encapsulation key for which <see cref="IsEncapsulationKey"/> is true.</param>
    /// <param name="message">32 random bytes.</param>
    /// <param name="ciphertext">Receives <see cref="CiphertextSize"/> bytes.</param>
    /// <param name="secret">Receives <see cref="SecretSize"/> bytes.</param>
    public static void Encapsulate(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, Span<byte> ciphertext, Span<byte> secret)
    {
        Span<byte> input = stackalloc byte[64], output = stackalloc byte[64];
        message.CopyTo(input);
        SHA3_256.HashData(key, input[32..]);
        SHA3_512.HashData(input, output);
        Encrypt(key, message, output[32..], ciphertext);
        output[..32].CopyTo(secret);
        CryptographicOperations.ZeroMemory(input);
        CryptographicOperations.ZeroMemory(output);
    }

    /// <summary>
    /// The secret of a ciphertext (FIPS 203, algorithm 18). A ciphertext that was not made by <see cref="Encapsulate"/> for this key gives
    /// another secret, in the same time: implicit rejection.
    /// </summary>
    /// <param name="decapsulationKey">What <see cref="GenerateKeys"/> made.</param>
    /// <param name="ciphertext"><see cref="CiphertextSize"/> bytes.</param>
    /// <param name="secret">Receives <see cref="SecretSize"/> bytes.</param>
    public static void Decapsulate(ReadOnlySpan<byte> decapsulationKey, ReadOnlySpan<byte> ciphertext, Span<byte> secret)
    {
        Span<byte> input = stackalloc byte[64], output = stackalloc byte[64], again = stackalloc byte[CiphertextSize];
        Decrypt(decapsulationKey[..OwnKeyAt], ciphertext, input[..32]);
        decapsulationKey.Slice(HashAt, 32).CopyTo(input[32..]);
        SHA3_512.HashData(input, output);

        Span<byte> rejection = [.. decapsulationKey[RejectionAt..], .. ciphertext];
        Shake256.HashData(rejection, secret);

        Encrypt(EncapsulationKey(decapsulationKey), input[..32], output[32..], again);
        // All ones where the ciphertexts are equal, zero where not: compared and chosen without a branch.
        int difference = 0;
        for (int i = 0; i < CiphertextSize; i++)
            difference |= again[i] ^ ciphertext[i];
        int mask = (difference - 1) >> 31;
        for (int i = 0; i < SecretSize; i++)
            secret[i] ^= (byte)(mask & (secret[i] ^ output[i]));
        CryptographicOperations.ZeroMemory(input);
        CryptographicOperations.ZeroMemory(output);
        CryptographicOperations.ZeroMemory(again);
        CryptographicOperations.ZeroMemory(rejection);
    }

    /// <summary>FIPS 203, algorithm 14.</summary>
    private static void Encrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> noiseSeed, Span<byte> ciphertext)
    {
        Span<short> work = stackalloc short[VectorSize + 3 * MlKemPolynomial.Size];
        try
        {
            Span<short> random = work[..VectorSize], rest = work[VectorSize..];
            Span<short> sum = rest[..256], element = rest.Slice(256, 256), last = rest.Slice(512, 256);
            ReadOnlySpan<byte> matrixSeed = key[^32..];
            for (int i = 0; i < Rank; i++)
            {
                MlKemSampling.DrawNoise(noiseSeed, i, Part(random, i));
                MlKemPolynomial.Transform(Part(random, i));
            }
            last.Clear();
            for (int row = 0; row < Rank; row++)
            {
                sum.Clear();
                for (int column = 0; column < Rank; column++)
                {
                    // The matrix is transposed here.
                    MlKemSampling.DrawUniform(matrixSeed, row, column, element);
                    MlKemPolynomial.AddProduct(sum, element, Part(random, column));
                }
                Finish(sum, element, noiseSeed, Rank + row);
                MlKemEncoding.WriteCompressed(sum, VectorBits, ciphertext.Slice(row * 32 * VectorBits, 32 * VectorBits));
                MlKemEncoding.TryReadFull(key.Slice(row * MlKemEncoding.FullSize, MlKemEncoding.FullSize), element);
                MlKemPolynomial.AddProduct(last, element, Part(random, row));
            }
            Finish(last, element, noiseSeed, 2 * Rank);
            MlKemEncoding.ReadCompressed(message, 1, element);
            MlKemPolynomial.Add(last, element);
            MlKemPolynomial.Reduce(last);
            MlKemEncoding.WriteCompressed(last, LastBits, ciphertext[(Rank * 32 * VectorBits)..]);
        }
        finally
        {
            Erase(work);
        }
    }

    /// <summary>Transforms a sum of products back and adds noise.</summary>
    private static void Finish(Span<short> sum, Span<short> noise, ReadOnlySpan<byte> noiseSeed, int number)
    {
        MlKemPolynomial.Reduce(sum);
        MlKemPolynomial.TransformBack(sum);
        MlKemSampling.DrawNoise(noiseSeed, number, noise);
        MlKemPolynomial.Add(sum, noise);
        MlKemPolynomial.Reduce(sum);
    }

    /// <summary>FIPS 203, algorithm 15.</summary>
    private static void Decrypt(ReadOnlySpan<byte> secretVector, ReadOnlySpan<byte> ciphertext, Span<byte> message)
    {
        Span<short> work = stackalloc short[3 * MlKemPolynomial.Size];
        try
        {
            Span<short> sum = work[..256], secret = work.Slice(256, 256), element = work.Slice(512, 256);
            sum.Clear();
            for (int i = 0; i < Rank; i++)
            {
                MlKemEncoding.ReadCompressed(ciphertext.Slice(i * 32 * VectorBits, 32 * VectorBits), VectorBits, element);
                MlKemPolynomial.Transform(element);
                MlKemEncoding.TryReadFull(secretVector.Slice(i * MlKemEncoding.FullSize, MlKemEncoding.FullSize), secret);
                MlKemPolynomial.AddProduct(sum, secret, element);
            }
            MlKemPolynomial.Reduce(sum);
            MlKemPolynomial.TransformBack(sum);
            MlKemEncoding.ReadCompressed(ciphertext[(Rank * 32 * VectorBits)..], LastBits, element);
            MlKemPolynomial.SubtractFrom(element, sum);
            MlKemPolynomial.Reduce(sum);
            MlKemEncoding.WriteCompressed(sum, 1, message);
        }
        finally
        {
            Erase(work);
        }
    }

    private static Span<short> Part(Span<short> vector, int index) => vector.Slice(index * MlKemPolynomial.Size, MlKemPolynomial.Size);

    private static void Erase(Span<short> work) => CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(work));
}
