using System.Security.Cryptography;

namespace CryptoPlane.PublicKey;

/// <summary>The hashes of FIPS 180-4 that the protocols here use.</summary>
public enum Sha2 : byte
{
    /// <summary>SHA-256.</summary>
    Sha256 = 0,

    /// <summary>SHA-384.</summary>
    Sha384 = 1,

    /// <summary>SHA-512.</summary>
    Sha512 = 2,
}

/// <summary>
/// One-shot hashing and HMAC (RFC 2104), for key schedules, which are dozens of calls on a few bytes each: what libcrypto must look up, allocate
/// and lock for a call is kept by the thread from one to the next. Safe for every thread; no managed memory is allocated behind a thread's first.
/// </summary>
public static unsafe class Sha2Functions
{
    /// <summary>Bytes of the longest digest.</summary>
    public const int MaxSize = 64;

    private const int MaxBlock = 128;

    /// <summary>Bytes of a digest.</summary>
    public static int Size(this Sha2 hash) => hash switch { Sha2.Sha256 => 32, Sha2.Sha384 => 48, _ => MaxSize };

    /// <summary>Hashes data.</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="data">Of any length.</param>
    /// <param name="digest">Takes <see cref="Size"/> bytes; may overlap the data.</param>
    /// <exception cref="ArgumentException">The digest has too little room.</exception>
    /// <exception cref="CryptographicException">libcrypto has no such hash, or no memory.</exception>
    public static void Hash(this Sha2 hash, ReadOnlySpan<byte> data, Span<byte> digest)
    {
        CheckRoom(hash, digest);
        DigestContext context = DigestContext.Of(hash);
        context.Begin();
        context.Append(data);
        context.End(digest);
        context.Forget();
    }

    /// <summary>HMAC.</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="key">Of any length.</param>
    /// <param name="data">Of any length.</param>
    /// <param name="mac">Takes <see cref="Size"/> bytes; may overlap the key and the data.</param>
    /// <exception cref="ArgumentException">The MAC has too little room.</exception>
    /// <exception cref="CryptographicException">libcrypto has no such hash, or no memory.</exception>
    public static void Hmac(this Sha2 hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        CheckRoom(hash, mac);
        DigestContext context = DigestContext.Of(hash);
        int block = hash == Sha2.Sha256 ? 64 : MaxBlock;
        Span<byte> padded = stackalloc byte[MaxBlock];
        padded.Clear();
        // RFC 2104 §2: keys longer than a block are hashed first.
        if (key.Length > block)
        {
            context.Begin();
            context.Append(key);
            context.End(padded);
        }
        else
        {
            key.CopyTo(padded);
        }
        Span<byte> inner = stackalloc byte[MaxSize];
        Mask(padded[..block], 0x36);
        context.Begin();
        context.Append(padded[..block]);
        context.Append(data);
        context.End(inner);
        Mask(padded[..block], 0x36 ^ 0x5C);
        context.Begin();
        context.Append(padded[..block]);
        context.Append(inner[..hash.Size()]);
        context.End(mac);
        context.Forget();
        CryptographicOperations.ZeroMemory(padded);
        CryptographicOperations.ZeroMemory(inner);
    }

    private static void Mask(Span<byte> bytes, byte mask)
    {
        foreach (ref byte value in bytes)
            value ^= mask;
    }

    private static void CheckRoom(Sha2 hash, Span<byte> output)
    {
        if (output.Length < hash.Size())
            throw new ArgumentException($"{hash} gives {hash.Size()} bytes, and there is room for {output.Length}.", nameof(output));
    }
}
