using System.Collections.Concurrent;
using System.Net;
using System.Runtime.InteropServices;
using CryptoPlane.Lcores;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Devices;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Queueing;
using VpnBroker.DataPlane.Routing;

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

    private readonly Dictionary<nint, TaskCompletionSource> _readingFlows = [];
    private readonly Queue<TaskCompletionSource>[] _raising;
    private readonly Queue<TaskCompletionSource>[] _capturing;
    private readonly TaskCompletionSource _shutDown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ShareRenewer? _shares;
    private readonly PeerRenewer _peers;
    private BrokerConfig _config;
    private readonly ForwardingPublisher _forwarding;
    private int _unitsShutDown;
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
        TrafficPlan? traffic = TrafficPlan.Of(config);
        _negotiated = negotiated;
        Policy = new PolicyPublisher(units);
        UserLimits? limits = traffic == null ? null : new UserLimits(traffic, (lcore, node) => units[lcore].Context.Queues!.ReadDemand(node));
        Users = new UserTunnels(units, Policy, limits);
        Dtls = new DtlsChannels(units, Users.Places);
        Users.Ending = Dtls.Ended;
        _forwarding = new ForwardingPublisher(units, espTunnels, negotiated);
        Children = new EspChildren(units, negotiated, carrierOf, _forwarding.NoteChange, Policy.SubjectOf, traffic, limits);
        _units = units;
        _espTunnels = espTunnels;
        _waker = waker;
        _raising = [.. units.Select(_ => new Queue<TaskCompletionSource>())];
        _capturing = [.. units.Select(_ => new Queue<TaskCompletionSource>())];
        if (traffic != null)
        {
            ShareLcore[] lcores = [.. units.Select(unit => new ShareLcore(unit.Context, message => unit.Post(message)))];
            _shares = new ShareRenewer(lcores, traffic, limits!, espTunnels.Count + negotiated.Capacity, SharedTunnels);
        }
        _peers = new PeerRenewer(units, negotiated, () => Children.Places, config.KeepsFlows);
        _thread = new Thread(Run) { IsBackground = true, Name = "supervisor" };
    }

    /// <summary>Users' tunnels, and where they are. Supervisor's thread.</summary>
    public UserTunnels Users { get; }

    /// <summary>The pairs of SAs that IKE has negotiated. Supervisor's thread.</summary>
    public EspChildren Children { get; }

    /// <summary>The policy, and who users are to it. Supervisor's thread.</summary>
    public PolicyPublisher Policy { get; }

    /// <summary>Users' data channels over DTLS. Supervisor's thread.</summary>
    public DtlsChannels Dtls { get; }

    /// <summary>Which peers share which prefixes. Supervisor's thread.</summary>
    public IReadOnlyList<PeerShareStatus> ReadPeerShares() => _negotiated.ReadShares();

    /// <summary>What numbers in flow records stand for. Supervisor's thread.</summary>
    public FlowLabels ReadFlowLabels() => new(
        _espTunnels.Index().Concat(_negotiated.Names).ToDictionary(tunnel => (ulong)tunnel.Item1, tunnel => tunnel.Item2),
        (Policy.Read()?.Rules ?? []).ToDictionary(rule => rule.Number, rule => rule.Name));

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
                return CallAsync(() => Users.Attach(request)).Unwrap();
        }
        UserTunnels.Abandon(request);
        throw new InvalidOperationException(Stopped);
    }

    /// <summary>Supervisor's thread: gives every lcore its snapshot of a configuration.</summary>
    /// <returns>A task that completes when the old ones are not used any more, and freed.</returns>
    public Task Apply(BrokerConfig config)
    {
        // Users' flows are judged by the new rules before routes that come with them lead anywhere.
        Task decided = Policy.Apply(config);
        _config = config;
        foreach (IpsecPeerConfig peer in config.Ipsec?.Peers ?? [])
            _negotiated.SetWeight(peer.Name, peer.Weight);
        Task limited = config.Traffic is { } traffic && _shares != null ? _shares.Reload(traffic) : Task.CompletedTask;
        return Task.WhenAll(decided, _forwarding.Publish(config), limited);
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

    /// <summary>Supervisor's thread: lets an lcore show sessions.</summary>
    /// <param name="unit">The lcore.</param>
    /// <param name="filter">A <see cref="FlowFilter"/> in native memory, freed when the lcore has read it.</param>
    /// <param name="reading">The reading's number.</param>
    /// <returns>A task that completes when the lcore has read the filter.</returns>
    public Task ReadFlows(LcoreUnit unit, nint filter, int reading)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _readingFlows.Add(filter, done);
        unit.Post(new LcoreMessage { Kind = LcoreMessageKind.Flows, Slot = reading, Pointer = filter });
        return done.Task;
    }

    /// <summary>Supervisor's thread: tells the lcores to end all tunnels.</summary>
    /// <returns>A task that completes when they have.</returns>
    public Task ShutDown()
    {
        if (Users.Refusal == null)
        {
            Users.Refusal = Stopped;
            foreach (LcoreUnit unit in _units)
                unit.Post(new LcoreMessage { Kind = LcoreMessageKind.Shutdown });
        }
        return _shutDown.Task;
    }

    /// <summary>Ends the thread, then settles what the stopped lcores have left: nobody waits in vain.</summary>
    public void Dispose()
    {
        _stop = true;
        _waker.Signal();
        if ((_thread.ThreadState & ThreadState.Unstarted) == 0)
            _thread.Join();
        lock (_gate)
            _closed = true;
        Users.Refusal = Stopped;
        while (_calls.TryDequeue(out Action? call))
            call();
        foreach (LcoreUnit unit in _units)
            DrainReports(unit);
        Children.Abandon();
        Dtls.Abandon();
        Policy.Dispose();
        Users.Abandon();
        // The lcores have stopped: they use no ring any more.
        foreach (Queue<TaskCompletionSource> waiting in _capturing)
        {
            while (waiting.TryDequeue(out TaskCompletionSource? switched))
                switched.SetResult();
        }
        foreach ((nint filter, TaskCompletionSource begun) in _readingFlows)
        {
            NativeMemory.Free((void*)filter);
            begun.SetException(new InvalidOperationException(Stopped));
        }
        _readingFlows.Clear();
        _shares?.Dispose();
        _peers.Dispose();
        _waker.Dispose();
    }

    /// <summary>ESP tunnels with a pair of SAs on several lcores, maybe.</summary>
    private IEnumerable<SharedTunnel> SharedTunnels()
    {
        IReadOnlyList<EspTunnelConfig> configured = _config.Esp?.Tunnels ?? [];
        foreach (EspTunnelConfig tunnel in configured)
        {
            // A tunnel that a reload has added has no SAs before the next start.
            for (int number = 0; number < _espTunnels.Count; number++)
            {
                if (_espTunnels[number] == tunnel.Name)
                    yield return new SharedTunnel(number, tunnel.Name, [.. tunnel.Pairs.Select(pair => pair.Lcore).Distinct()]);
            }
        }
        foreach (NegotiatedTunnel tunnel in _negotiated.Active.Where(tunnel => tunnel.User is null))
            yield return new SharedTunnel(tunnel.Number, tunnel.Peer, tunnel.Lcores);
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
                // A table that grows has its next memory ready, so that no lcore waits for the kernel: this thread comes by every second at least.
                unit.Context.Flows?.Table.Provision();
                unit.PostWaiting();
                waiting |= unit.HasWaiting;
            }
            if (_forwarding.IsDue)
                _ = _forwarding.Publish(_config);
            _shares?.Run(MonotonicClock.Nanoseconds);
            _peers.Run(MonotonicClock.Nanoseconds);
            if (worked)
                continue;
            _waker.PrepareToSleep();
            if (_stop || !_calls.IsEmpty || _units.Any(unit => !unit.Outbox.IsEmpty))
                _waker.Awake();
            else
                _waker.Sleep(waiting ? 1 : Wait(MonotonicClock.Nanoseconds));
        }
    }

    /// <summary>Milliseconds until something is due; -1 where nothing is.</summary>
    private int Wait(long now)
    {
        int shares = _shares?.Wait(now) ?? -1, peers = _peers.Wait(now);
        return shares < 0 || peers < 0 ? Math.Max(shares, peers) : Math.Min(shares, peers);
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
                    Users.Attached(unit, report.Slot);
                    break;
                case LcoreEventKind.Ended:
                    Users.Settle(unit, report.Slot, unit.Tunnels[report.Slot].EndReason);
                    unit.ReturnSlot(report.Slot);
                    break;
                case LcoreEventKind.ForwardingReplaced:
                    _forwarding.Replaced(report.Pointer);
                    break;
                case LcoreEventKind.EspObeyed:
                    Children.Obeyed(report.Pointer);
                    break;
                case LcoreEventKind.EspLifetime:
                    Children.LifetimePassed?.Invoke();
                    break;
                case LcoreEventKind.SequenceLimitRaised:
                    _raising[unit.Context.Index].Dequeue().SetResult();
                    break;
                case LcoreEventKind.CaptureSwitched:
                    _capturing[unit.Context.Index].Dequeue().SetResult();
                    break;
                case LcoreEventKind.PolicyReplaced:
                    Policy.Replaced(unit.Context.Index);
                    break;
                case LcoreEventKind.FlowsBegun:
                    NativeMemory.Free((void*)report.Pointer);
                    if (_readingFlows.Remove(report.Pointer, out TaskCompletionSource? begun))
                        begun.SetResult();
                    break;
                case LcoreEventKind.DtlsAttached:
                    Dtls.Attached(unit, report.Slot, report.Pointer);
                    break;
                case LcoreEventKind.DtlsMoved:
                    Dtls.Moved(unit, report.Slot, (ulong)report.Pointer);
                    break;
                case LcoreEventKind.SharesTaken:
                    _shares!.Taken();
                    break;
                case LcoreEventKind.PeersReplaced:
                    _peers.Taken(unit.Context.Index, report.Pointer);
                    break;
                case LcoreEventKind.ShutDown:
                    if (++_unitsShutDown == _units.Count)
                        _shutDown.TrySetResult();
                    break;
            }
        }
        return any;
    }
}
