using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>Which of a server's certificates a client is shown, and what it is proved with (RFC 8446 §4.4.2.2).</summary>
internal static class ServerCertificateChoice
{
    /// <summary>Chooses the certificate and the scheme to sign with.</summary>
    public static TlsError? Choose(
        TlsServerOptions options, ExtensionList extensions, string? serverName, out TlsCredential? certificate, out TlsSignatureScheme scheme)
    {
        certificate = null;
        scheme = TlsSignatureScheme.None;
        IReadOnlyList<TlsCredential> candidates = options.CertificatesFor(serverName);
        if (candidates.Count == 0)
            return NoCertificate(options);
        if (SignatureAlgorithmsExtension.Parse(extensions, "ClientHello", out CodePointList schemes, out CodePointList certificateSchemes) is { } error)
            return error;

        foreach (TlsCredential candidate in candidates)
        {
            TlsSignatureScheme own = SchemeOf(candidate, options, schemes);
            if (own == TlsSignatureScheme.None)
                continue;
            bool isAcceptable = candidate.IsSignedWith(certificateSchemes);
            // RFC 8446 §4.4.2.2: without a chain that the client lists, the server "SHOULD continue the handshake by sending the client a
            // certificate chain of its choice". SHA-1 in it is only for clients that list that.
            if (isAcceptable || (certificate is null && !candidate.IsSignedWithUnlistedSha1(certificateSchemes)))
                (certificate, scheme) = (candidate, own);
            if (isAcceptable)
                return null;
        }
        return certificate is not null
            ? null
            : TlsError.Incompatible(TlsAlert.HandshakeFailure, "The client accepts no signature scheme of the server's certificates.");
    }

    /// <summary>For a client that resumes: its name must still be one of ours.</summary>
    public static TlsError? CheckName(TlsServerOptions options, string? serverName) =>
        options.CertificatesFor(serverName).Count == 0 ? NoCertificate(options) : null;

    private static TlsSignatureScheme SchemeOf(TlsCredential candidate, TlsServerOptions options, CodePointList offered)
    {
        foreach (TlsSignatureScheme scheme in options.SignatureSchemes)
        {
            if (candidate.Supports(scheme) && offered.Contains((ushort)scheme))
                return scheme;
        }
        return TlsSignatureScheme.None;
    }

    private static TlsError NoCertificate(TlsServerOptions options) => options.HasCertificates
        ? TlsError.Incompatible(TlsAlert.UnrecognizedName, "The server has no certificate for the name that the client asks for.")
        // RFC 8446 §6.2: "unknown_psk_identity: Sent by servers when PSK key establishment is desired but no acceptable PSK identity is
        // provided by the client."
        : TlsError.Incompatible(TlsAlert.UnknownPskIdentity, "The client offers no pre-shared key of this server's, which has no certificate.");
}
