using System.Net;
using System.Net.Sockets;
using CryptoPlane.Tls;
using Microsoft.Extensions.Logging;
using VpnBroker.OpenConnect;

namespace VpnBroker.Listening;

/// <summary>Accepts users' connections and serves each until it is a tunnel.</summary>
internal sealed partial class UserFront : IAsyncDisposable
{
    private const int Backlog = 1024;

    private static readonly TimeSpan s_pauseWithoutDescriptors = TimeSpan.FromMilliseconds(100);

    private readonly List<Socket> _listeners = [];
    private readonly List<Task> _accepting = [];
    private readonly HashSet<Task> _connections = [];
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ReadinessPoller _poller = new();
    private readonly HandshakeWorkers _workers = new();
    private readonly Portal _portal;
    private readonly ILogger _logger;
    private TlsServerOptions _tls;

    private UserFront(Portal portal, TlsServerOptions tls, ILogger logger)
    {
        _portal = portal;
        _tls = tls;
        _logger = logger;
    }

    /// <summary>Connections that have not become a tunnel.</summary>
    public HalfOpenLimiter HalfOpen { get; } = new();

    /// <summary>Begins to listen.</summary>
    /// <exception cref="ListenException">An endpoint cannot be listened on.</exception>
    public static async Task<UserFront> StartAsync(IReadOnlyList<IPEndPoint> endpoints, Portal portal, TlsServerOptions tls, ILogger logger)
    {
        var front = new UserFront(portal, tls, logger);
        foreach (IPEndPoint endpoint in endpoints)
        {
            try
            {
                front.Listen(endpoint);
            }
            catch (SocketException e)
            {
                await front.DisposeAsync();
                throw new ListenException($"{endpoint} cannot be listened on: {e.Message} (a port below 1024 needs CAP_NET_BIND_SERVICE)");
            }
        }
        front._accepting.AddRange(front._listeners.Select(front.AcceptAsync));
        return front;
    }

    /// <summary>New connections get these options from now on: a certificate that was renewed.</summary>
    public void UseTls(TlsServerOptions tls) => Volatile.Write(ref _tls, tls);

    /// <summary>Stops accepting and ends what has not become a tunnel.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (Socket listener in _listeners)
            listener.Dispose();
        await Task.WhenAll(_accepting);
        Task[] connections;
        lock (_gate)
            connections = [.. _connections];
        await Task.WhenAll(connections);
        _poller.Dispose();
        _workers.Dispose();
        _stop.Dispose();
    }

    private void Listen(IPEndPoint endpoint)
    {
        var listener = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listeners.Add(listener);
        if (endpoint.AddressFamily == AddressFamily.InterNetworkV6)
            listener.DualMode = false;
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(endpoint);
        listener.Listen(Backlog);
        LogListening(_logger, (IPEndPoint)listener.LocalEndPoint!);
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket accepted = await listener.AcceptAsync(_stop.Token);
                Begin(accepted);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionAborted or SocketError.ConnectionReset)
            {
                // The client went away before it was accepted.
            }
            catch (SocketException e)
            {
                // No descriptors are left, for example: connections that end make room.
                LogAcceptFailed(_logger, e.Message);
                await Task.WhenAny(Task.Delay(s_pauseWithoutDescriptors, _stop.Token));
            }
        }
    }

    private void Begin(Socket accepted)
    {
        IPAddress address;
        try
        {
            address = ((IPEndPoint)accepted.RemoteEndPoint!).Address;
        }
        catch (SocketException)
        {
            accepted.Dispose();
            return;
        }
        if (!HalfOpen.TryEnter(address, _portal.Config().Limits))
        {
            // Closed without a word: an answer would cost what the bound is there to save.
            accepted.Dispose();
            return;
        }
        // Another thread goes on: the accept loop has the next connection to take.
        Task connection = Task.Run(() => ServeAsync(accepted, address));
        lock (_gate)
            _connections.Add(connection);
        _ = connection.ContinueWith(Forget, TaskScheduler.Default);
    }

    private async Task ServeAsync(Socket accepted, IPAddress address)
    {
        try
        {
            await new ClientConnection(ClientSocket.Take(accepted, _poller), Volatile.Read(ref _tls), _workers, _portal, _logger).RunAsync(_stop.Token);
        }
        catch (Exception e)
        {
            // A defect: one connection is lost, the others go on, and the log has what is needed to find it.
            LogDefect(_logger, e, address);
        }
        finally
        {
            HalfOpen.Leave(address);
        }
    }

    private void Forget(Task connection)
    {
        lock (_gate)
            _connections.Remove(connection);
    }

    [LoggerMessage(1, LogLevel.Information, "Listening on {Endpoint}")]
    private static partial void LogListening(ILogger logger, IPEndPoint endpoint);

    [LoggerMessage(2, LogLevel.Error, "A connection could not be accepted: {Message}; raise LimitNOFILE when descriptors are short")]
    private static partial void LogAcceptFailed(ILogger logger, string message);

    [LoggerMessage(3, LogLevel.Error, "A defect ended the connection of {Address}")]
    private static partial void LogDefect(ILogger logger, Exception exception, IPAddress address);
}

/// <summary>An endpoint that cannot be listened on; the message says what to do.</summary>
public sealed class ListenException(string message) : Exception(message);
