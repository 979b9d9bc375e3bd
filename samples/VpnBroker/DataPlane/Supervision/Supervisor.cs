using System.Collections.Concurrent;
using System.Net;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Capture;
using CryptoPlane.IO;
using CryptoPlane.Lcores;
using CryptoPlane.Ports;
using CryptoPlane.Tls.Record;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Devices;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>
/// The one thread that talks to the lcores: it turns the control plane's calls into messages, which keeps every ring to one producer, and
/// the lcores' reports into completed tasks.
/// </summary>
internal sealed unsafe class Supervisor : IDisposable
{
    private const string Stopped = "The data plane has stopped, or is about to: it takes no more calls.";

    private readonly IReadOnlyList<LcoreUnit> _units;
    private readonly IReadOnlyList<string> _espTunnels;
    private readonly NegotiatedTunnels _negotiated;
    private readonly LcoreWaker _waker;
    private readonly Thread _thread;
    private readonly ConcurrentQueue<Action> _calls = new();
    private readonly Lock _gate = new();

    /// <summary>Where each tunnel is: plain numbers, nothing that the garbage collector would follow.</summary>
    private readonly Dictionary<ulong, (int Lcore, int Slot)> _tunnels = [];
    private readonly Dictionary<ulong, TaskCompletionSource> _attaching = [];
    private readonly Dictionary<ulong, List<TaskCompletionSource<bool>>> _detaching = [];
    private readonly Dictionary<nint, TaskCompletionSource> _replacing = [];
    private readonly Queue<TaskCompletionSource>[] _raising;
    private readonly Queue<TaskCompletionSource>[] _capturing;
    private readonly TaskCompletionSource _shutDown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<int> _recycling = [];
    private BrokerConfig _config;
    private int _forwardingsUnderWay;
    private bool _routesChanged;
    private int _unitsShutDown;
    private bool _stopping;
    private bool _closed;
    private volatile bool _stop;

    /// <summary>Prepares the thread.</summary>
    /// <param name="units">The lcores.</param>
    /// <param name="espTunnels">The ESP tunnels' names by their numbers.</param>
    /// <param name="config">What the lcores forward by at first.</param>
    /// <param name="negotiated">The tunnels of IKE; none yet.</param>
    /// <param name="carrierOf">What carries ESP of a local address; null where nothing does.</param>
    /// <param name="waker">What the lcores' reports wake; owned by the supervisor from now on.</param>
    public Supervisor(
        IReadOnlyList<LcoreUnit> units, IReadOnlyList<string> espTunnels, BrokerConfig config, NegotiatedTunnels negotiated,
        Func<EspMode, IPAddress, EspCarrier?> carrierOf, LcoreWaker waker)
    {
        _config = config;
        _negotiated = negotiated;
        Children = new EspChildren(units, negotiated, carrierOf, () => _routesChanged = true);
        _units = units;
        _espTunnels = espTunnels;
        _waker = waker;
        _raising = [.. units.Select(_ => new Queue<TaskCompletionSource>())];
        _capturing = [.. units.Select(_ => new Queue<TaskCompletionSource>())];
        _thread = new Thread(Run) { IsBackground = true, Name = "supervisor" };
    }

    /// <summary>Called on the supervisor's thread for every tunnel that has ended.</summary>
    public Action<TunnelEnded>? TunnelEnded { get; set; }

    /// <summary>The pairs of SAs that IKE has negotiated. Supervisor's thread.</summary>
    public EspChildren Children { get; }

    /// <summary>Starts the thread.</summary>
    public void Start() => _thread.Start();

