using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls;

/// <summary>What a client needs: whom it wants to reach, and whom it trusts to vouch for it. There is no option that accepts every certificate.</summary>
public sealed class TlsClientOptions : TlsOptions
{
    private const int PinSize = 32, MaxPreSharedKeys = 4;

    /// <summary>Makes options for one server.</summary>
    /// <param name="serverName">A DNS name (internationalised ones as A-labels) or an IP address: what the certificate must be for.</param>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public TlsClientOptions(string serverName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(serverName);
        IsAddress = IPAddress.TryParse(serverName, out _);
        if (!IsAddress && (Uri.CheckHostName(serverName) != UriHostNameType.Dns || !serverName.All(char.IsAscii)))
            throw new ArgumentException($"'{serverName}' is neither a DNS name in ASCII nor an IP address.", nameof(serverName));
        // RFC 6066 §3: the name goes on the wire without a trailing dot.
        ServerName = IsAddress ? serverName : serverName.TrimEnd('.');
    }

    /// <summary>The DNS name or IP address that the server's certificate must be for. A DNS name is also sent (SNI).</summary>
    public string ServerName { get; }

    /// <summary>
    /// The groups whose shares the ClientHello carries: some of <see cref="TlsOptions.Groups"/>, in that order. A server that has none of
    /// them asks for another (HelloRetryRequest), which costs a round trip; a share that it does not choose costs bytes and time. Null,
    /// which is the default, means the first group, and behind <see cref="TlsNamedGroup.X25519MLKem768"/>, which many servers do not have
    /// yet, the second one as well.
    /// </summary>
    /// <exception cref="ArgumentException">The list is empty, or holds what is not built.</exception>
    public IReadOnlyList<TlsNamedGroup>? KeyShareGroups
    {
        get;
        init => field = value == null ? null : Checked(value, group => group.KeyExchange() is not null, nameof(KeyShareGroups));
    }

    /// <summary>
    /// A session to resume (<see cref="TlsClient.TryTakeSession"/> of an earlier connection gave it); null for a whole handshake. A server
    /// that does not take it makes a whole handshake of it, and so does the client if it has other <see cref="Credentials"/> than the earlier
    /// connection had. The certificate was verified by the options of the earlier connection.
    /// </summary>
    /// <exception cref="ArgumentException">The session is with another server.</exception>
    public TlsSession? Session
    {
        get;
        init => field = value == null || string.Equals(value.ServerName, ServerName, StringComparison.OrdinalIgnoreCase)
            ? value
            : throw new ArgumentException($"The session is with {value.ServerName}, and the connection to {ServerName}.", nameof(value));
    }

    /// <summary>
    /// Keys to offer that the client shares with the server (RFC 8446 §4.2.11), at most 4, behind the <see cref="Session"/>. A server that
    /// takes one has shown that it has the key, and shows no certificate; the certificate of one that takes none is verified as ever. The
    /// keys stay the caller's, and must live until the handshake is complete.
    /// </summary>
    /// <exception cref="ArgumentException">There are more than 4.</exception>
    public IReadOnlyList<TlsPreSharedKey> PreSharedKeys
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Count > MaxPreSharedKeys)
                throw new ArgumentException($"A client offers at most {MaxPreSharedKeys} pre-shared keys.", nameof(value));
            field = [.. value];
        }
    } = [];

    /// <summary>
    /// Offers early data (0-RTT, RFC 8446 §2.3) with a <see cref="Session"/> whose server accepts it, for <see cref="TlsClient.WriteEarlyData"/>.
    /// Whoever records it may send it again, and it has no forward secrecy: send only what may happen twice without harm. Off by default.
    /// </summary>
    public bool DangerousSendEarlyData { get; init; }

    /// <summary>Whether to keep the tickets that the server gives, for <see cref="TlsClient.TryTakeSession"/>. Off by default: they are then skipped.</summary>
    public bool KeepSessions { get; init; }

    /// <summary>
    /// What the client shows to a server that asks for a certificate: the first whose issuers and signature schemes the server names. None,
    /// which is the default, or none that fits: the client says that it has none, and the server decides whether to go on.
    /// </summary>
    public IReadOnlyList<TlsCredential> Credentials
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (TlsCredential credential in field)
                hash.AppendData(SHA256.HashData(credential.Certificate.RawData));
            CredentialsDigest = hash.GetHashAndReset();
        }
    } = [];

    /// <summary>
    /// Whether the server may ask for a certificate at any time behind the handshake (RFC 8446 §4.6.2). Off by default: it is then an error of
    /// the server. <see cref="TlsConnection.Read"/> gives <see cref="TlsStatus.NeedsSignature"/> when it asks and a credential fits. The
    /// connection keeps the messages of its handshake for it, and lcores refuse such requests.
    /// </summary>
    public bool AllowPostHandshakeAuthentication { get; init; }

    /// <summary>
    /// Tells <see cref="Credentials"/> apart from others: a session belongs to the identity that its connection had, and is not offered under
    /// another one.
    /// </summary>
    internal byte[] CredentialsDigest { get; private init; } = [];

    /// <summary>The roots to trust instead of the system's; null for the system's.</summary>
    public X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>How revocation is checked. Online checks open connections while <see cref="TlsPendingWork.Execute"/> runs.</summary>
    public X509RevocationMode RevocationMode { get; init; } = X509RevocationMode.NoCheck;

    /// <summary>
    /// Whether to ask for an OCSP response with the server's certificate. One that comes is checked against the issuer in the chain: signed by
    /// it or by a responder that it authorised, for this certificate, good and current; else the handshake ends (RFC 6066 §8). With
    /// <see cref="TrustPinnedKeysAlone"/> there is no chain, and it is not checked. No other certificate of the chain is asked about.
    /// </summary>
    public TlsOcspStapling OcspStapling { get; init; }

    /// <summary>
    /// SHA-256 digests (32 bytes each) of the SubjectPublicKeyInfo of keys that the server may have (RFC 7469's pins). If any are given,
    /// the server's own certificate must have one of the keys, besides what is verified without pins.
    /// </summary>
    /// <exception cref="ArgumentException">A pin does not have 32 bytes.</exception>
    public IReadOnlyList<byte[]> PinnedKeys
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Any(pin => pin.Length != PinSize))
                throw new ArgumentException($"A pin is a SHA-256 digest of {PinSize} bytes.", nameof(value));
            field = [.. value.Select(pin => (byte[])pin.Clone())];
        }
    } = [];

    /// <summary>
    /// Lets a pinned key stand for itself: a certificate with one of <see cref="PinnedKeys"/> needs neither chain nor name nor dates,
    /// as with a self-signed certificate whose pin was told out of band. Without pins this changes nothing. Such a certificate is read as far as
    /// its key and its key usage; the rest is decoded when <see cref="TlsConnection.RemoteCertificate"/> is asked for, which is null if it cannot be.
    /// </summary>
    public bool TrustPinnedKeysAlone { get; init; }

    /// <summary>The groups to send shares of, as <see cref="KeyShareGroups"/> says, in the order of the groups.</summary>
    /// <exception cref="InvalidOperationException">A group of <see cref="KeyShareGroups"/> is not one of <see cref="TlsOptions.Groups"/>.</exception>
    internal IReadOnlyList<TlsNamedGroup> EffectiveKeyShareGroups
    {
        get
        {
            if (KeyShareGroups == null)
                return [.. Groups.Take(Groups[0] == TlsNamedGroup.X25519MLKem768 ? 2 : 1)];
            if (KeyShareGroups.FirstOrDefault(group => !Groups.Contains(group)) is var stranger && stranger != TlsNamedGroup.None)
                throw new InvalidOperationException($"{stranger} is one of KeyShareGroups and not of Groups: add it there.");
            // RFC 8446 §4.2.8: shares are in the order of supported_groups.
            return [.. Groups.Where(KeyShareGroups.Contains)];
        }
    }

    /// <summary>Whether <see cref="ServerName"/> is an IP address, which RFC 6066 §3 keeps out of SNI.</summary>
    internal bool IsAddress { get; }
}
