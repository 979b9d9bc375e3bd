using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls.AspNetCore;

/// <summary>
/// What an endpoint needs for TLS: one of <see cref="ServerCertificate"/>, <see cref="CertificateSelector"/> and <see cref="ServerOptions"/>.
/// With the first two clients may resume connections, with ticket keys that the endpoint makes, rotates, and keeps to itself.
/// </summary>
public sealed class CryptoPlaneTlsOptions
{
    /// <summary>The certificate, with its private key, whatever name the client asks for.</summary>
    public X509Certificate2? ServerCertificate { get; set; }

    /// <summary>The certificates between <see cref="ServerCertificate"/> and the root, the issuer first, without the root.</summary>
    public X509Certificate2Collection? ServerCertificateChain { get; set; }

    /// <summary>
    /// From the name that the client asks for (SNI; null for none) to the certificate, or to null to refuse the client. Called for every
    /// connection, on several threads: it must be quick and not throw.
    /// </summary>
    public Func<string?, TlsCredential?>? CertificateSelector { get; set; }

    /// <summary>
    /// Everything: suites, groups, client certificates, tickets shared by several servers. If <see cref="TlsOptions.ApplicationProtocols"/>
    /// is empty, the endpoint's HTTP protocols are used.
    /// </summary>
    public TlsServerOptions? ServerOptions { get; set; }

    /// <summary>
    /// Accepts or refuses clients' certificates, where <see cref="ServerOptions"/> leave that to the application
    /// (<see cref="TlsClientAuthentication.ApplicationDecides"/>). It may take its time: that counts for <see cref="HandshakeTimeout"/>, whose
    /// token it is given. One that does neither refuses.
    /// </summary>
    public Func<TlsCertificateDecision, CancellationToken, Task>? ClientCertificateDecision { get; set; }

    /// <summary>How long a client may take for the handshake; <see cref="Timeout.InfiniteTimeSpan"/> for any time.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public TimeSpan HandshakeTimeout
    {
        get;
        set
        {
            if (value != Timeout.InfiniteTimeSpan)
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromSeconds(10);

    /// <summary>The server's options without an endpoint's protocols.</summary>
    /// <exception cref="InvalidOperationException">There is no certificate, or more than one way to it, or early data is asked for.</exception>
    internal TlsServerOptions Build()
    {
        object?[] ways = [ServerCertificate, CertificateSelector, ServerOptions];
        if (ways.Count(way => way is not null) != 1)
            throw new InvalidOperationException("An endpoint with TLS needs one of ServerCertificate, CertificateSelector and ServerOptions.");
        if (ServerCertificateChain is not null && ServerCertificate is null)
            throw new InvalidOperationException("ServerCertificateChain belongs to ServerCertificate: give the others their intermediates in TlsCredential.");
        if (ServerOptions?.DangerousAcceptEarlyData is not null)
            throw new InvalidOperationException("Kestrel has no place for early data, which is not to be mixed with other data.");
        if (ServerOptions is not null)
            return ServerOptions;
        var tickets = new RotatingTicketKeys(TimeProvider.System);
        return ServerCertificate is not null
            ? new TlsServerOptions(new TlsCredential(ServerCertificate, ServerCertificateChain)) { TicketProtector = tickets }
            : new TlsServerOptions(CertificateSelector!) { TicketProtector = tickets };
    }
}
