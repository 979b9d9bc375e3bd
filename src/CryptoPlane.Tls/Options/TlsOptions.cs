using System.Net.Security;

namespace CryptoPlane.Tls;

/// <summary>What servers and clients have in common. Immutable: one object serves any number of connections on any thread.</summary>
public abstract class TlsOptions
{
    /// <summary>The environment variable that names the key log file, together with <see cref="EnableKeyLog"/>.</summary>
    public const string KeyLogVariable = "SSLKEYLOGFILE";

    private const int MaxProtocolName = 255;

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

    /// <summary>The key exchange groups to negotiate, the preferred first. A client sends a share of the first one only.</summary>
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
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            foreach (SslApplicationProtocol protocol in value)
            {
                if (protocol.Protocol.Length is 0 or > MaxProtocolName)
                    throw new ArgumentException($"A protocol's name has 1 to {MaxProtocolName} bytes, not {protocol.Protocol.Length}.", nameof(value));
            }
            field = [.. value];
        }
    } = [];

    /// <summary>
    /// Writes each connection's secrets to the file that the environment variable <c>SSLKEYLOGFILE</c> names, so that Wireshark can
    /// decrypt a capture. Both must be set. Off by default, and never to be on in production: it gives every connection away.
    /// </summary>
    public bool EnableKeyLog { get; init; }

    private static IReadOnlyList<T> Checked<T>(IReadOnlyList<T> values, Func<T, bool> isKnown, string name)
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
}
