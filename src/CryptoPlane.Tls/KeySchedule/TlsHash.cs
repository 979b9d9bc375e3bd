using System.Security.Cryptography;
using CryptoPlane.PublicKey;

namespace CryptoPlane.Tls.KeySchedule;

/// <summary>The hash of a cipher suite.</summary>
internal enum TlsHash : byte
{
    /// <summary>SHA-256.</summary>
    Sha256 = 0,

    /// <summary>SHA-384.</summary>
    Sha384 = 1,
}

/// <summary>One-shot hashing and HMAC. None of it allocates managed memory, so that a KeyUpdate can run on an lcore.</summary>
internal static class TlsHashes
{
    /// <summary>Bytes of the longest digest.</summary>
    public const int MaxLength = 48;

    /// <summary>Bytes of a digest.</summary>
    public static int Length(this TlsHash hash) => hash == TlsHash.Sha384 ? 48 : 32;

    /// <summary>The framework's name of the hash.</summary>
    public static HashAlgorithmName Name(this TlsHash hash) => hash == TlsHash.Sha384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;

    /// <summary>Hashes <paramref name="data"/> into the first <see cref="Length"/> bytes of <paramref name="digest"/>.</summary>
    public static void HashData(this TlsHash hash, ReadOnlySpan<byte> data, Span<byte> digest) => hash.Function().Hash(data, digest);

    /// <summary>HMAC (RFC 2104) into the first <see cref="Length"/> bytes of <paramref name="mac"/>, which may overlap the inputs.</summary>
    public static void Hmac(this TlsHash hash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> mac) => hash.Function().Hmac(key, data, mac);

    private static Sha2 Function(this TlsHash hash) => hash == TlsHash.Sha384 ? Sha2.Sha384 : Sha2.Sha256;
}
