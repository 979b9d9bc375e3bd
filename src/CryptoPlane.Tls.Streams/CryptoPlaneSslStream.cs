using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls.Streams;

/// <summary>
/// TLS 1.3 over any stream, with the method names of <see cref="SslStream"/> and its behaviour, but for what is said below. Authenticate
/// first, then read and write; <see cref="ShutdownAsync"/> says that this side is done.
/// </summary>
/// <remarks>
/// <para><b>Threads.</b> One read and one write may be under way at a time, on any threads. Public-key work of the asynchronous handshake
/// runs on the thread pool. Records are sealed and opened on the thread that calls.</para>
/// <para><b>The end.</b> <see cref="ReadAsync(Memory{byte}, CancellationToken)"/> gives 0 only behind the peer's close_notify. A stream that
/// ends without it was cut off, by the peer or by somebody in between (RFC 8446 §6.1): that is an <see cref="EndOfStreamException"/>, where
/// <see cref="SslStream"/> gives 0 as well, and this one only with <see cref="AllowsTruncation"/>. Disposing sends nothing.</para>
/// <para><b>Buffers</b> come from the shared array pool, and go back whenever nothing is in them: up to 32 KiB while a read waits (none for
/// a read of zero bytes), 16 KiB while a record has been read in part, 64 KiB during a large write.</para>
/// <para><b>Errors.</b> A handshake that fails is an <see cref="AuthenticationException"/>, everything else that the peer does wrong an
/// <see cref="IOException"/>; <see cref="Error"/> says which alert it was. What the inner stream throws comes through as it is.</para>
/// </remarks>
public sealed partial class CryptoPlaneSslStream : Stream
{
    /// <summary>Guards <see cref="_connection"/>: one thread at a time. Never held while something waits.</summary>
    private readonly Lock _gate = new();

    /// <summary>Whose turn it is to write to the inner stream: the writer's, or that of what is owed to the peer.</summary>
    private readonly SemaphoreSlim _turn = new(1, 1);

    private readonly bool _leaveInnerStreamOpen;
    private TlsConnection? _connection;
    
    /// <summary>Whether public-key work may be under way on another thread: whoever waits for it disposes of the connection.</summary>
    private bool _hasWork;

    private volatile bool _authenticated;
    private volatile bool _disposed;
    private X509Certificate2? _remoteCertificate;

    /// <summary>Makes a stream that is to be authenticated.</summary>
    /// <param name="innerStream">Carries the records, such as a <see cref="System.Net.Sockets.NetworkStream"/>.</param>
    /// <param name="leaveInnerStreamOpen">Whether the inner stream outlives this one.</param>
    /// <exception cref="ArgumentException">The inner stream cannot be read or written.</exception>
    public CryptoPlaneSslStream(Stream innerStream, bool leaveInnerStreamOpen = false)
    {
        ArgumentNullException.ThrowIfNull(innerStream);
        if (!innerStream.CanRead || !innerStream.CanWrite)
            throw new ArgumentException("The inner stream must be readable and writable.", nameof(innerStream));
        InnerStream = innerStream;
        _leaveInnerStreamOpen = leaveInnerStreamOpen;
    }

    /// <summary>
    /// Accepts or refuses clients' certificates, where the server's options leave that to the application
    /// (<see cref="TlsClientAuthentication.ApplicationDecides"/>). It may take its time, and is given the token of the handshake. Null, which is
    /// the default, and one that decides nothing, refuse.
    /// </summary>
    public Func<TlsCertificateDecision, CancellationToken, Task>? ClientCertificateDecision { get; init; }

    /// <summary>
    /// Whether an end of the stream without close_notify is an end like any other, as it is for <see cref="SslStream"/>. Only for protocols that
    /// say themselves how long their messages are, as HTTP does (RFC 9112 §9.8). False by default.
    /// </summary>
    public bool AllowsTruncation { get; init; }

    /// <summary>Whether the handshake is complete.</summary>
    public bool IsAuthenticated => _authenticated;

    /// <summary>Whether the client has shown a certificate. Known on the server's side alone: false on the client's.</summary>
    public bool IsMutuallyAuthenticated => _authenticated && IsServer && _connection!.RemoteCertificate is not null;

    /// <summary>Whether the data is encrypted: once the handshake is complete.</summary>
    public bool IsEncrypted => _authenticated;

    /// <summary>Whether the data is protected from changes: once the handshake is complete.</summary>
    public bool IsSigned => _authenticated;

    /// <summary>Whether this is the server's side.</summary>
    public bool IsServer => _connection is TlsServer;

    /// <summary>The version: TLS 1.3, or none before the handshake is complete.</summary>
    public SslProtocols SslProtocol => _authenticated ? SslProtocols.Tls13 : SslProtocols.None;

