using System.Diagnostics;
using System.IO.Pipelines;
using System.Security.Authentication;
using CryptoPlane.Tls.Streams;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace CryptoPlane.Tls.AspNetCore;

/// <summary>An endpoint's TLS: the handshake, the features, and the pipes that are read and written under it.</summary>
internal sealed partial class TlsConnectionMiddleware(
    ConnectionDelegate next,
    TlsServerOptions serverOptions,
    CryptoPlaneTlsOptions options,
    bool isHttp,
    ILogger<TlsConnectionMiddleware> logger,
    TlsMetrics metrics)
{
    /// <summary>How long a peer that reads nothing is waited for at the end, for our close_notify.</summary>
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Serves one connection.</summary>
    public async Task OnConnectionAsync(ConnectionContext context)
    {
        if (context.Features.Get<ITlsConnectionFeature>() is not null)
        {
            // It has TLS already.
            await next(context).ConfigureAwait(false);
            return;
        }
        IDuplexPipe transport = context.Transport;
        await using var stream = new CryptoPlaneSslStream(new TransportStream(transport, isResetTheEnd: isHttp))
        {
            ClientCertificateDecision = options.ClientCertificateDecision,
            // RFC 9112 §9.8: an HTTP server is to be prepared for that, and Kestrel sees by itself that a request is not whole.
            AllowsTruncation = isHttp,
        };
        if (!await TryAuthenticateAsync(stream, context.ConnectionId).ConfigureAwait(false))
            return;
        new TlsFeatures(stream).AddTo(context.Features);
        var pipe = new TlsDuplexPipe(stream, context.Features.Get<IMemoryPoolFeature>()?.MemoryPool ?? System.Buffers.MemoryPool<byte>.Shared);
        context.Transport = pipe;
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            await CloseAsync(stream, pipe, context).ConfigureAwait(false);
            context.Transport = transport;
            metrics.Ended();
        }
    }

    private async Task<bool> TryAuthenticateAsync(CryptoPlaneSslStream stream, string connection)
    {
        long started = Stopwatch.GetTimestamp();
        using var limit = new CancellationTokenSource(options.HandshakeTimeout);
        try
        {
            await stream.AuthenticateAsServerAsync(serverOptions, limit.Token).ConfigureAwait(false);
            metrics.Completed(stream, Stopwatch.GetElapsedTime(started));
            if (logger.IsEnabled(LogLevel.Debug))
            {
                LogCompleted(
                    connection, stream.NegotiatedCipherSuite, stream.NegotiatedGroup, stream.NegotiatedApplicationProtocol.ToString(), stream.IsResumed);
            }
            return true;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            LogTimedOut(connection, options.HandshakeTimeout.TotalSeconds);
            metrics.Failed("timeout", Stopwatch.GetElapsedTime(started));
        }
        catch (AuthenticationException exception)
        {
            LogFailed(connection, exception.Message);
            metrics.Failed(stream.Error!.Kind.ToString(), Stopwatch.GetElapsedTime(started));
        }
        catch (IOException exception)
        {
            LogLost(connection, exception.Message);
            metrics.Failed("connection_lost", Stopwatch.GetElapsedTime(started));
        }
        return false;
    }

    /// <summary>
    /// Sends what is left and close_notify, if the peer still takes it. What cannot be sent to a peer that is gone is no error of the server's.
    /// </summary>
    private async Task CloseAsync(CryptoPlaneSslStream stream, TlsDuplexPipe pipe, ConnectionContext context)
    {
        using var limit = new CancellationTokenSource(s_closeTimeout);
        using CancellationTokenRegistration abort = limit.Token.Register(static state => ((ConnectionContext)state!).Abort(), context);
        try
        {
            await pipe.Input.CompleteAsync().ConfigureAwait(false);
            await pipe.Output.CompleteAsync().ConfigureAwait(false);
            await stream.ShutdownAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or InvalidOperationException)
        {
            LogNotClosed(context.ConnectionId, exception.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Connection {ConnectionId} has TLS 1.3: {CipherSuite}, {Group}, ALPN '{ApplicationProtocol}', resumed: {Resumed}")]
    private partial void LogCompleted(
        string connectionId, System.Net.Security.TlsCipherSuite cipherSuite, TlsNamedGroup group, string applicationProtocol, bool resumed);

    [LoggerMessage(2, LogLevel.Debug, "The handshake of connection {ConnectionId} failed: {Reason}")]
    private partial void LogFailed(string connectionId, string reason);

    [LoggerMessage(3, LogLevel.Debug, "The handshake of connection {ConnectionId} was not done within {Seconds} s")]
    private partial void LogTimedOut(string connectionId, double seconds);

    [LoggerMessage(4, LogLevel.Debug, "Connection {ConnectionId} was lost during its handshake: {Reason}")]
    private partial void LogLost(string connectionId, string reason);

    [LoggerMessage(5, LogLevel.Debug, "Connection {ConnectionId} ended without our close_notify: {Reason}")]
    private partial void LogNotClosed(string connectionId, string reason);
}
