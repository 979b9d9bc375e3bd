using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls;

/// <summary>What a client needs: whom it wants to reach, and whom it trusts to vouch for it. There is no option that accepts every certificate.</summary>
public sealed class TlsClientOptions : TlsOptions
{
    private const int PinSize = 32;

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

    /// <summary>The roots to trust instead of the system's; null for the system's.</summary>
    public X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>How revocation is checked. Online checks open connections while <see cref="TlsPendingWork.Execute"/> runs.</summary>
    public X509RevocationMode RevocationMode { get; init; } = X509RevocationMode.NoCheck;

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
    /// as with a self-signed certificate whose pin was told out of band. Without pins this changes nothing.
    /// </summary>
    public bool TrustPinnedKeysAlone { get; init; }

    /// <summary>Whether <see cref="ServerName"/> is an IP address, which RFC 6066 §3 keeps out of SNI.</summary>
    internal bool IsAddress { get; }
}
