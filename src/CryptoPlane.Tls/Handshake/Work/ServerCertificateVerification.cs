using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Handshake.Resumption;
using X509PublicKey = System.Security.Cryptography.X509Certificates.PublicKey;

namespace CryptoPlane.Tls.Handshake;

/// <summary>Everything a client verifies about its server: signature and usage, then pins, chain, dates, purpose and name.</summary>
/// <param name="options">Whom the client wants to reach and trusts.</param>
/// <param name="chain">What the server sent, its own certificate first; at least one.</param>
/// <param name="scheme">One of the schemes that the client offered.</param>
/// <param name="content">What the signature is over.</param>
/// <param name="signature">The server's signature.</param>
/// <param name="ocspResponse">What came with the certificate; empty for nothing.</param>
internal sealed class ServerCertificateVerification(
    TlsClientOptions options, byte[][] chain, TlsSignatureScheme scheme, byte[] content, byte[] signature, byte[] ocspResponse)
    : PeerCertificateVerification("server", chain, scheme, content, signature)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>With pins alone nothing but the key counts. What does not fit goes the way of all certificates, which says why.</summary>
    private protected override X509PublicKey? KnownKey()
    {
        if (!options.TrustPinnedKeysAlone || !CertificateKey.TryRead(CertificateData, out CertificateKey key) || !key.MaySign
            || !IsPinned(SHA256.HashData(key.SubjectPublicKeyInfo.Span)))
            return null;
        try
        {
            return X509PublicKey.CreateFromSubjectPublicKeyInfo(key.SubjectPublicKeyInfo.Span, out _);
        }
        catch (CryptographicException)
        {
            // Somebody has pinned what is no key.
            return null;
        }
    }

    private protected override TlsError? VerifyTrust(X509Certificate2 certificate, X509Certificate2Collection others)
    {
        if (options.PinnedKeys.Count != 0)
        {
            if (!IsPinned(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo())))
                return TlsError.Rejected(TlsAlert.CertificateUnknown, "The server's key is none of the pinned ones.");
            if (options.TrustPinnedKeysAlone)
                return null;
        }
        if (VerifyChain(certificate, others, ServerAuthentication, options.TrustedRoots, options.RevocationMode) is { } error)
            return error;
        return certificate.MatchesHostname(options.ServerName, allowWildcards: true, allowCommonName: false)
            ? null
            : TlsError.Rejected(TlsAlert.CertificateUnknown, $"The server's certificate is not for '{options.ServerName}'.");
    }

    private bool IsPinned(byte[] digest) => options.PinnedKeys.Any(pin => pin.AsSpan().SequenceEqual(digest));

    private protected override TlsError? VerifyStatus(X509Certificate2 certificate, X509Certificate2 issuer)
    {
        if (ocspResponse.Length == 0)
        {
            return options.OcspStapling == TlsOcspStapling.Required
                ? TlsError.Rejected(TlsAlert.BadCertificateStatusResponse, "The server sent no OCSP response with its certificate.")
                : null;
        }
        // RFC 6066 §8: "Clients requesting an OCSP response and receiving an OCSP response … MUST check the OCSP response and abort the handshake
        // if the response is not satisfactory with bad_certificate_status_response(113) alert."
        return OcspResponse.Check(ocspResponse, certificate, issuer, options.TimeProvider.UnixMilliseconds()) switch
        {
            OcspVerdict.Good => null,
            OcspVerdict.Revoked => TlsError.Rejected(TlsAlert.CertificateRevoked, "The server's certificate is revoked, as its OCSP response says."),
            var verdict => TlsError.Rejected(TlsAlert.BadCertificateStatusResponse, $"The OCSP response with the server's certificate is not good: {verdict}."),
        };
    }
}
