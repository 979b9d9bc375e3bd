using System.Buffers;
using System.Net.Security;
using System.Security.Authentication;

namespace CryptoPlane.Tls.Streams;

/// <summary>The handshake.</summary>
public sealed partial class CryptoPlaneSslStream
{
    private const string NoEarlyData = "A stream has no place for early data, which is not to be mixed with other data: use TlsServer or TlsClient.";

    /// <summary>Does the handshake as the server.</summary>
    /// <param name="options">Certificates, suites, groups, protocols, tickets.</param>
    /// <param name="cancellationToken">Ends it; the stream is of no use afterwards.</param>
    /// <exception cref="AuthenticationException">The handshake failed; <see cref="Error"/> says why.</exception>
    /// <exception cref="NotSupportedException">The options ask for early data, for which a stream has no place.</exception>
    /// <exception cref="IOException">The inner stream failed, or ended.</exception>
    /// <exception cref="InvalidOperationException">The stream was authenticated before, or is about to be.</exception>
    public Task AuthenticateAsServerAsync(TlsServerOptions options, CancellationToken cancellationToken = default) =>
        AuthenticateAsync<AsynchronousCalls>(NewServer(options), cancellationToken).AsTask();

    /// <summary>Does the handshake as the server.</summary>
    /// <param name="sslServerAuthenticationOptions">
    /// What <see cref="SslStream"/> takes; see <see cref="SslOptions.ToTlsOptions(SslServerAuthenticationOptions)"/>.
    /// </param>
    /// <param name="cancellationToken">Ends it; the stream is of no use afterwards.</param>
    /// <exception cref="ArgumentException">The options name no certificate, or no host.</exception>
    /// <inheritdoc cref="AuthenticateAsServerAsync(TlsServerOptions, CancellationToken)" path="/exception"/>
    public Task AuthenticateAsServerAsync(
        SslServerAuthenticationOptions sslServerAuthenticationOptions, CancellationToken cancellationToken = default) =>
        AuthenticateAsServerAsync(SslOptions.ToTlsOptions(sslServerAuthenticationOptions), cancellationToken);

    /// <summary>Does the handshake as the client.</summary>
    /// <param name="options">Whom to reach and whom to trust.</param>
    /// <param name="cancellationToken">Ends it; the stream is of no use afterwards.</param>
    /// <inheritdoc cref="AuthenticateAsServerAsync(TlsServerOptions, CancellationToken)" path="/exception"/>
    public Task AuthenticateAsClientAsync(TlsClientOptions options, CancellationToken cancellationToken = default) =>
        AuthenticateAsync<AsynchronousCalls>(NewClient(options), cancellationToken, options.ServerName).AsTask();

    /// <summary>Does the handshake as the client.</summary>
    /// <param name="sslClientAuthenticationOptions">
    /// What <see cref="SslStream"/> takes; see <see cref="SslOptions.ToTlsOptions(SslClientAuthenticationOptions)"/>.
    /// </param>
    /// <param name="cancellationToken">Ends it; the stream is of no use afterwards.</param>
    /// <exception cref="ArgumentException">The options name no certificate, or no host.</exception>
    /// <inheritdoc cref="AuthenticateAsServerAsync(TlsServerOptions, CancellationToken)" path="/exception"/>
    public Task AuthenticateAsClientAsync(
        SslClientAuthenticationOptions sslClientAuthenticationOptions, CancellationToken cancellationToken = default) =>
        AuthenticateAsClientAsync(SslOptions.ToTlsOptions(sslClientAuthenticationOptions), cancellationToken);

    /// <summary>Does the handshake as the server, public-key work included, on this thread.</summary>
    /// <param name="options">Certificates, suites, groups, protocols, tickets.</param>
    /// <inheritdoc cref="AuthenticateAsServerAsync(TlsServerOptions, CancellationToken)" path="/exception"/>
    public void AuthenticateAsServer(TlsServerOptions options) =>
        AuthenticateAsync<BlockingCalls>(NewServer(options), default).GetAwaiter().GetResult();

