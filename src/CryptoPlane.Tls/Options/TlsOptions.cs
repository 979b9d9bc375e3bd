using System.Net.Security;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls;

/// <summary>What servers and clients have in common. Immutable: one object serves any number of connections on any thread.</summary>
public abstract class TlsOptions
{
    /// <summary>The environment variable that names the key log file, together with <see cref="EnableKeyLog"/>.</summary>
    public const string KeyLogVariable = "SSLKEYLOGFILE";

    private const int MaxProtocolName = 255;

    private IReadOnlyList<SslApplicationProtocol> _applicationProtocols = [];

    private protected TlsOptions()
    {
    }

    /// <summary>The cipher suites to negotiate, the preferred first. By default all three.</summary>
    /// <exception cref="ArgumentException">The list is empty, or holds what is not built.</exception>
    public IReadOnlyList<TlsCipherSuite> CipherSuites
    {
        get;
        init => field = Checked(value, suite => Enum.IsDefined(suite) && suite != TlsCipherSuite.None, nameof(CipherSuites));
    } = [TlsCipherSuite.Aes128GcmSha256, TlsCipherSuite.Aes256GcmSha384, TlsCipherSuite.ChaCha20Poly1305Sha256];

    /// <summary>The key exchange groups to negotiate, the preferred first.</summary>
    /// <exception cref="ArgumentException">The list is empty, or holds what is not built.</exception>
    public IReadOnlyList<TlsNamedGroup> Groups
    {
        get;
        init => field = Checked(value, group => group.KeyExchange() is not null, nameof(Groups));
    } = TlsNamedGroups.Default;

    /// <summary>The signature schemes to sign or to accept a CertificateVerify with, the preferred first.</summary>
    /// <exception cref="ArgumentException">The list is empty, or holds what is not built.</exception>
    public IReadOnlyList<TlsSignatureScheme> SignatureSchemes
    {
        get;
        init => field = Checked(value, scheme => scheme.Algorithm() != PublicKey.SignatureAlgorithm.None, nameof(SignatureSchemes));
    } = TlsSignatureSchemes.Default;

    /// <summary>
    /// The application protocols (ALPN, RFC 7301), the preferred first. Empty: a client offers none, and a server ignores what is offered.
    /// A server with protocols refuses a client that offers only others, and accepts one that offers none at all.
    /// </summary>
    /// <exception cref="ArgumentException">A name is empty or longer than 255 bytes.</exception>
    public IReadOnlyList<SslApplicationProtocol> ApplicationProtocols
    {
        get => _applicationProtocols;
        init => _applicationProtocols = Checked(value);
    }

    /// <summary>
    /// The longest record that this side is ready to open, in bytes of content, type and padding (RFC 8449): 64 to 16,385, which is the
    /// most that TLS 1.3 allows and the default. It is always told to the peer; one that knows the extension keeps to it, and tells a limit
    /// of its own, to which this side keeps. For buffers that are small, or should be.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than 64 or more than 16,385.</exception>
    public int RecordSizeLimit
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, RecordSizeLimitExtension.Minimum);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TlsRecordSizes.MaxInnerPlaintext);
            field = value;
        }
    } = TlsRecordSizes.MaxInnerPlaintext;

    /// <summary>
    /// How the peer may compress its certificates (RFC 8879). None by default: it saves a kilobyte of a chain, and lets a stranger's data into
    /// a decompressor; what that makes of it is bounded to 64 KiB. Our own certificates are compressed for every peer that offers it.
    /// </summary>
    /// <exception cref="ArgumentException">The list holds what is not built.</exception>
    public IReadOnlyList<TlsCertificateCompression> CertificateCompression
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value.Count == 0 ? [] : Checked(value, one => one is TlsCertificateCompression.Zlib or TlsCertificateCompression.Brotli, nameof(CertificateCompression));
        }
    } = [];

    /// <summary>The clock that tickets age by; the system's by default.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// Writes each connection's secrets to the file that the environment variable <c>SSLKEYLOGFILE</c> names, so that Wireshark can
    /// decrypt a capture. Both must be set. Off by default, and never to be on in production: it gives every connection away.
    /// </summary>
    public bool EnableKeyLog { get; init; }

    private protected static IReadOnlyList<T> Checked<T>(IReadOnlyList<T> values, Func<T, bool> isKnown, string name)
    {
        ArgumentNullException.ThrowIfNull(values, name);
        if (values.Count == 0)
            throw new ArgumentException($"{name} is empty: name at least one.", name);
        foreach (T value in values)
        {
            if (!isKnown(value))
                throw new ArgumentException($"{value} is not one of the {name} that are built.", name);
        }
        return [.. values.Distinct()];
    }

    /// <summary>A copy with other application protocols.</summary>
    private protected TlsOptions CopyWith(IReadOnlyList<SslApplicationProtocol> applicationProtocols)
    {
        var copy = (TlsOptions)MemberwiseClone();
        copy._applicationProtocols = Checked(applicationProtocols);
        return copy;
    }

    private static SslApplicationProtocol[] Checked(IReadOnlyList<SslApplicationProtocol> value)
    {
        ArgumentNullException.ThrowIfNull(value);
        foreach (SslApplicationProtocol protocol in value)
        {
            if (protocol.Protocol.Length is 0 or > MaxProtocolName)
                throw new ArgumentException($"A protocol's name has 1 to {MaxProtocolName} bytes, not {protocol.Protocol.Length}.", nameof(value));
        }
        return [.. value];
    }
}
