using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.PublicKey;

/// <summary>
/// Signatures with the key of an X.509 certificate. Safe for every thread; costs 30 µs (ECDSA) to a millisecond (RSA), so control threads only.
/// </summary>
public static class CertificateSignature
{
    /// <summary>Longest signature that <see cref="Sign"/> makes: RSA with 16,384 bits.</summary>
    public const int MaxSize = 2048;

    private const string RsaKeyOid = "1.2.840.113549.1.1.1", EcKeyOid = "1.2.840.10045.2.1";

    /// <summary>Whether the certificate's public key is one of the algorithm: its type, its curve, and at least 2048 bits of RSA.</summary>
    public static bool Supports(X509Certificate2 certificate, SignatureAlgorithm algorithm)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (!algorithm.IsRsa())
        {
            // RFC 5480 §2.1.1: the curve is named in the key's parameters. Looked at there, since decoding a point costs as much as a
            // signature's verification.
            return algorithm.CurveParameters() is { } curve && certificate.PublicKey.Oid.Value == EcKeyOid
                && certificate.PublicKey.EncodedParameters is { } parameters && parameters.RawData.AsSpan().SequenceEqual(curve);
        }
        try
        {
            using RSA? rsa = certificate.PublicKey.Oid.Value == RsaKeyOid ? certificate.GetRSAPublicKey() : null;
            return rsa is not null && rsa.KeySize >= SignatureAlgorithmParts.MinimumRsaBits;
        }
        catch (CryptographicException)
        {
            // The certificate may be a peer's: a key that cannot be decoded.
            return false;
        }
    }

    /// <summary>Signs with the certificate's private key.</summary>
    /// <returns>How many bytes of <paramref name="signature"/> were written.</returns>
    /// <exception cref="CryptographicException">The private key is missing, of another algorithm, or cannot be used.</exception>
    public static int Sign(X509Certificate2 certificate, SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, Span<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        int written;
        if (algorithm.IsRsa())
        {
            using RSA rsa = certificate.GetRSAPrivateKey() ?? throw NoKey(algorithm);
            // RFC 8446 §4.2.3: the salt is as long as the digest, which is what the framework's Pss means.
            if (rsa.TrySignData(data, signature, algorithm.Hash(), RSASignaturePadding.Pss, out written))
                return written;
        }
        else
        {
            using ECDsa ecdsa = certificate.GetECDsaPrivateKey() ?? throw NoKey(algorithm);
            if (ecdsa.TrySignData(data, signature, algorithm.Hash(), DSASignatureFormat.Rfc3279DerSequence, out written))
                return written;
        }
        throw new CryptographicException($"A signature of {algorithm} does not fit {signature.Length} bytes: give room for {MaxSize}.");
    }

    /// <summary>Verifies a signature with the certificate's public key.</summary>
    /// <returns>False for a wrong signature, and for a key that <see cref="Supports"/> refuses.</returns>
    public static bool Verify(X509Certificate2 certificate, SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!Supports(certificate, algorithm))
            return false;
        try
        {
            if (algorithm.IsRsa())
            {
                using RSA rsa = certificate.GetRSAPublicKey()!;
                return rsa.VerifyData(data, signature, algorithm.Hash(), RSASignaturePadding.Pss);
            }
            using ECDsa ecdsa = certificate.GetECDsaPublicKey()!;
            return ecdsa.VerifyData(data, signature, algorithm.Hash(), DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            // A signature whose DER cannot be decoded, or a point that is not on its curve.
            return false;
        }
    }

    private static CryptographicException NoKey(SignatureAlgorithm algorithm) =>
        new($"The certificate has no private key for {algorithm}: load it with its key, for example with X509Certificate2.CreateFromPemFile.");
}
