using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls.Wire;

/// <summary>
/// What a certificate is signed with, as the code points of signature_algorithms_cert (RFC 8446 §4.2.3). A certificate says neither its
/// issuer's curve nor which kind of RSA key the issuer has, so there may be two.
/// </summary>
internal static class CertificateSignatureSchemes
{
    private const string RsaPss = "1.2.840.113549.1.1.10";
    private const ushort RsaSha1 = 0x0201, EcdsaSha1 = 0x0203;

    /// <summary>The schemes that the signature may be of; none if it is of another algorithm.</summary>
    public static ushort[] Of(X509Certificate2 certificate) => certificate.SignatureAlgorithm.Value switch
    {
        "1.2.840.113549.1.1.5" => [RsaSha1],
        "1.2.840.113549.1.1.11" => [0x0401],
        "1.2.840.113549.1.1.12" => [0x0501],
        "1.2.840.113549.1.1.13" => [0x0601],
        "1.2.840.10045.4.1" => [EcdsaSha1],
        "1.2.840.10045.4.3.2" => [0x0403],
        "1.2.840.10045.4.3.3" => [0x0503],
        "1.2.840.10045.4.3.4" => [0x0603],
        "1.3.101.112" => [0x0807],
        "1.3.101.113" => [0x0808],
        RsaPss => OfPss(certificate.RawData),
        _ => [],
    };

    /// <summary>Whether a scheme is one of those with SHA-1.</summary>
    public static bool IsSha1(ushort scheme) => scheme is RsaSha1 or EcdsaSha1;

    private static ushort[] OfPss(byte[] der)
    {
        try
        {
            // RFC 5280 §4.1: tbsCertificate, signatureAlgorithm; RFC 4055 §3.1: its first parameter is the hash.
            AsnReader certificate = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            certificate.ReadEncodedValue();
            AsnReader algorithm = certificate.ReadSequence();
            algorithm.ReadObjectIdentifier();
            AsnReader parameters = algorithm.ReadSequence();
            AsnReader hash = parameters.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true)).ReadSequence();
            return hash.ReadObjectIdentifier() switch
            {
                "2.16.840.1.101.3.4.2.1" => [0x0804, 0x0809],
                "2.16.840.1.101.3.4.2.2" => [0x0805, 0x080A],
                "2.16.840.1.101.3.4.2.3" => [0x0806, 0x080B],
                _ => [],
            };
        }
        catch (Exception exception) when (exception is AsnContentException or CryptographicException)
        {
            // Without the field it is SHA-1, which has no scheme with PSS.
            return [];
        }
    }
}
