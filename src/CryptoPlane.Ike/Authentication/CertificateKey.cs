using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Ike.Authentication;

/// <summary>The kinds of key with which a certificate's owner may authenticate.</summary>
internal enum CertificateKey
{
    /// <summary>None of the others, an RSA key of fewer than 2048 bits, or one that cannot be decoded.</summary>
    Unusable,

    /// <summary>RSA (rsaEncryption) with at least 2048 bits.</summary>
    Rsa,

    EcdsaP256,
    EcdsaP384,
    EcdsaP521,
}

/// <summary>Looks at the keys of certificates, a peer's included.</summary>
internal static class CertificateKeys
{
    /// <summary>NIST SP 800-131A.</summary>
    private const int MinimumRsaBits = 2048;

    private const string RsaOid = "1.2.840.113549.1.1.1", EcOid = "1.2.840.10045.2.1";

    // RFC 5480 §2.1.1: the curve is named in the key's parameters: 1.2.840.10045.3.1.7, 1.3.132.0.34 and 1.3.132.0.35.
    private static ReadOnlySpan<byte> P256 => [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
    private static ReadOnlySpan<byte> P384 => [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22];
    private static ReadOnlySpan<byte> P521 => [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23];

    /// <summary>The kind of the certificate's public key.</summary>
    public static CertificateKey Of(X509Certificate2 certificate)
    {
        try
        {
            switch (certificate.PublicKey.Oid.Value)
            {
                case RsaOid:
                    using (RSA? rsa = certificate.GetRSAPublicKey())
                        return rsa?.KeySize >= MinimumRsaBits ? CertificateKey.Rsa : CertificateKey.Unusable;
                case EcOid:
                    ReadOnlySpan<byte> curve = certificate.PublicKey.EncodedParameters?.RawData;
                    return curve.SequenceEqual(P256) ? CertificateKey.EcdsaP256
                        : curve.SequenceEqual(P384) ? CertificateKey.EcdsaP384
                        : curve.SequenceEqual(P521) ? CertificateKey.EcdsaP521
                        : CertificateKey.Unusable;
                default:
                    return CertificateKey.Unusable;
            }
        }
        catch (CryptographicException)
        {
            return CertificateKey.Unusable;
        }
    }

    /// <summary>The hash of the key's strength, which comes first when we sign.</summary>
    public static SignatureHash PreferredHash(this CertificateKey key) => key switch
    {
        CertificateKey.EcdsaP384 => SignatureHash.Sha384,
        CertificateKey.EcdsaP521 => SignatureHash.Sha512,
        _ => SignatureHash.Sha256,
    };
}
