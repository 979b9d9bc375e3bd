using System.Net.Security;

namespace CryptoPlane.Tls;

/// <summary>What a server needs: its certificates, or a way to choose them by the name that the client asks for.</summary>
public sealed class TlsServerOptions : TlsOptions
{
    private readonly Func<string?, IReadOnlyList<TlsCredential>>? _candidates;

    /// <summary>Makes options with one certificate, whatever name the client asks for.</summary>
    public TlsServerOptions(TlsCredential certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        CertificateSelector = _ => certificate;
    }

    /// <summary>Makes options with a certificate per name.</summary>
    /// <param name="certificateSelector">
    /// Takes the name that the client asks for (SNI; null if it asks for none) and gives the certificate, or null to refuse the client
    /// with unrecognized_name. Called on the thread that runs the handshake, for every connection: it must be quick and not throw.
    /// </param>
    public TlsServerOptions(Func<string?, TlsCredential?> certificateSelector)
    {
        ArgumentNullException.ThrowIfNull(certificateSelector);
        CertificateSelector = certificateSelector;
    }

    /// <summary>Makes options with certificates of several kinds, say of ECDSA and of RSA, whatever name the client asks for.</summary>
    /// <param name="certificates">
    /// In order of preference. A client is shown the first whose key and whose chain's signatures it can verify (signature_algorithms and
    /// signature_algorithms_cert, RFC 8446 §4.4.2.2); if there is none, the first whose key it can verify.
    /// </param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public TlsServerOptions(IReadOnlyList<TlsCredential> certificates)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        if (certificates.Count == 0)
            throw new ArgumentException("There is no certificate: give one, or pre-shared keys.", nameof(certificates));
        TlsCredential[] own = [.. certificates];
        _candidates = _ => own;
        CertificateSelector = _ => own[0];
    }

    /// <summary>Makes options with certificates of several kinds per name.</summary>
    /// <param name="certificatesSelector">
    /// Takes the name that the client asks for (SNI; null if it asks for none) and gives the certificates, as the constructor with a list takes
    /// them, or none to refuse the client with unrecognized_name. Called on the thread that runs the handshake, for every connection: it must be
    /// quick and not throw.
    /// </param>
    public TlsServerOptions(Func<string?, IReadOnlyList<TlsCredential>> certificatesSelector)
    {
        ArgumentNullException.ThrowIfNull(certificatesSelector);
        _candidates = certificatesSelector;
        CertificateSelector = name => certificatesSelector(name) is [var first, ..] ? first : null;
    }

    /// <summary>Makes options without a certificate: clients that share no key with the server are refused.</summary>
    /// <param name="preSharedKeys">The keys.</param>
    public TlsServerOptions(ITlsPreSharedKeys preSharedKeys)
    {
        ArgumentNullException.ThrowIfNull(preSharedKeys);
        PreSharedKeys = preSharedKeys;
        CertificateSelector = _ => null;
        HasCertificates = false;
    }

    /// <summary>
    /// The keys that the server shares with clients (RFC 8446 §4.2.11); null, which is the default, for none. A client without one of them
    /// is shown the certificate, if there is one. <see cref="TlsConnection.PreSharedKeyIdentity"/> says which client it is.
    /// </summary>
    public ITlsPreSharedKeys? PreSharedKeys { get; init; }

    /// <summary>How clients are asked for certificates; null, which is the default, to ask for none.</summary>
    public TlsClientAuthentication? ClientAuthentication { get; init; }

    /// <summary>
    /// Seals session tickets, so that clients may come back without certificate and signature (RFC 8446 §2.2), always with a key exchange
    /// of their own. Null, which is the default, for no tickets.
    /// </summary>
    public ITlsTicketProtector? TicketProtector { get; init; }

    /// <summary>How many tickets each connection is given, at most 8: a client uses each once, and browsers open connections in pairs.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 0 or more than 8.</exception>
    public int TicketCount
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 8);
            field = value;
        }
    } = 2;

    /// <summary>For how long a ticket is taken: at least a second, at most seven days (RFC 8446 §4.6.1).</summary>
    /// <exception cref="ArgumentOutOfRangeException">Shorter or longer.</exception>
    public TimeSpan TicketLifetime
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromSeconds(1));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromSeconds(Wire.NewSessionTicketMessage.MaxLifetime));
            field = value;
        }
    } = TimeSpan.FromHours(8);

    /// <summary>By how much the clocks of servers that share ticket keys may differ.</summary>
    public TimeSpan TicketClockSkew { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Remembers used tickets, so that each is taken once; null, which is the default, takes a ticket as often as it comes.</summary>
    public ITlsTicketRegister? TicketRegister { get; init; }

    /// <summary>
    /// Accepts early data (0-RTT) as this policy says: it can be repeated by others, as <see cref="TlsEarlyDataPolicy"/> explains. Needs a
    /// <see cref="TicketProtector"/>, and has no effect together with <see cref="ClientAuthentication"/>. Null, which is the default, rejects it,
    /// and clients that keep the protocol send it again.
    /// </summary>
    public TlsEarlyDataPolicy? DangerousAcceptEarlyData { get; init; }

    /// <summary>From the client's server_name (null if there is none) to the certificate, the first if there are several, or null to refuse.</summary>
    public Func<string?, TlsCredential?> CertificateSelector { get; }

    /// <summary>The certificates for a client's server_name, the preferred one first; none to refuse.</summary>
    internal IReadOnlyList<TlsCredential> CertificatesFor(string? serverName)
    {
        if (_candidates is not null)
            return _candidates(serverName);
        return CertificateSelector(serverName) is { } certificate ? [certificate] : [];
    }

    /// <summary>Whether the selector can give one at all.</summary>
    internal bool HasCertificates { get; } = true;

    /// <summary>A copy with other application protocols, for an endpoint that has protocols of its own.</summary>
    /// <param name="applicationProtocols">As <see cref="TlsOptions.ApplicationProtocols"/>.</param>
    /// <exception cref="ArgumentException">A name is empty or longer than 255 bytes.</exception>
    public TlsServerOptions WithApplicationProtocols(IReadOnlyList<SslApplicationProtocol> applicationProtocols) =>
        (TlsServerOptions)CopyWith(applicationProtocols);
}
