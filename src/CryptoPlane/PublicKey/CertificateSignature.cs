using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Interop;
using X509PublicKey = System.Security.Cryptography.X509Certificates.PublicKey;

namespace CryptoPlane.PublicKey;

/// <summary>
/// Signatures with the key of an X.509 certificate. Safe for every thread; costs 30 µs (ECDSA) to a millisecond (RSA), so control threads only.
/// </summary>
public static class CertificateSignature
{
    /// <summary>Longest signature that <see cref="Sign"/> makes: RSA with 16,384 bits.</summary>
    public const int MaxSize = 2048;

    private const int Ed25519KeySize = 32;

    private const string RsaKeyOid = "1.2.840.113549.1.1.1", RsaPssKeyOid = "1.2.840.113549.1.1.10";
    private const string EcKeyOid = "1.2.840.10045.2.1", Ed25519KeyOid = "1.3.101.112";

    /// <summary>
    /// Whether the certificate's public key is one of the algorithm: its type, its curve, at least 2048 bits of RSA, and the hash where an
    /// id-RSASSA-PSS key is bound to one.
    /// </summary>
    public static bool Supports(X509Certificate2 certificate, SignatureAlgorithm algorithm)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return Supports(certificate.PublicKey, algorithm);
    }

    /// <summary>The same of a public key without a certificate.</summary>
    public static bool Supports(X509PublicKey key, SignatureAlgorithm algorithm)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (algorithm == SignatureAlgorithm.Ed25519)
            return key.Oid.Value == Ed25519KeyOid && key.EncodedKeyValue.RawData.Length == Ed25519KeySize;
        if (algorithm.IsRsaPssKey())
            return SupportsPssKey(key, algorithm);
        if (!algorithm.IsRsa())
        {
            // RFC 5480 §2.1.1: the curve is named in the key's parameters. Looked at there, since decoding a point costs as much as a
            // signature's verification.
            return algorithm.CurveParameters() is { } curve && key.Oid.Value == EcKeyOid
                && key.EncodedParameters is { } parameters && parameters.RawData.AsSpan().SequenceEqual(curve);
        }
        // Looked at in the encoded key as well: to make a key of it takes as long as to verify a signature.
        return key.Oid.Value == RsaKeyOid && RsaBits(key.EncodedKeyValue.RawData) >= SignatureAlgorithmParts.MinimumRsaBits;
    }

    /// <summary>Signs with the certificate's private key, of ECDSA or of rsaEncryption: other keys are a <see cref="SigningKey"/>.</summary>
    /// <returns>How many bytes of <paramref name="signature"/> were written.</returns>
    /// <exception cref="CryptographicException">The private key is missing, of another algorithm, or cannot be used.</exception>
    public static int Sign(X509Certificate2 certificate, SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, Span<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        int written;
        if (algorithm == SignatureAlgorithm.Ed25519 || algorithm.IsRsaPssKey())
            throw NoKey(algorithm);
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
    /// <returns>False for a wrong signature, and for a key that <see cref="Supports(X509Certificate2, SignatureAlgorithm)"/> refuses.</returns>
    public static bool Verify(X509Certificate2 certificate, SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!Supports(certificate, algorithm))
            return false;
        if (algorithm == SignatureAlgorithm.Ed25519 || algorithm.IsRsaPssKey())
            return VerifyByEvp(certificate.PublicKey, algorithm, data, signature);
        try
        {
            if (algorithm.IsRsa())
            {
                using RSA rsa = certificate.GetRSAPublicKey()!;
                return rsa.VerifyData(data, signature, algorithm.Hash(), RSASignaturePadding.Pss);
            }
            // Null for a certificate whose key usage is key agreement alone: the framework does not take such a key for a signing one.
            using ECDsa? ecdsa = certificate.GetECDsaPublicKey();
            return ecdsa is not null && ecdsa.VerifyData(data, signature, algorithm.Hash(), DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            // A signature whose DER cannot be decoded, or a point that is not on its curve.
            return false;
        }
    }

    /// <summary>
    /// The same with a public key without a certificate, which is much faster where libcrypto would have to decode the certificate first.
    /// </summary>
    public static bool Verify(X509PublicKey key, SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (!Supports(key, algorithm))
            return false;
        if (algorithm == SignatureAlgorithm.Ed25519 || algorithm.IsRsaPssKey())
            return VerifyByEvp(key, algorithm, data, signature);
        try
        {
            if (algorithm.IsRsa())
            {
                using RSA rsa = key.GetRSAPublicKey()!;
                return rsa.VerifyData(data, signature, algorithm.Hash(), RSASignaturePadding.Pss);
            }
            using ECDsa? ecdsa = key.GetECDsaPublicKey();
            return ecdsa is not null && ecdsa.VerifyData(data, signature, algorithm.Hash(), DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            // As above.
            return false;
        }
    }

    /// <summary>Bits of the modulus of an RSAPublicKey (RFC 8017 §A.1.1); 0 if it cannot be decoded.</summary>
    private static int RsaBits(byte[] encodedKey)
    {
        try
        {
            AsnReader key = new AsnReader(encodedKey, AsnEncodingRules.DER).ReadSequence();
            ReadOnlySpan<byte> modulus = key.ReadIntegerBytes().Span;
            // A negative number is no modulus.
            return (modulus[0] & 0x80) != 0 ? 0 : (int)new BigInteger(modulus, isBigEndian: true).GetBitLength();
        }
        catch (AsnContentException)
        {
            return 0;
        }
    }

    private static bool SupportsPssKey(X509PublicKey key, SignatureAlgorithm algorithm)
    {
        // RFC 8446 §4.2.3: "If the corresponding public key's parameters are present, then the parameters in the signature MUST be
        // identical to those in the public key."
        if (key.Oid.Value != RsaPssKeyOid || !RsaPssParameters.Allow(key.EncodedParameters?.RawData, algorithm.Hash()))
            return false;
        nint loaded = EvpSignature.LoadPublicKey(key.ExportSubjectPublicKeyInfo());
        bool strong = loaded != 0 && LibCrypto.EVP_PKEY_get_bits(loaded) >= SignatureAlgorithmParts.MinimumRsaBits;
        LibCrypto.EVP_PKEY_free(loaded);
        return strong;
    }

    private static bool VerifyByEvp(X509PublicKey key, SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        nint loaded = EvpSignature.LoadPublicKey(key.ExportSubjectPublicKeyInfo());
        bool valid = loaded != 0 && EvpSignature.Verify(loaded, algorithm, data, signature);
        LibCrypto.EVP_PKEY_free(loaded);
        return valid;
    }

    private static CryptographicException NoKey(SignatureAlgorithm algorithm) =>
        new($"The certificate has no private key for {algorithm}: load it with its key, for example with X509Certificate2.CreateFromPemFile, or sign with a SigningKey.");
}
