using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake;

/// <summary>
/// Everything a server verifies about its client: signature and usage, what its oid_filters ask for, then chain, dates and purpose where there
/// are roots to trust.
/// </summary>
/// <param name="options">Whom the server trusts.</param>
/// <param name="chain">What the client sent, its own certificate first; at least one.</param>
/// <param name="scheme">One of the schemes that the server asked for.</param>
/// <param name="content">What the signature is over.</param>
/// <param name="signature">The client's signature.</param>
internal sealed class ClientCertificateVerification(TlsClientAuthentication options, byte[][] chain, TlsSignatureScheme scheme, byte[] content, byte[] signature)
    : PeerCertificateVerification("client", chain, scheme, content, signature)
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private protected override TlsError? VerifyTrust(X509Certificate2 certificate, X509Certificate2Collection others)
    {
        // RFC 8446 §4.2.5: a client may have passed over the filters; the server may "abort the handshake with an "unsupported_certificate"
        // alert".
        if (options.OidFilters is { } data
            && (OidFiltersExtension.Parse(data, out OidFiltersExtension.FilterList filters) is not null || !filters.Match(certificate)))
            return TlsError.Rejected(TlsAlert.UnsupportedCertificate, "The client's certificate does not have the usages that are asked for.");
        // Without roots the application decides, with the certificates in hand.
        return options.TrustedRoots is { } roots ? VerifyChain(certificate, others, ClientAuthentication, roots, options.RevocationMode) : null;
    }
}
