using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Runtime;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Lcores;
using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Devices;
using VpnBroker.DataPlane.Dpdk;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Supervision;

namespace VpnBroker.DataPlane;

/// <summary>The data plane: its lcores, their ports, and the supervisor through which the control plane reaches them.</summary>
public sealed partial class DataPlaneHost : IDataPlane
{
    /// <summary>Ethernet header, check sequence and two VLAN tags, which drivers reckon with.</summary>
    private const int EthernetOverhead = 26;

    /// <summary>Bytes that drivers want in every buffer, however short their frames are: what DPDK's own pools have by default.</summary>
    private const int UsualFrameBuffer = 2048;

    private readonly ILogger _logger;
    private readonly List<LcoreUnit> _units = [];
    private readonly List<string> _espTunnels;
    private readonly ulong[] _positions;
    private readonly PortCatalog _ports = new();
    private readonly Lock _stateLock = new();
    private DpdkDevices? _dpdk;
    private TunInterface? _tun;
    private EspSockets? _espSockets;
    private DtlsSockets? _dtlsSockets;
    private StrayIke? _strayIke;
    private OutboundPlace[] _outbound = [];
    private Supervisor? _supervisor;
    private EspChildrenCalls? _children;
    private FlowReadings? _flowReadings;
    private Task? _stopping;
    private bool _released;
    private int _capturing;

    private DataPlaneHost(BrokerConfig config, ILoggerFactory loggers)
    {
        _logger = loggers.CreateLogger("VpnBroker.DataPlane");
        _espTunnels = [.. (config.Esp?.Tunnels ?? []).Select(tunnel => tunnel.Name)];
        _positions = new ulong[EspSaOrder.Of(config).Count];
    }

    /// <inheritdoc/>
    public int LcoreCount => _units.Count;

    /// <summary>What the data plane has of DPDK; null without a section of that name.</summary>
    internal DpdkDevices? Dpdk => _dpdk;

    /// <inheritdoc/>
    public Action<TunnelEnded>? TunnelEnded
    {
        get => Supervisor.Users.Ended;
        set => Supervisor.Users.Ended = value;
    }

    private Supervisor Supervisor => _supervisor ?? throw new InvalidOperationException("The data plane has not been started.");

