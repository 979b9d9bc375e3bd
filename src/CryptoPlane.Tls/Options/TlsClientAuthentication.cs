using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls;

/// <summary>How a server asks its clients for certificates (RFC 8446 §4.3.2), and which of them it accepts. Immutable, for any number of connections.</summary>
public sealed class TlsClientAuthentication
{
    private readonly Lazy<byte[]> _digest;

    /// <summary>Asks for certificates below some roots.</summary>
    /// <param name="trustedRoots">
    /// At least one. The system's roots have no part in it: a certificate that a public authority gave to anybody opens no door here.
    /// </param>
    /// <exception cref="ArgumentException">There is no root.</exception>
    public TlsClientAuthentication(X509Certificate2Collection trustedRoots)
        : this()
    {
        ArgumentNullException.ThrowIfNull(trustedRoots);
        if (trustedRoots.Count == 0)
            throw new ArgumentException("There is no root: nobody could log in.", nameof(trustedRoots));
        TrustedRoots = [.. trustedRoots];
        Authorities = [.. trustedRoots.Select(root => root.SubjectName)];
        ApplicationDecides = false;
    }

    /// <summary>Asks for certificates of any issuer: the application alone decides about each, by <see cref="TlsCertificateDecision"/>.</summary>
    public TlsClientAuthentication()
    {
        ApplicationDecides = true;
        _digest = new Lazy<byte[]>(ComputeDigest);
    }

    /// <summary>
    /// Whether a client without a certificate is refused, with certificate_required; true by default. If not, its connection has no
    /// <see cref="TlsConnection.RemoteCertificate"/>. Where one is required, a key of <see cref="TlsServerOptions.PreSharedKeys"/> does not stand
    /// for it.
    /// </summary>
    public bool IsRequired { get; init; } = true;

    /// <summary>
    /// Whether the handshake asks for nothing, and <see cref="TlsServer.TryRequestCertificate"/> does behind it, of clients that allow that
    /// (RFC 8446 §4.6.2). False by default.
    /// </summary>
    public bool IsDeferred { get; init; }

    /// <summary>The roots of the chains; null where the application decides alone.</summary>
    public X509Certificate2Collection? TrustedRoots { get; }

    /// <summary>How revocation is checked. Online checks open connections while <see cref="TlsPendingWork.Execute"/> runs.</summary>
    public X509RevocationMode RevocationMode { get; init; } = X509RevocationMode.NoCheck;

    /// <summary>
    /// Whether the application is asked about each certificate (<see cref="TlsStatus.NeedsCertificateDecision"/>), behind the verification of
    /// its chain if there are roots. A connection that resumes one with a certificate asks again.
    /// </summary>
    /// <exception cref="ArgumentException">False, and there are no roots: then nobody would verify anything.</exception>
    public bool ApplicationDecides
    {
        get;
        init => field = value || TrustedRoots != null
            ? value
            : throw new ArgumentException("Without roots the application must decide: give roots to trust.", nameof(value));
    }

    /// <summary>The authorities that the request names, so that a client with several certificates can choose: the roots by default; empty for none.</summary>
    public IReadOnlyList<X500DistinguishedName> Authorities
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
            AuthorityNames = [.. value.Select(name => name.RawData)];
        }
    } = [];

    /// <summary>
    /// The key usages that a certificate must have in its extension; the request says so (oid_filters, RFC 8446 §4.2.5), so that a client with
    /// several certificates can choose, and others are refused with unsupported_certificate. None, which is the default, asks for no extension.
    /// </summary>
    public X509KeyUsageFlags RequiredKeyUsages
    {
        get;
        init
        {
            field = value;
            OidFilters = OidFiltersExtension.Encode(value, Purposes(RequiredPurposes));
        }
    }

    /// <summary>
    /// The purposes that a certificate must have in its extended key usage, as <see cref="RequiredKeyUsages"/>; empty, which is the default, for
    /// none beyond what the chain must be good for.
    /// </summary>
    /// <exception cref="ArgumentException">One has no value, is no object identifier, or is anyExtendedKeyUsage, which cannot be asked for.</exception>
    public IReadOnlyList<Oid> RequiredPurposes
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
            try
            {
                OidFilters = OidFiltersExtension.Encode(RequiredKeyUsages, Purposes(field));
            }
            catch (CryptographicException exception)
            {
                throw new ArgumentException("A purpose is no object identifier: give numbers with dots between them.", nameof(value), exception);
            }
        }
    } = [];

    /// <summary>The data of oid_filters; null for none.</summary>
    internal byte[]? OidFilters { get; private init; }

    /// <summary><see cref="Authorities"/> in DER.</summary>
    internal IReadOnlyList<byte[]> AuthorityNames { get; private init; } = [];

    /// <summary>
    /// What accepted a certificate, as 32 bytes: a session whose certificate was accepted by other roots or rules is not resumed.
    /// </summary>
    internal ReadOnlySpan<byte> Digest => _digest.Value;

    private byte[] ComputeDigest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([ApplicationDecides ? (byte)1 : (byte)0, (byte)RevocationMode]);
        IEnumerable<byte[]> roots = (TrustedRoots ?? []).Select(root => SHA256.HashData(root.RawData));
        foreach (byte[] root in roots.OrderBy(Convert.ToHexString, StringComparer.Ordinal))
            hash.AppendData(root);
        hash.AppendData(OidFilters ?? []);
        return hash.GetHashAndReset();
    }

    private static OidCollection Purposes(IReadOnlyList<Oid> purposes)
    {
        var collection = new OidCollection();
        foreach (Oid purpose in purposes)
        {
            if (purpose.Value is null or OidFiltersExtension.AnyExtendedKeyUsage)
            {
                throw new ArgumentException(
                    "A purpose has no value, or is anyExtendedKeyUsage, which RFC 8446 §4.2.5 forbids to ask for.", nameof(purposes));
            }
            collection.Add(purpose);
        }
        return collection;
    }
}
