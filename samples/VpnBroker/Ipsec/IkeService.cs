using System.Collections.Concurrent;
using System.Net;
using CryptoPlane.Ike;
using CryptoPlane.Ike.KeyLog;
using CryptoPlane.IO;
using CryptoPlane.Lcores;
using Microsoft.Extensions.Logging;
using VpnBroker.Audit;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Ipsec.Users;

namespace VpnBroker.Ipsec;

/// <summary>
/// The thread on which IKE runs: it brings datagrams, time and commands to the endpoint, what the endpoint sends to the sockets, and its
/// child SAs to the data plane.
/// </summary>
internal sealed partial class IkeService : IAsyncDisposable
{
    private const ulong WakerTag = ulong.MaxValue;

    private const int MarkerSize = 4;

    /// <summary>How long a stop waits for peers to answer that they have deleted their SAs.</summary>
    private const long FarewellTime = 2_000;

    private readonly IIkeEndpoint _endpoint;
    private readonly IpsecConnections _connections;
    private readonly IkeSockets _sockets;
    private readonly ChildKeeper _children;
    private readonly IStrayIke? _strays;
    private readonly RemoteUsers? _users;
    private readonly AuditLog _audit;
    private readonly ILogger _logger;
    private readonly RefusalThrottle _refusals = new();
    private readonly IkeKeyLogFiles? _keyLog;
    private readonly ConcurrentQueue<Action> _calls = new();
    private readonly LcoreWaker _waker = new();
    private readonly EpollSet _epoll = new();
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private BrokerConfig _config;
    private bool _closed;
    private long _farewell = long.MaxValue;

