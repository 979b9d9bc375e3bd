using CryptoPlane.Esp;
using CryptoPlane.IO;
using CryptoPlane.Lcores;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// The data plane of one lcore: one turn takes what has come, opens it, routes it, seals it and sends it, each stage over the whole burst.
/// </summary>
internal sealed unsafe class LcoreWorker : ILcoreWorker, IDisposable
{
    /// <summary>Shortest sleep before a packet that waits for a shaper, in nanoseconds.</summary>
    private const long LeastWait = 200_000;

    private const ulong WakerTag = 1UL << 62, TunTag = 1UL << 61, EspTag = 1UL << 60, LinkTag = 1UL << 59, DtlsTag = 1UL << 58;

    private readonly LcoreContext _context;
    private readonly LcorePorts _ports;
    private readonly OutputQueues _output = new();
    private readonly TunnelTable _tunnels;
    private readonly ReceiveStage _receive;
    private readonly PortStage _portStage;
    private readonly DtlsStage _dtls;
    private readonly LinkStage _links;
    private readonly PollPacer? _pacer;
    private readonly OpenStage _open;
    private readonly PeerStage _peers;
    private readonly FlowStage? _flows;
    private readonly RouteStage _route;
    private readonly QueueStage? _queues;
    private readonly SealStage _seal;
    private readonly TransmitStage _transmit;
    private readonly TimerStage _timers;
    private readonly MessageStage _messages;
    private bool _looked;
    private uint _serveFrom;

    /// <summary>Puts the stages together; on a control thread.</summary>
    public LcoreWorker(LcoreContext context, EspPairs pairs, LcorePorts ports, Mailbox<LcoreMessage> inbox, Mailbox<LcoreEvent> outbox)
    {
        _context = context;
        _ports = ports;
        _tunnels = new TunnelTable(context);
        _receive = new ReceiveStage(context, _tunnels);
        _peers = new PeerStage(context, pairs);
        _flows = context.Flows == null ? null : new FlowStage(context, context.Flows, _tunnels, pairs, _peers);
        _queues = context.Queues = context.Traffic == null ? null : new QueueStage(context, _tunnels, pairs, _output, context.Traffic);
        _route = new RouteStage(context, _tunnels, pairs, _output, _peers, _flows);
        _open = new OpenStage(context, _tunnels, new FrameStage(context, _tunnels, _route), _route);
        _dtls = new DtlsStage(context, _tunnels, _open, ports);
        _portStage = new PortStage(context, _route, _open, _dtls, ports);
        _links = new LinkStage(context, ports);
        _pacer = ports.MustPoll ? new PollPacer() : null;
        _transmit = new TransmitStage(context, _tunnels, pairs, _output, ports);
        _seal = new SealStage(context, _tunnels, pairs, _output, _transmit);
        _timers = new TimerStage(context, _tunnels, _flows);
        _messages = new MessageStage(context, _tunnels, pairs, _receive, inbox, outbox);
    }

    /// <summary>ESP packets dropped when opening and when sealing; any thread may read.</summary>
    public EspCounters EspOpenDrops => _open.EspDrops;

    /// <inheritdoc cref="EspOpenDrops"/>
    public EspCounters EspSealDrops => _seal.EspDrops;

    /// <inheritdoc/>
    public bool HasPendingWork => _messages.HasPendingWork || _portStage.HasPendingWork || _dtls.HasPendingWork || _flows is { HasPendingWork: true };

    /// <inheritdoc/>
    public long NextDeadline => Math.Min(_timers.NextDeadline, _queues?.NextDeadline ?? long.MaxValue);

    /// <inheritdoc/>
    public void Start(Lcore lcore)
    {
        ArgumentNullException.ThrowIfNull(lcore);
        Watch(lcore.Waker);
    }

    /// <summary>Fills the epoll set.</summary>
    public void Watch(LcoreWaker waker)
    {
        bool watched = _context.Epoll.TryAdd(waker, WakerTag);
        if (_ports.Tun is { FileDescriptor: >= 0 } tun)
            watched &= _context.Epoll.TryAdd(tun.FileDescriptor, EpollEvents.Readable, TunTag);
        for (int i = 0; i < _ports.Esp.Count; i++)
            watched &= _ports.Esp[i].FileDescriptor < 0 || _context.Epoll.TryAdd(_ports.Esp[i].FileDescriptor, EpollEvents.Readable, EspTag | (uint)i);
        for (int i = 0; i < _ports.Dtls.Count; i++)
            watched &= _ports.Dtls[i].FileDescriptor < 0 || _context.Epoll.TryAdd(_ports.Dtls[i].FileDescriptor, EpollEvents.Readable, DtlsTag | (uint)i);
        for (int i = 0; i < _ports.Links.Count; i++)
        {
            int exception = _ports.Links[i].Exception.FileDescriptor;
            watched &= exception < 0 || _context.Epoll.TryAdd(exception, EpollEvents.Readable, LinkTag | (uint)i);
        }
        if (!watched)
            throw new InvalidOperationException("The kernel refused to watch a port of the data plane: its descriptor is closed or cannot be watched.");
    }