    /// <summary>Opens the ports, makes the SAs and starts the lcores.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="outboundRanges">Sequence numbers of the outbound SAs, in the order of <see cref="EspSaOrder"/>, on disk already.</param>
    /// <param name="loggers">The log.</param>
    /// <exception cref="InvalidOperationException">The kernel refused a port; the message says what is missing.</exception>
    /// <exception cref="ArgumentException">The configuration contradicts itself.</exception>
    public static DataPlaneHost Start(BrokerConfig config, IReadOnlyList<SequenceRange> outboundRanges, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(outboundRanges);
        ArgumentNullException.ThrowIfNull(loggers);
        var host = new DataPlaneHost(config, loggers);
        try
        {
            host.Build(config, outboundRanges);
            return host;
        }
        catch
        {
            host.Release();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task AttachUserAsync(UserTunnelRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        await Supervisor.AttachAsync(request);
        LogAttached(_logger, request.TunnelId, request.User, request.Lcore);
    }

    /// <inheritdoc/>
    public IReadOnlyList<Socket> DtlsSockets => _dtlsSockets?.Control ?? [];

    /// <inheritdoc/>
    public async Task<bool> AttachDtlsAsync(DtlsChannelRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return await await Supervisor.CallAsync(() => Supervisor.Dtls.Attach(request));
    }

    /// <inheritdoc/>
    public async Task<bool> DetachUserAsync(ulong tunnelId, TunnelEndReason reason) =>
        await await Supervisor.CallAsync(() => Supervisor.Users.Detach(tunnelId, reason));

    /// <inheritdoc/>
    public Task<DataPlaneStatus> GetStatusAsync(bool includeTunnels) => Supervisor.CallAsync(() => new DataPlaneStatus
    {
        Lcores = [.. _units.Select(StatusReader.ReadLcore)],
        Ports = _ports.Read(),
        PeerShares = Supervisor.ReadPeerShares(),
        Tunnels = !includeTunnels ? [] :
        [
            .. Supervisor.Users.Places.Values.Select(place => StatusReader.ReadTunnel(_units[place.Lcore], place.Slot)),
            .. Supervisor.Children.Places.Where(place => place.Request.User != null).GroupBy(place => place.Tunnel, StatusReader.ReadUser),
        ],
        Esp =
        [
            .. _outbound.Select(place => StatusReader.ReadEsp(_units[place.Lcore], place.Tunnel, _espTunnels[place.Tunnel])),
            .. Supervisor.Children.Places.Select(place => StatusReader.ReadEsp(_units[place.Request.Lcore], place)),
        ],
        Queues = [.. _units.SelectMany(QueueReader.ReadClasses)],
        Dpdk = _dpdk?.ReadStatus(),
        Policy = Supervisor.Policy.Read(),
    });

    /// <inheritdoc/>
    public IReadOnlyList<FlowRecordRing> FlowRecords { get; private set; } = [];

    /// <inheritdoc/>
    public Task ReadFlowsAsync(FlowFilter filter, Action<FlowView> take) => _flowReadings!.ReadAsync(filter, take);

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<int, string>> GetEspTunnelNamesAsync() => Supervisor.CallAsync<IReadOnlyDictionary<int, string>>(() =>
    {
        Dictionary<int, string> names = _espTunnels.Select((name, number) => (name, number)).ToDictionary(entry => entry.number, entry => entry.name);
        foreach (EspChildPlace place in Supervisor.Children.Places)
            names[place.Tunnel.Number] = place.Request.Name;
        return names;
    });

    /// <inheritdoc/>
    public Task<FlowLabels> GetFlowLabelsAsync() => Supervisor.CallAsync(Supervisor.ReadFlowLabels);

    /// <inheritdoc/>
    public IEspChildren? Children => _children;

    /// <inheritdoc/>
    public IReadOnlyList<Socket> IkeSockets => _espSockets?.IkeSockets ?? [];

    /// <inheritdoc/>
    public IStrayIke? StrayIke => _strayIke;

    /// <inheritdoc/>
    public IReadOnlyList<CapturePoint> CapturePoints => _ports.CapturePoints;

    /// <inheritdoc/>
    public async Task<IDataPlaneCapture> StartCaptureAsync(CapturePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (Interlocked.Exchange(ref _capturing, 1) != 0)
            throw new InvalidOperationException("A capture is running: only one can at a time.");
        return await DataPlaneCapture.StartAsync(Supervisor, plan, () => Volatile.Write(ref _capturing, 0));
    }

    /// <inheritdoc/>
    public void ReadSequencePositions(Span<ulong> positions)
    {
        lock (_stateLock)
        {
            // SAs are freed behind the same lock.
            if (!_released)
                NotePositions();
            _positions.CopyTo(positions);
        }
    }

    /// <inheritdoc/>
    public async Task RaiseSequenceLimitAsync(int outboundSa, ulong limit)
    {
        OutboundPlace place = _outbound[outboundSa];
        // The contract's limit is the first number that is not reserved, the SA's the last that is.
        await await Supervisor.CallAsync(() => Supervisor.RaiseSequenceLimit(place.Lcore, place.Tunnel, limit - 1));
    }

    /// <inheritdoc/>
    public Task<(IReadOnlyList<PolicyDecision> Decisions, ulong Suppressed)> TakePolicyLogAsync() => Supervisor.CallAsync(Supervisor.Policy.TakeLog);

    /// <inheritdoc/>
    public async Task ApplyAsync(BrokerConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        await await Supervisor.CallAsync(() => Supervisor.Apply(config));
    }

    /// <inheritdoc/>
    public Task StopAsync(TimeSpan deadline)
    {
        lock (_stateLock)
            return _stopping ??= StopOnceAsync(deadline);
    }

    private async Task StopOnceAsync(TimeSpan deadline)
    {
        Task<Task> allEnded = Supervisor.CallAsync(Supervisor.ShutDown);
        await Task.WhenAny(allEnded.Unwrap(), Task.Delay(deadline));
        await Task.Run(Release);
        LogStopped(_logger);
    }

    private void Build(BrokerConfig config, IReadOnlyList<SequenceRange> ranges)
    {
        config = config with { Lcores = LcorePlacement.Place(config.Lcores, _logger) };
        if (config.Dpdk != null)
            _dpdk = new DpdkDevices(config.Dpdk, config.Lcores, _logger);
        var supervisorWaker = new LcoreWaker();
        LcoreSizes sizes = SizesOf(config);
        for (int i = 0; i < config.Lcores.Count; i++)
        {
            int lcore = i;
            LcoreSizes own = sizes with { EspSas = EspPairsOf(config, lcore) };
            _units.Add(LcorePlacement.Near(config.Lcores.Cpus[lcore], () => CreateUnit(lcore, config, own, supervisorWaker)));
        }
        _ports.UseTaps([.. _units.Select(unit => unit.Context.Tap)], config.Listen != null);
        var negotiated = new NegotiatedTunnels(_espTunnels.Count, NegotiatedOf(config));
        _supervisor = new Supervisor(_units, _espTunnels, config, negotiated, (mode, local) => CarrierOf(config, mode, local), supervisorWaker);
        _supervisor.Policy.Begin(config);
        if (config.Tun != null)
            _tun = new TunInterface(config, config.Tun, _ports);
        _espSockets = new EspSockets(config, _ports);
        PacketPool[] pools = [.. _units.Select(unit => unit.Context.Packets)];
        IReadOnlyList<IReadOnlyList<EspPort>> sockets = _espSockets.Open(pools);
        _dpdk?.OpenPorts(config, pools, _ports);
        _espSockets.OpenIkeBesideDpdk();
        // The addresses of listen may be those of exception interfaces, which are there by now.
        _dtlsSockets = new DtlsSockets(config, _ports);
        IReadOnlyList<IReadOnlyList<WatchedPort>> datagrams = _dtlsSockets.Open(pools);
        _supervisor.Dtls.Steering = _dtlsSockets.Steering;
        if (config.Ipsec != null)
            _strayIke = new StrayIke(_units.Count, _espSockets.Locals);
        _outbound = EspAssociations.Install(config, ranges, _units, tunnel => CarrierOf(config, tunnel));
        foreach (LcoreUnit unit in _units)
        {
            int lcore = unit.Context.Index;
            unit.Context.StrayIke = _strayIke?.RingOf(lcore);
            var ports = new LcorePorts
            {
                Tun = _tun?.OpenPort(lcore, unit.Context.Packets) ?? _dpdk?.Ports?.InsideOf(lcore),
                Esp = [.. sockets[lcore], .. _dpdk?.Ports?.EspOf(lcore) ?? []],
                Dtls = datagrams[lcore],
                Links = _dpdk?.Ports?.LinksOf(lcore) ?? [],
            };
            DpdkEnvironment.Explain(() => unit.Prepare(ports, config, _espTunnels, negotiated, OnLcoreFailed));
        }
        ConnectLcores();
        _flowReadings = new FlowReadings(_units, _supervisor);
        FlowRecords = [.. _units.Select(unit => unit.Context.Flows?.Records).OfType<FlowRecordRing>()];
        _dpdk?.StartWatching();
        KeepCollectionsShort();
        _children = config.Ipsec == null ? null : new EspChildrenCalls(_supervisor);
        _supervisor.Start();
        foreach (LcoreUnit unit in _units)
        {
            unit.Lcore!.Start();
            LogStarted(_logger, unit.Context.Index, unit.Options.Cpu ?? -1, unit.Options.Idle.ToString(), unit.Context.Engine.Description);
        }
    }

    private EspCarrier CarrierOf(BrokerConfig config, EspTunnelConfig tunnel) =>
        _dpdk?.Ports?.CarrierOf(config, tunnel.Mode, tunnel.Local.Address, _espSockets!.Count)
            ?? new EspCarrier(_espSockets!.PortOf(tunnel.Mode, tunnel.Local), EspOuterHeader.None);

    /// <summary>What carries negotiated ESP of a local address.</summary>
    private EspCarrier? CarrierOf(BrokerConfig config, EspMode mode, IPAddress local) =>
        config.Ipsec?.Listen.Contains(local) != true ? null
            : _dpdk?.Ports?.CarrierOf(config, mode, local, _espSockets!.Count) ?? _espSockets!.CarrierOf(mode, local);

    /// <summary>Numbers of negotiated tunnels: with fallback pairs on any lcore there are no more tunnels than pairs.</summary>
    private static int NegotiatedOf(BrokerConfig config) => (config.Ipsec?.MaximumChildren ?? 0) * config.Lcores.Count;

    private LcoreUnit CreateUnit(int lcore, BrokerConfig config, LcoreSizes sizes, LcoreWaker supervisor)
    {
        var supplies = new LcoreSupplies { Warn = reason => LogSlowerAead(_logger, reason) };
        if (_dpdk == null)
            return new LcoreUnit(lcore, config.Lcores, sizes, _espTunnels.Count + NegotiatedOf(config), supervisor, supplies);
        int cpu = config.Lcores.Cpus[lcore];
        supplies = supplies with { Engine = _dpdk.TryCreateEngine(lcore), Memory = _dpdk.MemoryNear(cpu), Blocks = _dpdk.BlocksNear(cpu) };
        try
        {
            return DpdkEnvironment.Explain(() => new LcoreUnit(lcore, config.Lcores, sizes, _espTunnels.Count + NegotiatedOf(config), supervisor, supplies));
        }
        catch
        {
            // Its queue pair must be free when the device is closed.
            supplies.Engine?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A collection stops the lcores: full ones are to go on in the background, and what start-up has made is moved out of the way of the
    /// short ones before there is traffic.
    /// </summary>
    private static void KeepCollectionsShort()
    {
        GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
    }

    /// <summary>One ring for each ordered pair of lcores.</summary>
    private void ConnectLcores()
    {
        int count = _units.Count;
        // Few lcores have deep rings; many have shallow ones, since their number grows with the square.
        int capacity = Math.Max(32, 2048 / (int)BitOperations.RoundUpToPowerOf2((uint)count));
        foreach (LcoreUnit unit in _units)
            unit.Context.HandOverTo = new PacketHandover?[count];
        foreach (LcoreUnit unit in _units)
        {
            unit.Context.HandOverFrom = new PacketHandover?[count];
            foreach (LcoreUnit from in _units.Where(from => from != unit))
            {
                var ring = new PacketHandover(capacity, unit.Lcore!.Waker);
                unit.Context.HandOverFrom[from.Context.Index] = ring;
                from.Context.HandOverTo[unit.Context.Index] = ring;
            }
        }
    }

    private static LcoreSizes SizesOf(BrokerConfig config)
    {
        IEnumerable<int> mtus = config.Groups.Select(group => group.Profile.Mtu)
            .Concat((config.Esp?.Tunnels ?? []).Select(tunnel => tunnel.Mtu))
            .Concat((config.Ipsec?.Peers ?? []).Select(peer => peer.Mtu))
            .Append(config.DefaultProfile?.Mtu ?? 0)
            .Append(config.LocalNetwork?.Mtu ?? 0);
        IReadOnlyList<EthernetPortConfig> ports = config.Dpdk?.Ports ?? [];
        return new LcoreSizes
        {
            MaxPacket = Math.Max(1600, Math.Max(mtus.Max(), ports.Select(port => Math.Max(UsualFrameBuffer, port.Mtu + EthernetOverhead)).DefaultIfEmpty().Max())),
            // What lies in the queues of ports is not there for others.
            Packets = new LcoreSizes().Packets + (2 * (config.Traffic?.TotalPackets ?? 0)) + ports.Sum(port => port.ReceiveDescriptors + port.TransmitDescriptors),
            // A connection that is being replaced keeps its slot until the supervisor has seen it end.
            Tunnels = config.Listen == null ? 1 : config.Limits.Sessions + 256,
            DtlsClients = config.OffersDtls ? config.Limits.Sessions + 256 : 0,
            EspUsers = config.Ipsec?.RemoteAccess == null ? 0 : config.Ipsec.MaximumChildren,
            ReplayWindow = (config.Esp?.Tunnels ?? []).SelectMany(tunnel => tunnel.Pairs).Select(pair => pair.Inbound.ReplayWindow)
                .Append(config.Ipsec == null ? AntiReplayWindow.MinSize : new InboundSaParameters { Spi = 0, Algorithm = default }.ReplayWindow).Max(),
        };
    }

    /// <summary>Pairs of SAs that an lcore gets; memory for one where it gets none.</summary>
    private static int EspPairsOf(BrokerConfig config, int lcore) =>
        Math.Max(1, (config.Esp?.Tunnels ?? []).Sum(tunnel => tunnel.Pairs.Count(pair => pair.Lcore == lcore)) + (config.Ipsec?.MaximumChildren ?? 0));

    /// <summary>An lcore that fails has broken what it owns: nothing is left that could be trusted with keys.</summary>
    private void OnLcoreFailed(Lcore lcore, Exception exception)
    {
        LogFailed(_logger, lcore.Index, exception);
        Environment.FailFast($"Lcore {lcore.Index} of the data plane failed.", exception);
    }

    private void NotePositions()
    {
        for (int i = 0; i < _outbound.Length; i++)
            _positions[i] = _outbound[i].NextSequence;
    }

    /// <summary>Stops the threads, then frees everything in the opposite order of its making.</summary>
    private void Release()
    {
        foreach (LcoreUnit unit in _units)
            unit.Lcore?.RequestStop();
        foreach (LcoreUnit unit in _units)
            unit.Lcore?.Join(Timeout.InfiniteTimeSpan);
        // Only now: an lcore whose device has failed waits for the watch to stop the device.
        _dpdk?.StopWatching();
        _supervisor?.Dispose();
        _flowReadings?.Dispose();
        lock (_stateLock)
        {
            NotePositions();
            _released = true;
        }
        _tun?.Dispose();
        _espSockets?.Dispose();
        _dtlsSockets?.Dispose();
        _strayIke?.Dispose();
        _dpdk?.ClosePorts();
        foreach (LcoreUnit unit in _units)
        {
            foreach (PacketHandover? ring in unit.Context.HandOverFrom)
                ring?.Dispose();
            unit.Dispose();
        }
        _dpdk?.Dispose();
    }

    [LoggerMessage(30, LogLevel.Information, "Lcore {Lcore} runs on CPU {Cpu} with idle policy {Idle}; AEAD: {Engine}")]
    private static partial void LogStarted(ILogger logger, int lcore, int cpu, string idle, string engine);

    [LoggerMessage(34, LogLevel.Warning, "Packets are sealed more slowly than this machine could: {Reason}")]
    private static partial void LogSlowerAead(ILogger logger, string reason);

    [LoggerMessage(31, LogLevel.Debug, "Tunnel {Tunnel} of {User} is on lcore {Lcore}")]
    private static partial void LogAttached(ILogger logger, ulong tunnel, string user, int lcore);

    [LoggerMessage(32, LogLevel.Critical, "Lcore {Lcore} failed; the process ends")]
    private static partial void LogFailed(ILogger logger, int lcore, Exception exception);

    [LoggerMessage(33, LogLevel.Information, "The data plane has stopped")]
    private static partial void LogStopped(ILogger logger);
}
