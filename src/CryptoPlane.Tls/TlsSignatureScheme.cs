using CryptoPlane.PublicKey;

namespace CryptoPlane.Tls;

/// <summary>Signature schemes for CertificateVerify (RFC 8446 §4.2.3), by their code points.</summary>
public enum TlsSignatureScheme : ushort
{
    /// <summary>No scheme.</summary>
    None = 0,

    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    EcdsaSecp256r1Sha256 = 0x0403,

    /// <summary>ECDSA on P-384 with SHA-384.</summary>
    EcdsaSecp384r1Sha384 = 0x0503,

    /// <summary>ECDSA on P-521 with SHA-512.</summary>
    EcdsaSecp521r1Sha512 = 0x0603,

    /// <summary>RSASSA-PSS with SHA-256 and an rsaEncryption key.</summary>
    RsaPssRsaeSha256 = 0x0804,

    /// <summary>RSASSA-PSS with SHA-384 and an rsaEncryption key.</summary>
    RsaPssRsaeSha384 = 0x0805,

    /// <summary>RSASSA-PSS with SHA-512 and an rsaEncryption key.</summary>
    RsaPssRsaeSha512 = 0x0806,

    /// <summary>Ed25519.</summary>
    Ed25519 = 0x0807,

    /// <summary>RSASSA-PSS with SHA-256 and an id-RSASSA-PSS key.</summary>
    RsaPssPssSha256 = 0x0809,

    /// <summary>RSASSA-PSS with SHA-384 and an id-RSASSA-PSS key.</summary>
    RsaPssPssSha384 = 0x080A,

    /// <summary>RSASSA-PSS with SHA-512 and an id-RSASSA-PSS key.</summary>
    RsaPssPssSha512 = 0x080B,
}

/// <summary>From code points to the algorithms of the PublicKey room.</summary>
internal static class TlsSignatureSchemes
{
    /// <summary>The schemes that are built, in the order of preference.</summary>
    public static IReadOnlyList<TlsSignatureScheme> Default { get; } =
    [
        TlsSignatureScheme.EcdsaSecp256r1Sha256, TlsSignatureScheme.Ed25519, TlsSignatureScheme.EcdsaSecp384r1Sha384, TlsSignatureScheme.EcdsaSecp521r1Sha512,
        TlsSignatureScheme.RsaPssRsaeSha256, TlsSignatureScheme.RsaPssRsaeSha384, TlsSignatureScheme.RsaPssRsaeSha512,
        TlsSignatureScheme.RsaPssPssSha256, TlsSignatureScheme.RsaPssPssSha384, TlsSignatureScheme.RsaPssPssSha512,
    ];

    /// <summary>
    /// What is accepted inside certificates besides <see cref="Default"/>: RFC 8446 §4.2.3 keeps RSA PKCS #1 v1.5 for the
    /// signatures of certificates alone (rsa_pkcs1_sha256, sha384, sha512).
    /// </summary>
    public static ReadOnlySpan<ushort> CertificatesOnly => [0x0401, 0x0501, 0x0601];

    /// <summary>The scheme's algorithm; <see cref="SignatureAlgorithm.None"/> for a code point that is not built.</summary>
    public static SignatureAlgorithm Algorithm(this TlsSignatureScheme scheme) => scheme switch
    {
        TlsSignatureScheme.EcdsaSecp256r1Sha256 => SignatureAlgorithm.EcdsaP256Sha256,
        TlsSignatureScheme.EcdsaSecp384r1Sha384 => SignatureAlgorithm.EcdsaP384Sha384,
        TlsSignatureScheme.EcdsaSecp521r1Sha512 => SignatureAlgorithm.EcdsaP521Sha512,
        TlsSignatureScheme.RsaPssRsaeSha256 => SignatureAlgorithm.RsaPssSha256,
        TlsSignatureScheme.RsaPssRsaeSha384 => SignatureAlgorithm.RsaPssSha384,
        TlsSignatureScheme.RsaPssRsaeSha512 => SignatureAlgorithm.RsaPssSha512,
        TlsSignatureScheme.Ed25519 => SignatureAlgorithm.Ed25519,
        TlsSignatureScheme.RsaPssPssSha256 => SignatureAlgorithm.RsaPssKeySha256,
        TlsSignatureScheme.RsaPssPssSha384 => SignatureAlgorithm.RsaPssKeySha384,
        TlsSignatureScheme.RsaPssPssSha512 => SignatureAlgorithm.RsaPssKeySha512,
        _ => SignatureAlgorithm.None,
    };
}
