using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Handshake.Resumption;

namespace CryptoPlane.Tls.Handshake;

/// <summary>Who may sign OCSP responses, and whether he has (RFC 6960 §4.2.2.2).</summary>
internal static class OcspSignature
{
    private const string OcspSigning = "1.3.6.1.5.5.7.3.9";
    private const int MinRsaBits = 2048;

    /// <summary>Verifies a signature with the key of a certificate: RSA (PKCS #1 v1.5) or ECDSA, with SHA-256, SHA-384 or SHA-512.</summary>
    public static bool Verify(X509Certificate2 signer, string algorithm, ReadOnlySpan<byte> content, byte[] signature)
    {
        if (Hash(algorithm) is not { } hash)
            return false;
        using RSA? rsa = signer.GetRSAPublicKey();
        if (rsa is not null)
            return IsRsa(algorithm) && rsa.KeySize >= MinRsaBits && rsa.VerifyData(content, signature, hash, RSASignaturePadding.Pkcs1);
        using ECDsa? ecdsa = signer.GetECDsaPublicKey();
        return ecdsa is not null && !IsRsa(algorithm) && ecdsa.VerifyData(content, signature, hash, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <summary>Whether the issuer itself has given a responder a certificate for OCSP, which is valid now.</summary>
    public static bool IsResponderOf(X509Certificate2 responder, X509Certificate2 issuer, long now)
    {
        if (!responder.IssuerName.RawData.AsSpan().SequenceEqual(issuer.SubjectName.RawData)
            || now < responder.BeginUnixMilliseconds() || now > responder.EndUnixMilliseconds())
            return false;
        bool isForOcsp = false;
        foreach (X509Extension extension in responder.Extensions)
            isForOcsp |= extension is X509EnhancedKeyUsageExtension usage && usage.EnhancedKeyUsages[OcspSigning] is not null;
        if (!isForOcsp)
            return false;
        // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue BIT STRING }
        AsnReader certificate = new AsnReader(responder.RawDataMemory, AsnEncodingRules.DER).ReadSequence();
        ReadOnlyMemory<byte> signed = certificate.ReadEncodedValue();
        string algorithm = certificate.ReadSequence().ReadObjectIdentifier();
        return Verify(issuer, algorithm, signed.Span, certificate.ReadBitString(out _));
    }

    private static bool IsRsa(string algorithm) => algorithm.StartsWith("1.2.840.113549.1.1.", StringComparison.Ordinal);

    private static HashAlgorithmName? Hash(string algorithm) => algorithm switch
    {
        "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
        _ => null,
    };
}