    /// <inheritdoc/>
    public int Poll(long now)
    {
        _context.SetClock(now);
        _receive.Begin();
        int work = _links.Run() + _messages.Run() + _portStage.ReceiveHandedOver() + _portStage.ReceivePending() + _dtls.ReceivePending();
        if (!_looked)
            _context.Epoll.Wait(0);
        _looked = false;
        work += Serve();
        _timers.Run();
        _context.Stages?.Charge(Stage.Receive);

        bool more;
        do
        {
            more = _open.Run(_receive.Connections, _receive.ConnectionCount);
            if (_queues != null)
                more |= _queues.Release();
            _seal.Run();
            _transmit.FlushTun();
        }
        while (more);
        // The other lcores may sleep: without this they would find their packets when something else wakes them, or never.
        foreach (PacketHandover? ring in _context.HandOverTo)
            ring?.Flush();
        _context.StrayIke?.Flush();
        _receive.KeepPartialRecords();
        _messages.Report();
        _pacer?.Note(work, now);
        return work;
    }

    /// <inheritdoc/>
    public void WaitForEvents(int timeoutMilliseconds)
    {
        long queued = _queues == null ? long.MaxValue : _queues.NextDeadline - _context.Now;
        if (_pacer == null && queued >= 1_000_000)
            _context.Epoll.Wait(timeoutMilliseconds);
        else if (_pacer == null)
            // Shapers let packets go more often than once in a millisecond, but need not be woken for each.
            _context.Epoll.WaitNanoseconds(Math.Max(queued, LeastWait));
        else
            _context.Epoll.WaitNanoseconds(_pacer.Wait(_context.Now));
        _looked = true;
    }

    /// <inheritdoc/>
    public void Stop()
    {
        for (int slot = 0; slot < _tunnels.HighWater; slot++)
            _tunnels.Close(slot, TunnelEndReason.Shutdown);
        // Before sessions end: what waits is dropped in them.
        _queues?.Clear();
        _context.Flows?.EndAll();
    }

    /// <summary>Frees what the stages hold, when the lcore has stopped.</summary>
    public void Dispose()
    {
        _seal.Dispose();
        _open.Dispose();
        _route.Dispose();
        _flows?.Dispose();
        _peers.Dispose();
        _queues?.Dispose();
        _portStage.Dispose();
        _dtls.Dispose();
        _receive.Dispose();
        _transmit.Dispose();
        _output.Dispose();
    }

    /// <summary>Serves the descriptors that are ready.</summary>
    private int Serve()
    {
        EpollSet epoll = _context.Epoll;
        int count = epoll.ReadyCount;
        if (count == 0)
            return 0;
        int work = 0;
        // Descriptors that stay ready are reported in the same order every time, and the receive area may be full before the last of them:
        // each turn begins with another one, so that nobody's flood keeps others from being read.
        int first = (int)(_serveFrom++ % (uint)count);
        for (int i = 0; i < count; i++)
        {
            EpollReady ready = epoll[first + i < count ? first + i : first + i - count];
            int index = (int)(uint)ready.UserData;
            if ((ready.UserData & TunnelTable.EpollTag) != 0)
                work += ServeTunnel(index, ready.Events, alone: count == 1);
            else if ((ready.UserData & TunTag) != 0)
                work += _portStage.ReceiveTun();
            else if ((ready.UserData & EspTag) != 0)
                work += _portStage.ReceiveEsp(index);
            else if ((ready.UserData & DtlsTag) != 0)
                work += _dtls.Receive(index);
            else if ((ready.UserData & LinkTag) != 0)
                work += _links.Pump(index);
        }
        return work;
    }

    private int ServeTunnel(int slot, EpollEvents events, bool alone)
    {
        UserTunnel* tunnel = _tunnels[slot];
        // An event of this turn may be of a tunnel that an earlier event or message of the turn has ended.
        if (tunnel->State is TunnelState.Free or TunnelState.Ended)
            return 0;
        if ((events & EpollEvents.Writable) != 0 && (tunnel->Flags & TunnelFlags.AwaitsWritable) != 0)
            _transmit.Resume(slot);
        if ((events & ~EpollEvents.Writable) == 0)
            return 1;
        switch (tunnel->State)
        {
            case TunnelState.Open:
                _receive.Read(slot, alone);
                break;
            case TunnelState.Lingering:
                _receive.Discard(slot);
                break;
            case TunnelState.Closing or TunnelState.Draining when (events & (EpollEvents.Error | EpollEvents.HangUp)) != 0:
                _tunnels.Close(slot, tunnel->EndReason);
                break;
        }
        return 1;
    }
}
