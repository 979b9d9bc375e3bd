using System.Security.Cryptography;

namespace CryptoPlane.PublicKey;

/// <summary>A signature algorithm with its hash, and its curve where the protocol binds the two (TLS 1.3 does).</summary>
public enum SignatureAlgorithm
{
    /// <summary>No algorithm.</summary>
    None,

    /// <summary>ECDSA on P-256 with SHA-256, DER-encoded.</summary>
    EcdsaP256Sha256,

    /// <summary>ECDSA on P-384 with SHA-384, DER-encoded.</summary>
    EcdsaP384Sha384,

    /// <summary>ECDSA on P-521 with SHA-512, DER-encoded.</summary>
    EcdsaP521Sha512,

    /// <summary>RSASSA-PSS with an rsaEncryption key, SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.</summary>
    RsaPssSha256,

    /// <summary>RSASSA-PSS with an rsaEncryption key, SHA-384, MGF1 with SHA-384 and a salt of 48 bytes.</summary>
    RsaPssSha384,

    /// <summary>RSASSA-PSS with an rsaEncryption key, SHA-512, MGF1 with SHA-512 and a salt of 64 bytes.</summary>
    RsaPssSha512,

    /// <summary>RSASSA-PSS with an id-RSASSA-PSS key (RFC 4055), SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.</summary>
    RsaPssKeySha256,

    /// <summary>RSASSA-PSS with an id-RSASSA-PSS key (RFC 4055), SHA-384, MGF1 with SHA-384 and a salt of 48 bytes.</summary>
    RsaPssKeySha384,

    /// <summary>RSASSA-PSS with an id-RSASSA-PSS key (RFC 4055), SHA-512, MGF1 with SHA-512 and a salt of 64 bytes.</summary>
    RsaPssKeySha512,

    /// <summary>Ed25519 (RFC 8032), 64 bytes.</summary>
    Ed25519,
}

/// <summary>What a <see cref="SignatureAlgorithm"/> is made of.</summary>
internal static class SignatureAlgorithmParts
{
    /// <summary>Smallest RSA key that is used or accepted (NIST SP 800-131A): 2048 bits.</summary>
    public const int MinimumRsaBits = 2048;

    // 1.2.840.10045.3.1.7, 1.3.132.0.34 and 1.3.132.0.35.
    private static readonly byte[] s_p256 = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
    private static readonly byte[] s_p384 = [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22];
    private static readonly byte[] s_p521 = [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23];

    /// <summary>Whether the key is an rsaEncryption key.</summary>
    public static bool IsRsa(this SignatureAlgorithm algorithm) => algorithm is >= SignatureAlgorithm.RsaPssSha256 and <= SignatureAlgorithm.RsaPssSha512;

    /// <summary>Whether the key is an id-RSASSA-PSS key.</summary>
    public static bool IsRsaPssKey(this SignatureAlgorithm algorithm) => algorithm is >= SignatureAlgorithm.RsaPssKeySha256 and <= SignatureAlgorithm.RsaPssKeySha512;

    public static HashAlgorithmName Hash(this SignatureAlgorithm algorithm) => algorithm switch
    {
        SignatureAlgorithm.EcdsaP256Sha256 or SignatureAlgorithm.RsaPssSha256 or SignatureAlgorithm.RsaPssKeySha256 => HashAlgorithmName.SHA256,
        SignatureAlgorithm.EcdsaP384Sha384 or SignatureAlgorithm.RsaPssSha384 or SignatureAlgorithm.RsaPssKeySha384 => HashAlgorithmName.SHA384,
        SignatureAlgorithm.EcdsaP521Sha512 or SignatureAlgorithm.RsaPssSha512 or SignatureAlgorithm.RsaPssKeySha512 => HashAlgorithmName.SHA512,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Not a signature algorithm."),
    };

    /// <summary>The algorithm's curve, as the DER-encoded object identifier that certificates carry; null without a curve.</summary>
    public static byte[]? CurveParameters(this SignatureAlgorithm algorithm) => algorithm switch
    {
        SignatureAlgorithm.EcdsaP256Sha256 => s_p256,
        SignatureAlgorithm.EcdsaP384Sha384 => s_p384,
        SignatureAlgorithm.EcdsaP521Sha512 => s_p521,
        _ => null,
    };
}