    /// <summary>The negotiated cipher suite.</summary>
    /// <exception cref="InvalidOperationException">The handshake is not complete.</exception>
    public System.Net.Security.TlsCipherSuite NegotiatedCipherSuite => (System.Net.Security.TlsCipherSuite)Authenticated.NegotiatedCipherSuite;

    /// <summary>The negotiated application protocol (ALPN); the default value if there is none.</summary>
    public SslApplicationProtocol NegotiatedApplicationProtocol => _connection?.ApplicationProtocol ?? default;

    /// <summary>The name that the client asked for (SNI), or that of the server to reach; empty if there is none.</summary>
    public string TargetHostName { get; private set; } = "";

    /// <summary>The peer's certificate, verified; null if it has shown none. It outlives the stream.</summary>
    public X509Certificate? RemoteCertificate
    {
        get
        {
            lock (_gate)
            {
                if (_remoteCertificate is null && !_disposed && _authenticated && _connection!.RemoteCertificate is { } certificate)
                    _remoteCertificate = X509CertificateLoader.LoadCertificate(certificate.RawData);
                return _remoteCertificate;
            }
        }
    }

    /// <summary>The negotiated key exchange group; <see cref="TlsNamedGroup.None"/> before.</summary>
    public TlsNamedGroup NegotiatedGroup => _connection?.NegotiatedGroup ?? TlsNamedGroup.None;

    /// <summary>Whether the connection resumes an earlier one.</summary>
    public bool IsResumed => _connection?.IsResumed ?? false;

    /// <summary>Why the connection failed, with the alert that was sent or received; null while it has not.</summary>
    public TlsError? Error => _connection?.Error;

    /// <inheritdoc/>
    public override bool CanRead => _authenticated && !_disposed && InnerStream.CanRead;

    /// <inheritdoc/>
    public override bool CanWrite => _authenticated && !_disposed && !_closed && InnerStream.CanWrite;

    /// <summary>False: there is no going back.</summary>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanTimeout => InnerStream.CanTimeout;

    /// <summary>Milliseconds after which a blocking read of the inner stream fails.</summary>
    public override int ReadTimeout
    {
        get => InnerStream.ReadTimeout;
        set => InnerStream.ReadTimeout = value;
    }

    /// <summary>Milliseconds after which a blocking write to the inner stream fails.</summary>
    public override int WriteTimeout
    {
        get => InnerStream.WriteTimeout;
        set => InnerStream.WriteTimeout = value;
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>For tests of what has no place in the public surface.</summary>
    internal TlsConnection Connection => Authenticated;

    /// <summary>What carries the records.</summary>
    private Stream InnerStream { get; }

    /// <summary>The connection, once the handshake is complete.</summary>
    private TlsConnection Authenticated
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _authenticated ? _connection! : throw new InvalidOperationException(
                "The stream is not authenticated: call AuthenticateAsServerAsync or AuthenticateAsClientAsync first.");
        }
    }

    /// <summary>Exports keying material for a protocol above TLS (RFC 8446 §7.5), such as the channel binding of RFC 9266.</summary>
    /// <param name="label">Says what it is for, in ASCII.</param>
    /// <param name="context">Of any length; none and an empty one are the same.</param>
    /// <param name="output">Filled.</param>
    /// <exception cref="InvalidOperationException">The handshake is not complete.</exception>
    public void ExportKeyingMaterial(string label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        TlsConnection connection = Authenticated;
        lock (_gate)
            connection.ExportKeyingMaterial(label, context, output);
    }

    /// <summary>Takes a session to resume, as <see cref="TlsClient.TryTakeSession"/>: servers send tickets in front of their first data.</summary>
    /// <param name="session">The newest that was not taken; the caller disposes of it.</param>
    /// <returns>False if there is none, or this is the server's side.</returns>
    public bool TryTakeSession([NotNullWhen(true)] out TlsSession? session)
    {
        session = null;
        TlsConnection connection = Authenticated;
        lock (_gate)
            return connection is TlsClient client && client.TryTakeSession(out session);
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always.</exception>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Erases the keys, and disposes of the inner stream unless that is to be left open. Sends nothing: see <see cref="ShutdownAsync"/>.</summary>
    /// <param name="disposing">Whether it is not the finalizer that calls.</param>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Release();
            if (!_leaveInnerStreamOpen)
                InnerStream.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>As <see cref="Dispose(bool)"/>.</summary>
    public override async ValueTask DisposeAsync()
    {
        Release();
        if (!_leaveInnerStreamOpen)
            await InnerStream.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private void Release()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            if (!_hasWork)
                _connection?.Dispose();
        }
        ReleaseReadBuffers();
    }
}
