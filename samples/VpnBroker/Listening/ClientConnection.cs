using System.Buffers;
using System.Net;
using CryptoPlane.Tls;
using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.OpenConnect;
using VpnBroker.OpenConnect.Http;

namespace VpnBroker.Listening;

/// <summary>One client's connection on the control threads: handshake, requests, and the move to its home lcore at CONNECT.</summary>
internal sealed partial class ClientConnection(ClientSocket socket, TlsServerOptions tls, HandshakeWorkers workers, Portal portal, ILogger logger)
{
    private readonly LimitsConfig _limits = portal.Config().Limits;

    /// <summary>Serves the connection until it is a tunnel or over. It throws nothing but defects.</summary>
    /// <param name="stop">Ends it early.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(TimeSpan.FromSeconds(_limits.LoginSeconds));
        using (socket)
        using (var channel = new TlsChannel(socket, tls, workers))
        {
            try
            {
                if (await channel.HandshakeAsync(deadline.Token))
                    await ServeAsync(channel, deadline.Token);
                else
                    LogHandshakeFailed(logger, socket.Remote, channel.Failure ?? "the client closed the connection");
            }
            catch (OperationCanceledException)
            {
                LogTimeOver(logger, socket.Remote);
            }
        }
    }

    private async Task ServeAsync(TlsChannel channel, CancellationToken cancellation)
    {
        LogHandshakeDone(logger, socket.Remote, channel.Description);
        DtlsTerms? dtls = channel.DtlsTerms(portal.DtlsPortOf(socket.Local));
        var conversation = new PortalConversation(portal, socket.Remote, channel.ServerName, channel.Bindings(), channel.ClientCertificate, dtls);
        var parser = new HttpRequestParser(_limits.HeaderBytes, _limits.BodyBytes);
        byte[] plaintext = ArrayPool<byte>.Shared.Rent(_limits.HeaderBytes + _limits.BodyBytes + TlsConnection.MaxPlaintextSize);
        int length = 0;
        try
        {
            while (true)
            {
                HttpParseStatus status = parser.TryParse(plaintext.AsSpan(0, length), out HttpRequest? request, out int consumed);
                if (status == HttpParseStatus.NeedMoreData)
                {
                    int count = await channel.ReadAsync(plaintext.AsMemory(length), cancellation);
                    if (count == 0)
                        return;
                    length += count;
                    continue;
                }
                plaintext.AsSpan(consumed, length - consumed).CopyTo(plaintext);
                length -= consumed;
                PortalReply reply = status == HttpParseStatus.Complete ? await conversation.RespondAsync(request!, cancellation) : PortalConversation.Refuse(status);
                // CSTP begins with a record of its own: plaintext behind CONNECT in the same record is no CSTP client's.
                if (reply is PortalReply.Tunnel && length != 0)
                    reply = PortalConversation.Refuse(HttpParseStatus.Malformed);
                if (!await channel.WriteAsync(reply.Response, cancellation))
                    return;
                if (reply is PortalReply.Tunnel tunnel)
                {
                    await HandOverAsync(channel, tunnel, cancellation);
                    return;
                }
                if (reply is PortalReply.Answer { Close: true })
                {
                    await channel.CloseAsync(cancellation);
                    return;
                }
            }
        }
        finally
        {
            // Passwords and cookies were in it.
            ArrayPool<byte>.Shared.Return(plaintext, clearArray: true);
        }
    }

    private async Task HandOverAsync(TlsChannel channel, PortalReply.Tunnel tunnel, CancellationToken cancellation)
    {
        if (!await channel.FlushAsync(cancellation))
            return;
        Task? attached = portal.Sessions.Attach(tunnel.Session, socket.Remote, number => new UserTunnelRequest
        {
            TunnelId = number,
            SessionId = tunnel.Session.Id,
            User = tunnel.Session.User,
            Groups = tunnel.Session.Groups,
            Lcore = tunnel.Lease.Lcore,
            Socket = channel.Detach(out nint traffic, out byte[] unread),
            TrafficStates = traffic,
            Unread = unread,
            Remote = socket.Remote,
            Local = socket.Local,
            OffersDtls = tunnel.OffersDtls,
            InnerIPv4 = tunnel.Lease.IPv4,
            InnerIPv6 = tunnel.Lease.IPv6,
            Mtu = tunnel.Mtu,
            DpdSeconds = tunnel.Profile.DpdSeconds,
            KeepaliveSeconds = tunnel.Profile.KeepaliveSeconds,
            IdleSeconds = tunnel.Profile.IdleSeconds,
            UnsentBytes = _limits.UnsentBytes,
        });
        if (attached is null)
            return;
        try
        {
            await attached;
            LogTunnelUp(logger, tunnel.Session.User, tunnel.Session.Id, tunnel.Lease.IPv4 ?? tunnel.Lease.IPv6!, tunnel.Lease.Lcore);
        }
        catch (InvalidOperationException e)
        {
            LogAttachFailed(logger, tunnel.Session.User, e.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "TLS handshake with {Remote}: {Description}")]
    private static partial void LogHandshakeDone(ILogger logger, IPEndPoint remote, string description);

    [LoggerMessage(2, LogLevel.Information, "TLS handshake with {Remote} failed: {Reason}")]
    private static partial void LogHandshakeFailed(ILogger logger, IPEndPoint remote, string reason);

    [LoggerMessage(3, LogLevel.Information, "{Remote} did not become a tunnel in time (limits.loginTime) and was closed")]
    private static partial void LogTimeOver(ILogger logger, IPEndPoint remote);

    [LoggerMessage(4, LogLevel.Information, "{User} has a tunnel: session {Session}, {Address}, lcore {Lcore}")]
    private static partial void LogTunnelUp(ILogger logger, string user, ulong session, IPAddress address, int lcore);

    [LoggerMessage(5, LogLevel.Error, "The tunnel of {User} could not be taken by its lcore: {Message}")]
    private static partial void LogAttachFailed(ILogger logger, string user, string message);
}