    /// <summary>Runs something on the supervisor's thread, in the order of the calls.</summary>
    public Task<T> CallAsync<T>(Func<T> call)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_closed)
                throw new InvalidOperationException(Stopped);
            _calls.Enqueue(() =>
            {
                try
                {
                    done.SetResult(call());
                }
                catch (Exception exception)
                {
                    done.SetException(exception);
                }
            });
            _waker.Wake();
        }
        return done.Task;
    }

    /// <summary>Gives a connection to its lcore. What comes with the request is closed and freed when it is refused.</summary>
    /// <returns>A task that completes when the lcore has it.</returns>
    public Task AttachAsync(UserTunnelRequest request)
    {
        lock (_gate)
        {
            if (!_closed)
                return CallAsync(() => Attach(request)).Unwrap();
        }
        Abandon(request);
        throw new InvalidOperationException(Stopped);
    }

    private Task Attach(UserTunnelRequest request)
    {
        LcoreUnit? unit = (uint)request.Lcore < (uint)_units.Count ? _units[request.Lcore] : null;
        string? refusal = _stopping ? Stopped
            : unit == null ? $"There is no lcore {request.Lcore}: take one below {_units.Count}."
            : request.Mtu > unit.Context.Sizes.MaxPacket ? $"The MTU {request.Mtu} is larger than the data plane's buffers of {unit.Context.Sizes.MaxPacket} bytes: restart with the new configuration."
            : _tunnels.ContainsKey(request.TunnelId) ? $"Tunnel {request.TunnelId} exists: an id is used once."
            : null;
        int slot = -1;
        if (refusal == null && !unit!.TryTakeSlot(out slot))
            refusal = $"Lcore {request.Lcore} has no room for another tunnel: raise limits.sessions and restart.";
        if (refusal != null)
        {
            Abandon(request);
            throw new InvalidOperationException(refusal);
        }

        // The slot is the supervisor's until the message is posted, which publishes what is written here.
        UserTunnel* tunnel = unit!.Tunnels + slot;
        *tunnel = new UserTunnel
        {
            Traffic = (TlsTrafficState*)request.TrafficStates,
            Socket = request.Socket,
            Mtu = request.Mtu,
            UnsentBound = request.UnsentBytes,
            DpdSeconds = request.DpdSeconds,
            KeepaliveSeconds = request.KeepaliveSeconds,
            IdleSeconds = request.IdleSeconds,
            TunnelId = request.TunnelId,
            SessionId = request.SessionId,
            IPv4 = InnerAddress.From(request.InnerIPv4),
            IPv6 = InnerAddress.From(request.InnerIPv6),
            Capture = new CaptureConnection
            {
                Peer = request.Remote is { } remote ? PacketEndpoint.From(remote) : default,
                Local = request.Local is { } local ? PacketEndpoint.From(local) : default,
                Subject = CaptureNotes.OfSession(request.SessionId),
            },
        };
        nint unread = 0;
        if (request.Unread.Length > 0)
        {
            unread = (nint)NativeMemory.Alloc((nuint)request.Unread.Length);
            request.Unread.CopyTo(new Span<byte>((byte*)unread, request.Unread.Length));
        }
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _tunnels.Add(request.TunnelId, (request.Lcore, slot));
        _attaching.Add(request.TunnelId, done);
        unit.Post(new LcoreMessage { Kind = LcoreMessageKind.Attach, Slot = slot, Pointer = unread, Length = request.Unread.Length });
        return done.Task;
    }

    /// <summary>Supervisor's thread: ends a tunnel.</summary>
    /// <returns>A task that says, when the tunnel is gone, whether it existed.</returns>
    public Task<bool> Detach(ulong tunnelId, TunnelEndReason reason)
    {
        if (!_tunnels.TryGetValue(tunnelId, out (int Lcore, int Slot) place))
            return Task.FromResult(false);
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_detaching.TryGetValue(tunnelId, out List<TaskCompletionSource<bool>>? waiting))
            _detaching.Add(tunnelId, waiting = []);
        waiting.Add(done);
        _units[place.Lcore].Post(new LcoreMessage { Kind = LcoreMessageKind.Detach, Slot = place.Slot, Value = tunnelId, Reason = reason });
        return done.Task;
    }

    /// <summary>Supervisor's thread: gives every lcore its snapshot of a configuration.</summary>
    /// <returns>A task that completes when the old ones are not used any more, and freed.</returns>
    public Task Apply(BrokerConfig config)
    {
        _config = config;
        return PostForwarding();
    }

    private Task PostForwarding()
    {
        _routesChanged = false;
        _recycling.AddRange(_negotiated.TakeClosed());
        var replaced = new List<Task>();
        foreach (LcoreUnit unit in _units)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            ForwardingSnapshot* snapshot = ForwardingSnapshot.Create(_config, _espTunnels, _negotiated);
            _forwardingsUnderWay++;
            _replacing.Add((nint)unit.LastForwarding, done);
            unit.LastForwarding = snapshot;
            unit.Post(new LcoreMessage { Kind = LcoreMessageKind.Forwarding, Pointer = (nint)snapshot });
            replaced.Add(done.Task);
        }
        return Task.WhenAll(replaced);
    }

    /// <summary>Supervisor's thread: lets an outbound SA use sequence numbers up to and including <paramref name="last"/>.</summary>
    public Task RaiseSequenceLimit(int lcore, int espTunnel, ulong last)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // Reports come in the order of the messages.
        _raising[lcore].Enqueue(done);
        _units[lcore].Post(new LcoreMessage { Kind = LcoreMessageKind.SequenceLimit, Slot = espTunnel, Value = last });
        return done.Task;
    }

    /// <summary>Supervisor's thread: lets an lcore capture into a ring, or no more when <paramref name="ring"/> is 0.</summary>
    /// <returns>A task that completes when the lcore does so, and uses no other ring.</returns>
    public Task Capture(int lcore, nint ring)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // Reports come in the order of the messages.
        _capturing[lcore].Enqueue(done);
        _units[lcore].Post(new LcoreMessage { Kind = LcoreMessageKind.Capture, Pointer = ring });
        return done.Task;
    }

    /// <summary>Supervisor's thread: tells the lcores to end all tunnels.</summary>
    /// <returns>A task that completes when they have.</returns>
    public Task ShutDown()
    {
        if (!_stopping)
        {
            _stopping = true;
            foreach (LcoreUnit unit in _units)
                unit.Post(new LcoreMessage { Kind = LcoreMessageKind.Shutdown });
        }
        return _shutDown.Task;
    }

    /// <summary>The tunnels and where they are. Supervisor's thread.</summary>
    public IReadOnlyDictionary<ulong, (int Lcore, int Slot)> Tunnels => _tunnels;

    /// <summary>Ends the thread, then settles what the stopped lcores have left: nobody waits in vain.</summary>
    public void Dispose()
    {
        _stop = true;
        _waker.Signal();
        if ((_thread.ThreadState & ThreadState.Unstarted) == 0)
            _thread.Join();
        lock (_gate)
            _closed = true;
        _stopping = true;
        while (_calls.TryDequeue(out Action? call))
            call();
        foreach (LcoreUnit unit in _units)
            DrainReports(unit);
        Children.Abandon();
        foreach ((int lcore, int slot) in _tunnels.Values.ToArray())
        {
            UserTunnel* tunnel = _units[lcore].Tunnels + slot;
            // Still free: its message was never read, so that nobody has closed and released what came with it.
            if (tunnel->State == TunnelState.Free)
                Release(tunnel->Traffic, tunnel->Socket);
            Settle(_units[lcore], slot, TunnelEndReason.Shutdown);
        }
        // The lcores have stopped: they use no ring any more.
        foreach (Queue<TaskCompletionSource> waiting in _capturing)
        {
            while (waiting.TryDequeue(out TaskCompletionSource? switched))
                switched.SetResult();
        }
        _waker.Dispose();
    }

    private void Run()
    {
        while (!_stop)
        {
            bool worked = false;
            while (_calls.TryDequeue(out Action? call))
            {
                call();
                worked = true;
            }
            bool waiting = false;
            foreach (LcoreUnit unit in _units)
            {
                worked |= DrainReports(unit);
                unit.PostWaiting();
                waiting |= unit.HasWaiting;
            }
            // Changes that come while lcores have not taken the last routes yet make one snapshot together: tables are large.
            if (_routesChanged && _forwardingsUnderWay == 0)
                _ = PostForwarding();
            if (worked)
                continue;
            _waker.PrepareToSleep();
            if (_stop || !_calls.IsEmpty || _units.Any(unit => !unit.Outbox.IsEmpty))
                _waker.Awake();
            else
                _waker.Sleep(waiting ? 1 : -1);
        }
    }

    private bool DrainReports(LcoreUnit unit)
    {
        bool any = false;
        while (unit.Outbox.TryReceive(out LcoreEvent report))
        {
            any = true;
            switch (report.Kind)
            {
                case LcoreEventKind.Attached:
                    NativeMemory.Free((void*)report.Pointer);
                    if (_attaching.Remove(unit.Tunnels[report.Slot].TunnelId, out TaskCompletionSource? attached))
                        attached.SetResult();
                    break;
                case LcoreEventKind.Ended:
                    Settle(unit, report.Slot, unit.Tunnels[report.Slot].EndReason);
                    unit.ReturnSlot(report.Slot);
                    break;
                case LcoreEventKind.ForwardingReplaced:
                    ForwardingSnapshot.Free((ForwardingSnapshot*)report.Pointer);
                    if (_replacing.Remove(report.Pointer, out TaskCompletionSource? replaced))
                        replaced.SetResult();
                    if (--_forwardingsUnderWay == 0)
                    {
                        _negotiated.Recycle(_recycling);
                        _recycling.Clear();
                    }
                    break;
                case LcoreEventKind.EspObeyed:
                    Children.Obeyed(report.Pointer);
                    break;
                case LcoreEventKind.SequenceLimitRaised:
                    _raising[unit.Context.Index].Dequeue().SetResult();
                    break;
                case LcoreEventKind.CaptureSwitched:
                    _capturing[unit.Context.Index].Dequeue().SetResult();
                    break;
                case LcoreEventKind.ShutDown:
                    if (++_unitsShutDown == _units.Count)
                        _shutDown.TrySetResult();
                    break;
            }
        }
        return any;
    }

    /// <summary>A tunnel is gone: its native block is freed and the control plane told.</summary>
    private void Settle(LcoreUnit unit, int slot, TunnelEndReason reason)
    {
        UserTunnel* tunnel = unit.Tunnels + slot;
        // The lcore has released the keys and zeroed the states.
        NativeMemory.AlignedFree(tunnel->Traffic);
        tunnel->Traffic = null;
        ulong id = tunnel->TunnelId;
        _tunnels.Remove(id);
        if (_attaching.Remove(id, out TaskCompletionSource? attached))
            attached.SetException(new InvalidOperationException("The data plane stopped before the tunnel began."));
        TunnelEnded?.Invoke(new TunnelEnded(id, tunnel->SessionId, reason, tunnel->Counters.ReceivedBytes, tunnel->Counters.SentBytes));
        if (!_detaching.Remove(id, out List<TaskCompletionSource<bool>>? waiting))
            return;
        foreach (TaskCompletionSource<bool> detached in waiting)
            detached.SetResult(true);
    }

    /// <summary>Frees what came with a request that is refused.</summary>
    private static void Abandon(UserTunnelRequest request)
    {
        var traffic = (TlsTrafficState*)request.TrafficStates;
        Release(traffic, request.Socket);
        NativeMemory.AlignedFree(traffic);
    }

    private static void Release(TlsTrafficState* traffic, int socket)
    {
        using AeadEngine engine = AeadEngine.CreateDefault();
        traffic[0].Release(engine);
        traffic[1].Release(engine);
        TcpSocket.Close(socket);
    }
}
