using System.Security.Cryptography;

namespace CryptoPlane.Ike.Authentication;

/// <summary>A hash by its number in SIGNATURE_HASH_ALGORITHMS (RFC 7427 §4 and §7). SHA-1 (1) is not one of ours.</summary>
internal enum SignatureHash : ushort
{
    Sha256 = 2,
    Sha384 = 3,
    Sha512 = 4,
}

/// <summary>What a <see cref="SignatureHash"/> is made of.</summary>
internal static class SignatureHashes
{
    /// <summary>What this side verifies, for its SIGNATURE_HASH_ALGORITHMS notification.</summary>
    public static IReadOnlyList<SignatureHash> All { get; } = [SignatureHash.Sha256, SignatureHash.Sha384, SignatureHash.Sha512];

    /// <summary>The numbers of <see cref="All"/>.</summary>
    public static ReadOnlySpan<ushort> Numbers => [(ushort)SignatureHash.Sha256, (ushort)SignatureHash.Sha384, (ushort)SignatureHash.Sha512];

    public static HashAlgorithmName Name(this SignatureHash hash) => hash switch
    {
        SignatureHash.Sha256 => HashAlgorithmName.SHA256,
        SignatureHash.Sha384 => HashAlgorithmName.SHA384,
        SignatureHash.Sha512 => HashAlgorithmName.SHA512,
        _ => throw new ArgumentOutOfRangeException(nameof(hash), hash, "Choose one of SignatureHash's members."),
    };

    /// <summary>Bytes of a digest.</summary>
    public static int Length(this SignatureHash hash) => hash switch
    {
        SignatureHash.Sha256 => SHA256.HashSizeInBytes,
        SignatureHash.Sha384 => SHA384.HashSizeInBytes,
        SignatureHash.Sha512 => SHA512.HashSizeInBytes,
        _ => throw new ArgumentOutOfRangeException(nameof(hash), hash, "Choose one of SignatureHash's members."),
    };
}