    private IkeService(
        BrokerConfig config, IIkeEndpoint endpoint, IpsecConnections connections, IkeSockets sockets, IkeKeyLogFiles? keyLog, IDataPlane dataPlane, RemoteUsers? users,
        AuditLog audit, ILogger logger)
    {
        _config = config;
        _users = users;
        _keyLog = keyLog;
        _endpoint = endpoint;
        _connections = connections;
        _sockets = sockets;
        _children = new ChildKeeper(endpoint, dataPlane.Children!, logger);
        _strays = dataPlane.StrayIke;
        _audit = audit;
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = "ike" };
        dataPlane.Children!.LifetimePassed = LookSoon;
    }

    private static long Now => Environment.TickCount64;

    /// <summary>Opens the sockets and starts the thread; connections that the configuration wants up are initiated.</summary>
    /// <param name="config">The configuration, with a section <c>ipsec</c>.</param>
    /// <param name="dataPlane">Where SAs go.</param>
    /// <param name="endpointOf">Makes the endpoint.</param>
    /// <param name="audit">Who came and went.</param>
    /// <param name="logger">The log.</param>
    /// <param name="users">Remote users; null where the configuration has none.</param>
    /// <exception cref="IpsecException">A socket or a credential cannot be had; the message says what to do.</exception>
    public static IkeService Start(
        BrokerConfig config, IDataPlane dataPlane, Func<IkeEndpointOptions, IIkeEndpoint> endpointOf, AuditLog audit, ILogger logger, RemoteUsers? users = null)
    {
        if (dataPlane.Children is null)
            throw new ArgumentException("The data plane was started without an ipsec section.", nameof(dataPlane));
        IEnumerable<uint> taken = (config.Esp?.Tunnels ?? []).SelectMany(tunnel => tunnel.Pairs).Select(pair => pair.Inbound.Spi);
        var sockets = new IkeSockets(config.Ipsec!.Listen, dataPlane.IkeSockets);
        var connections = new IpsecConnections(users);
        IIkeEndpoint? endpoint = null;
        IkeService? service = null;
        IkeKeyLogFiles? keyLog = null;
        try
        {
            keyLog = OpenKeyLog(config.Ipsec, logger);
            endpoint = endpointOf(new IkeEndpointOptions
            {
                ChildSpis = new ChildSpiSource(dataPlane.LcoreCount, taken),
                KeyLog = keyLog is null ? null : keyLog.WriteIke,
            });
            service = new IkeService(config, endpoint, connections, sockets, keyLog, dataPlane, users, audit, logger);
            service.Prepare();
        }
        catch
        {
            service?.Release();
            endpoint?.Dispose();
            keyLog?.Dispose();
            connections.Dispose();
            sockets.Dispose();
            throw;
        }
        if (users is not null)
            users.Terminate = service.Terminate;
        service._thread.Start();
        return service;
    }

    /// <summary>Takes the peers of a new configuration; those of whom nothing has changed stay up.</summary>
    /// <exception cref="IpsecException">A credential cannot be used; the peers of before stay.</exception>
    public Task ApplyAsync(BrokerConfig config) => CallAsync(() =>
    {
        IReadOnlyList<IkeConnection> connections = _connections.Update(config);
        _config = config;
        _endpoint.SetConnections(connections, Now);
        return true;
    });

    /// <summary>Brings a peer's tunnels up.</summary>
    /// <exception cref="IpsecException">There is no such peer, or it cannot be initiated.</exception>
    public Task UpAsync(string peer) => CommandAsync(() => _endpoint.Initiate(peer, Now));

    /// <summary>Takes a peer's tunnels down, until <see cref="UpAsync"/> or until the peer brings them up.</summary>
    /// <exception cref="IpsecException">There is no such peer.</exception>
    public Task DownAsync(string peer) => CommandAsync(() => _endpoint.Terminate(peer, Now));

    /// <summary>Rekeys a peer's child SAs, or its IKE SA.</summary>
    /// <exception cref="IpsecException">There is no such peer.</exception>
    public Task RekeyAsync(string peer, bool ikeSa) => CommandAsync(() => _endpoint.Rekey(peer, ikeSa, Now));

    /// <summary>All IKE SAs, what became of strangers' requests, and the time of the clock that the reports' times are of.</summary>
    public Task<(IReadOnlyList<IkeSaReport> Sas, IkeGateReport Gate, long Now)> ReportAsync() => CallAsync(() => (_endpoint.Report(), _endpoint.ReportGate(), Now));

    /// <summary>Tells all peers, waits a little for their answers, and ends the thread.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await CallAsync(() =>
            {
                _endpoint.SetConnections([], Now);
                _farewell = Now + FarewellTime;
                return true;
            });
        }
        catch (IpsecException)
        {
            // The thread has ended already.
        }
        await _ended.Task;
    }

    private static IkeKeyLogFiles? OpenKeyLog(IpsecConfig config, ILogger logger)
    {
        try
        {
            IkeKeyLogFiles? files = IkeKeyLogFiles.Open(config.InsecureKeyLog);
            if (files is not null)
                LogKeys(logger, Environment.GetEnvironmentVariable(IkeKeyLogFiles.DirectoryVariable)!);
            return files;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IpsecException($"the key log cannot be written ({IkeKeyLogFiles.DirectoryVariable}): {e.Message}");
        }
    }

    private void Prepare()
    {
        IReadOnlyList<IkeConnection> connections = _connections.Update(_config);
        _sockets.Watch(_epoll);
        if (!_epoll.TryAdd(_waker, WakerTag) || (_strays is not null && !_epoll.TryAdd(_strays.Waker, WakerTag)))
            throw new IpsecException("the kernel does not watch IKE's eventfd");
        _endpoint.SetConnections(connections, Now);
    }

    private void Release()
    {
        lock (_gate)
            _closed = true;
        _epoll.Dispose();
        _waker.Dispose();
    }

    /// <summary>SAs are worn out. Any thread.</summary>
    private void LookSoon()
    {
        lock (_gate)
        {
            if (_closed)
                return;
            _calls.Enqueue(_children.LookSoon);
            _waker.Wake();
        }
    }

    /// <summary>Deletes an IKE SA, which is asked for on IKE's thread; 0 for none any more. Any thread.</summary>
    private void Terminate(Func<ulong> ikeSa)
    {
        try
        {
            _ = CallAsync(() =>
            {
                if (ikeSa() is not 0 and var spi)
                    _endpoint.TerminateSa(spi, Now);
                return true;
            });
        }
        catch (IpsecException)
        {
            // IKE has stopped, and its SAs with it.
        }
    }

    private Task<T> CallAsync<T>(Func<T> call)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_closed)
                throw new IpsecException("IKE has stopped");
            _calls.Enqueue(() =>
            {
                try
                {
                    done.SetResult(call());
                }
                catch (Exception e)
                {
                    done.SetException(e);
                }
            });
            _waker.Wake();
        }
        return done.Task;
    }

    private Task<bool> CommandAsync(Action command) => CallAsync(() =>
    {
        try
        {
            command();
            return true;
        }
        catch (ArgumentException e)
        {
            throw new IpsecException(e.Message);
        }
    });

    private void Run()
    {
        try
        {
            while (Turn())
            {
            }
        }
        catch (Exception e)
        {
            // The endpoint has a defect; what the data plane has goes on until its SAs are worn out.
            LogFailed(_logger, e);
        }
        Release();
        while (_calls.TryDequeue(out Action? call))
            call();
        _endpoint.Dispose();
        _keyLog?.Dispose();
        _connections.Dispose();
        _sockets.Dispose();
        _ended.SetResult();
    }

    /// <summary>Waits for something to do, and does it.</summary>
    /// <returns>False when all peers have been told that this is the end, or the time for that is over.</returns>
    private bool Turn()
    {
        Wait();
        for (int i = 0; i < _epoll.ReadyCount; i++)
        {
            if (_epoll[i].UserData != WakerTag)
                _sockets.Receive((int)_epoll[i].UserData, Take);
        }
        _strays?.Take((local, remote, datagram) => Take(local, remote, datagram[MarkerSize..]));
        while (_calls.TryDequeue(out Action? call))
            call();
        long now = Now;
        if (_endpoint.NextTimeout <= now)
            _endpoint.HandleTimeout(now);
        if (_children.NextLook <= now)
        {
            _children.Look(now);
            _users?.EndIdle(now);
        }
        Serve();
        return _farewell == long.MaxValue || (now < _farewell && _endpoint.Report().Count > 0);
    }

    private void Wait()
    {
        long until = Math.Min(Math.Min(_endpoint.NextTimeout, _children.NextLook), _farewell);
        long time = until == long.MaxValue ? -1 : Math.Clamp(until - Now, 0, int.MaxValue);
        _waker.PrepareToSleep();
        _strays?.Waker.PrepareToSleep();
        _epoll.Wait(_calls.IsEmpty && _strays is not { IsEmpty: false } ? (int)time : 0);
        _strays?.Waker.Awake();
        _waker.Awake();
    }

    private void Take(IPEndPoint local, IPEndPoint remote, ReadOnlySpan<byte> message)
    {
        _endpoint.HandleDatagram(local, remote, message, Now);
        // At once: what a burst of datagrams makes is not piled up.
        Serve();
    }

    /// <summary>Brings events to the data plane and then datagrams to the sockets: a peer learns of an SA when its packets are taken.</summary>
    private void Serve()
    {
        bool more;
        do
        {
            more = false;
            while (_endpoint.TryPollEvent(out IkeEvent? e))
            {
                more = true;
                Handle(e);
            }
            _children.Settle(Now);
            _users?.Settle();
        }
        while (more);
        while (_endpoint.TryPollTransmit(out IkeDatagram? datagram))
            _sockets.Send(datagram.Local, datagram.Remote, datagram.Payload.Span);
    }

    private void Handle(IkeEvent e)
    {
        switch (e)
        {
            case ChildSaInstalled child:
                _keyLog?.WriteEsp(child);
                IpsecPeerConfig? peer = _config.Ipsec?.Peers.FirstOrDefault(peer => peer.Name == child.Connection);
                _children.Install(child, peer, peer?.Children.FirstOrDefault(settings => settings.Name == child.Child), _users?.UserOf(child.IkeSa), Now);
                break;
            case ChildSaActivated child:
                _children.Activate(child.Child);
                break;
            case ChildSaRemoved child:
                LogChildRemoved(_logger, child.Child, child.Replaced ? "replaced" : "deleted");
                _children.Remove(child.Child);
                break;
            case PeerMoved moved:
                LogMoved(_logger, moved.Local, moved.Remote, moved.Children.Count);
                _children.Move(moved, Now);
                _users?.Handle(moved);
                break;
            case IkeSaEstablished sa:
                LogEstablished(_logger, sa.Connection, sa.RemoteId.ToString(), sa.Local, sa.Remote, sa.Replaces is null ? "new" : "rekeyed");
                if (IpsecConnections.IsOfUsers(sa.Connection))
                    _users?.Handle(sa);
                else if (sa.Replaces is null)
                    Audit(new IpsecAudit("ipsec-up", sa.Connection, sa.RemoteId.ToString(), sa.Remote, Success: true, null));
                break;
            case IkeSaClosed sa:
                LogClosed(_logger, sa.Connection, sa.Reason);
                if (IpsecConnections.IsOfUsers(sa.Connection))
                    _users?.Handle(sa, stopping: _farewell != long.MaxValue);
                else if (sa.Reason != IkeCloseReason.Rekeyed)
                    Audit(new IpsecAudit("ipsec-down", sa.Connection, null, null, Success: true, sa.Reason.ToString()));
                break;
            case InitiationFailed failed:
                LogInitiationFailed(_logger, failed.Connection, failed.Reason);
                Audit(new IpsecAudit("ipsec-up", failed.Connection, null, null, Success: false, failed.Reason));
                break;
            case PeerRefused refused when _users is not null && IpsecConnections.IsOfUsers(refused.Connection):
                _users.Handle(refused, Now);
                break;
            case PeerRefused refused when _refusals.TryWrite(Now, out long omitted):
                string reason = omitted == 0 ? refused.Reason : $"{refused.Reason} ({omitted} refusals before it are not listed)";
                LogPeerRefused(_logger, refused.Remote, refused.RemoteId?.ToString() ?? "unknown", reason);
                Audit(new IpsecAudit("ipsec-up", null, refused.RemoteId?.ToString(), refused.Remote, Success: false, reason));
                break;
        }
    }

    private void Audit(in IpsecAudit record)
    {
        if (!_audit.Write(record))
            LogAuditFailed(_logger);
    }

    [LoggerMessage(1, LogLevel.Information, "IPsec {Connection}: IKE SA with {Identity}, {Local} === {Remote} ({How})")]
    private static partial void LogEstablished(ILogger logger, string connection, string identity, IPEndPoint local, IPEndPoint remote, string how);

    [LoggerMessage(2, LogLevel.Information, "IPsec {Connection}: an IKE SA ended: {Reason}")]
    private static partial void LogClosed(ILogger logger, string connection, IkeCloseReason reason);

    [LoggerMessage(3, LogLevel.Debug, "IPsec: SPI {Child} is {How}")]
    private static partial void LogChildRemoved(ILogger logger, ChildSaId child, string how);

    [LoggerMessage(4, LogLevel.Information, "IPsec: a peer has moved: {Local} === {Remote}, {Children} pairs of SAs")]
    private static partial void LogMoved(ILogger logger, IPEndPoint local, IPEndPoint remote, int children);

    [LoggerMessage(5, LogLevel.Warning, "IPsec {Connection} cannot be brought up: {Reason}")]
    private static partial void LogInitiationFailed(ILogger logger, string connection, string reason);

    [LoggerMessage(6, LogLevel.Warning, "IPsec: {Remote}, who says to be {Identity}, was refused: {Reason}")]
    private static partial void LogPeerRefused(ILogger logger, IPEndPoint remote, string identity, string reason);

    [LoggerMessage(7, LogLevel.Critical, "IKE has failed; tunnels stay until their keys are worn out")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    [LoggerMessage(9, LogLevel.Warning, "All IPsec keys are written to {Directory}: whoever reads them reads all traffic. For debugging only")]
    private static partial void LogKeys(ILogger logger, string directory);

    [LoggerMessage(8, LogLevel.Error, "The audit log cannot be written to")]
    private static partial void LogAuditFailed(ILogger logger);
}
