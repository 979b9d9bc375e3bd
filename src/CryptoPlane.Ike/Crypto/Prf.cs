using System.Security.Cryptography;
using CryptoPlane.PublicKey;

namespace CryptoPlane.Ike.Crypto;

/// <summary>The negotiated pseudorandom function and prf+ (RFC 7296 §2.13). Its inputs are secrets: what is kept in between is zeroed.</summary>
internal static class Prf
{
    /// <summary>Longest output of a function that CryptoPlane has, in bytes.</summary>
    public const int MaxLength = SHA512.HashSizeInBytes;

    /// <summary>RFC 7296 §2.13: the counter of prf+ is one byte, and the use of more than 255 blocks is not defined.</summary>
    private const int MaxBlocks = 255;

    /// <summary>Whether the number names a function that CryptoPlane has.</summary>
    public static bool IsKnown(PrfAlgorithm algorithm) => algorithm is PrfAlgorithm.HmacSha256 or PrfAlgorithm.HmacSha384 or PrfAlgorithm.HmacSha512;

    /// <summary>Bytes of the function's output, which for HMAC is its preferred key length too.</summary>
    /// <exception cref="ArgumentOutOfRangeException">CryptoPlane does not have the function.</exception>
    public static int Length(this PrfAlgorithm algorithm) => algorithm switch
    {
        PrfAlgorithm.HmacSha256 => SHA256.HashSizeInBytes,
        PrfAlgorithm.HmacSha384 => SHA384.HashSizeInBytes,
        PrfAlgorithm.HmacSha512 => SHA512.HashSizeInBytes,
        _ => throw Unknown(algorithm),
    };

    /// <summary>prf(key, data).</summary>
    /// <param name="algorithm">The function.</param>
    /// <param name="key">Of any length: HMAC takes every one (RFC 7296 §2.13).</param>
    /// <param name="data">Of any length.</param>
    /// <param name="output">Takes <see cref="Length"/> bytes; may have more.</param>
    public static void Compute(PrfAlgorithm algorithm, ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> output)
    {
        Sha2 hash = algorithm switch
        {
            PrfAlgorithm.HmacSha256 => Sha2.Sha256,
            PrfAlgorithm.HmacSha384 => Sha2.Sha384,
            PrfAlgorithm.HmacSha512 => Sha2.Sha512,
            _ => throw Unknown(algorithm),
        };
        hash.Hmac(key, data, output);
    }

    /// <summary>prf+(key, seed), as long as the output: T1 | T2 | … where Tn = prf(key, Tn-1 | seed | n) and T0 is empty.</summary>
    /// <param name="algorithm">The function.</param>
    /// <param name="key">The secret to expand.</param>
    /// <param name="seed">Of any length.</param>
    /// <param name="output">Filled; at most 255 outputs of the function.</param>
    /// <exception cref="ArgumentException">The output is longer than prf+ defines.</exception>
    public static void Expand(PrfAlgorithm algorithm, ReadOnlySpan<byte> key, ReadOnlySpan<byte> seed, Span<byte> output)
    {
        int length = algorithm.Length();
        if (output.Length > MaxBlocks * length)
            throw new ArgumentException($"prf+ gives at most {MaxBlocks} blocks of {length} bytes, not {output.Length} bytes.", nameof(output));

        using SecretBytes input = new(length + seed.Length + 1), block = new(length);
        seed.CopyTo(input.Writable[length..]);
        int done = 0;
        for (byte counter = 1; done < output.Length; counter++)
        {
            input.Writable[^1] = counter;
            Compute(algorithm, key, input.Value[(counter == 1 ? length : 0)..], block.Writable);
            block.Value.CopyTo(input.Writable);
            int take = Math.Min(length, output.Length - done);
            block.Value[..take].CopyTo(output[done..]);
            done += take;
        }
    }

    private static ArgumentOutOfRangeException Unknown(PrfAlgorithm algorithm) =>
        new(nameof(algorithm), algorithm, "Choose one of PrfAlgorithm's members other than None.");
}