    /// <summary>Does the handshake as the client, public-key work included, on this thread.</summary>
    /// <param name="options">Whom to reach and whom to trust.</param>
    /// <inheritdoc cref="AuthenticateAsServerAsync(TlsServerOptions, CancellationToken)" path="/exception"/>
    public void AuthenticateAsClient(TlsClientOptions options) =>
        AuthenticateAsync<BlockingCalls>(NewClient(options), default, options.ServerName).GetAwaiter().GetResult();

    private async ValueTask AuthenticateAsync<TCalls>(TlsConnection connection, CancellationToken cancellationToken, string targetHostName = "")
        where TCalls : struct, IStreamCalls
    {
        Begin(connection);
        TargetHostName = targetHostName;
        byte[] output = ArrayPool<byte>.Shared.Rent(TlsConnection.MaxRecordSize);
        try
        {
            await HandshakeAsync<TCalls>(connection, output, cancellationToken).ConfigureAwait(false);
            TargetHostName = connection.ServerName ?? TargetHostName;
            _authenticated = true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(output);
            lock (_gate)
            {
                _hasWork = false;
                if (_disposed || !_authenticated)
                    connection.Dispose();
            }
            EndReading();
        }
    }

    private static TlsServer NewServer(TlsServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.DangerousAcceptEarlyData is null ? new TlsServer(options) : throw new NotSupportedException(NoEarlyData);
    }

    private static TlsClient NewClient(TlsClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.DangerousSendEarlyData ? throw new NotSupportedException(NoEarlyData) : new TlsClient(options);
    }

    private void Begin(TlsConnection connection)
    {
        lock (_gate)
        {
            if (!_disposed && _connection is null)
            {
                _connection = connection;
                _hasWork = true;
                _reading = true;
                return;
            }
        }
        connection.Dispose();
        ObjectDisposedException.ThrowIf(_disposed, this);
        throw new InvalidOperationException("A stream is authenticated once.");
    }

    private async ValueTask HandshakeAsync<TCalls>(TlsConnection connection, byte[] output, CancellationToken cancellationToken)
        where TCalls : struct, IStreamCalls
    {
        while (true)
        {
            TlsStatus status = connection.Handshake(_received.Filled, output, out int consumed, out int written);
            _received.Consume(consumed);
            if (status == TlsStatus.Failed)
                await SendAlertAsync<TCalls>(output.AsMemory(0, written), cancellationToken).ConfigureAwait(false);
            else if (written > 0)
                await TCalls.WriteAsync(InnerStream, output.AsMemory(0, written), cancellationToken).ConfigureAwait(false);
            switch (status)
            {
                case TlsStatus.Complete:
                    await TCalls.FlushAsync(InnerStream, cancellationToken).ConfigureAwait(false);
                    return;
                case TlsStatus.DestinationTooSmall:
                    break;
                case TlsStatus.NeedMoreData:
                    await TCalls.FlushAsync(InnerStream, cancellationToken).ConfigureAwait(false);
                    if (!await FillAsync<TCalls>(cancellationToken).ConfigureAwait(false))
                        throw new EndOfStreamException("The peer ended the stream during the handshake.");
                    break;
                case TlsStatus.Closed:
                    throw new IOException("The peer closed the connection during the handshake.");
                case TlsStatus.Failed:
                    throw new AuthenticationException(connection.Error!.ToString());
                case TlsStatus.NeedsCertificateDecision when ClientCertificateDecision is { } decide:
                    await decide((TlsCertificateDecision)connection.PendingWork!, cancellationToken).ConfigureAwait(false);
                    if (connection.PendingWork is { IsDone: false } undecided)
                        undecided.Execute();
                    break;
                default:
                    cancellationToken.ThrowIfCancellationRequested();
                    await TCalls.ExecuteAsync(connection.PendingWork!).ConfigureAwait(false);
                    break;
            }
        }
    }

    /// <summary>Sends the alert of a failed handshake, if it can still be sent: why it failed is what the caller is to hear of.</summary>
    private async ValueTask SendAlertAsync<TCalls>(ReadOnlyMemory<byte> alert, CancellationToken cancellationToken)
        where TCalls : struct, IStreamCalls
    {
        try
        {
            await TCalls.WriteAsync(InnerStream, alert, cancellationToken).ConfigureAwait(false);
            await TCalls.FlushAsync(InnerStream, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The peer is gone.
        }
    }
}
