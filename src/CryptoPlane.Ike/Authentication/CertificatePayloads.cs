using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Authentication;

/// <summary>CERT and CERTREQ payloads of our side (RFC 7296 §3.6, §3.7).</summary>
internal static class CertificatePayloads
{
    /// <summary>Our certificate, then those between it and the root.</summary>
    public static IReadOnlyList<CertificatePayload> Certificates(IkeCertificate ours) =>
        [.. ours.Intermediates.Prepend(ours.Certificate).Select(one => new CertificatePayload(CertificateEncoding.X509Signature, one.RawData))];

    /// <summary>
    /// Asks for a certificate that one of the roots issued: of each, the SHA-1 hash of its SubjectPublicKeyInfo. It names the roots and proves
    /// nothing, so SHA-1 is as good as any hash.
    /// </summary>
    public static CertificateRequestPayload Request(IEnumerable<X509Certificate2> roots)
    {
        List<byte> hashes = [];
        foreach (X509Certificate2 root in roots)
        {
#pragma warning disable CA5350 // RFC 7296 §3.7 says SHA-1.
            hashes.AddRange(SHA1.HashData(root.PublicKey.ExportSubjectPublicKeyInfo()));
#pragma warning restore CA5350
        }
        return new CertificateRequestPayload(CertificateEncoding.X509Signature, [.. hashes]);
    }
}
