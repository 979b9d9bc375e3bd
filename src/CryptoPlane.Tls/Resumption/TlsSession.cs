using System.Net.Security;
using System.Security.Cryptography;

namespace CryptoPlane.Tls;

/// <summary>
/// What a client needs to resume a connection (RFC 8446 §2.2): a ticket and its pre-shared key, which never leaves the object. Give it to
/// <see cref="TlsClientOptions.Session"/>; best use each once, since a ticket that is seen twice links two connections (§C.4).
/// </summary>
/// <remarks>Immutable; safe for every thread until it is disposed of.</remarks>
public sealed class TlsSession : IDisposable
{
    private readonly byte[] _preSharedKey;
    private readonly byte[] _ticket;
    private readonly byte[] _certificate;
    private readonly byte[] _credentials;
    private readonly uint _ageAdd;
    private readonly long _received;
    private readonly TimeProvider _clock;
    private bool _disposed;

    internal TlsSession(
        TlsClientOptions options, TlsCipherSuite suite, SslApplicationProtocol protocol, byte[] certificate, byte[] preSharedKey, byte[] ticket,
        uint ageAdd, uint lifetime, uint maxEarlyData)
    {
        ApplicationProtocol = protocol;
        MaxEarlyData = maxEarlyData;
        _preSharedKey = preSharedKey;
        _ticket = ticket;
        _ageAdd = ageAdd;
        _clock = options.TimeProvider;
        _received = _clock.GetTimestamp();
        ServerName = options.ServerName;
        CipherSuite = suite;
        _certificate = certificate;
        _credentials = options.CredentialsDigest;
        Lifetime = TimeSpan.FromSeconds(lifetime);
    }

    /// <summary>The server whose certificate was verified when the session began: no other is offered the ticket.</summary>
    public string ServerName { get; }

    /// <summary>The suite, of whose hash the suite of a resumed connection must be.</summary>
    public TlsCipherSuite CipherSuite { get; }

    /// <summary>The application protocol of the connection that the ticket came on: early data is in it. The default value for none.</summary>
    public SslApplicationProtocol ApplicationProtocol { get; }

    /// <summary>Most bytes of early data that the server takes with the ticket, by what it said; 0 for none.</summary>
    public long MaxEarlyData { get; }

    /// <summary>For how long the server takes the ticket, by what it said; at most seven days.</summary>
    public TimeSpan Lifetime { get; }

    /// <summary>Whether the ticket is too old to be of use.</summary>
    public bool IsExpired => Age >= Lifetime;

    /// <summary>The server's certificate, which a resumed handshake does not send again; empty if the session began with a pre-shared key.</summary>
    internal ReadOnlySpan<byte> CertificateData => _certificate;

    internal ReadOnlyMemory<byte> Ticket => _ticket;

    /// <summary>The age in milliseconds and what hides it, modulo 2^32 (RFC 8446 §4.2.11.1).</summary>
    internal uint ObfuscatedAge => unchecked((uint)(long)Age.TotalMilliseconds + _ageAdd);

    /// <exception cref="ObjectDisposedException">The session was disposed of.</exception>
    internal ReadOnlySpan<byte> PreSharedKey
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _preSharedKey;
        }
    }

    /// <summary>Whether the session's connection had the same credentials to show: under others the server would take this client for another.</summary>
    internal bool HasCredentialsOf(TlsClientOptions options) => _credentials.AsSpan().SequenceEqual(options.CredentialsDigest);

    private TimeSpan Age => _clock.GetElapsedTime(_received);

    /// <summary>Erases the pre-shared key of a session that nobody has disposed of.</summary>
    ~TlsSession() => CryptographicOperations.ZeroMemory(_preSharedKey);

    /// <summary>Erases the pre-shared key.</summary>
    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_preSharedKey);
        GC.SuppressFinalize(this);
    }
}
