using System.Diagnostics.Metrics;
using VpnBroker.Status;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace VpnBroker.Monitoring.Metrics;

/// <summary>
/// The meter <c>CryptoPlane</c>: observable instruments over the last reading of the lcores' counters, for OpenTelemetry and for Prometheus.
/// Who reads it takes what the sampler has read, and asks nothing of an lcore. Names follow OpenTelemetry's semantic conventions.
/// </summary>
internal sealed partial class BrokerMeter : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "CryptoPlane";

    private const string Direction = "network.io.direction";

    private readonly Lock _gate = new();
    private readonly MonotonicTraffic<string> _esp = new();
    private readonly MonotonicTraffic<ulong>? _users;
    private StatusReport? _report;

    /// <summary>Makes the meter.</summary>
    /// <param name="users">Whether each user has series of their own.</param>
    public BrokerMeter(bool users)
    {
        Meter = new Meter(Name, typeof(BrokerMeter).Assembly.GetName().Version?.ToString(3));
        AddBroker();
        AddLcores();
        AddPorts();
        AddTunnels();
        AddDtls();
        AddPolicy();
        AddFlows();
        AddQueues();
        AddIke();
        AddDevices();
        if (!users)
            return;
        _users = new MonotonicTraffic<ulong>();
        AddTraffic("cryptoplane.user", "user", () => Locked(() => TotalsOf(_users, "user")));
    }

    /// <summary>The meter itself.</summary>
    public Meter Meter { get; }

    /// <summary>Takes the sampler's reading as that of now.</summary>
    public void Take(StatusReport report)
    {
        lock (_gate)
        {
            _report = report;
            _esp.Take(report.Esp.Select(pair => (pair.Tunnel, pair.InboundSpi, pair.Traffic)), keep: true);
            // Sessions are not in every reading: where there are many they are read less often.
            if (_users is not null && (report.Users.Count != 0 || report.Sessions == 0))
                _users.Take(report.Users.Select(user => (user.User, user.Session, user.Traffic)), keep: false);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Meter.Dispose();

    private void AddBroker()
    {
        Gauge("cryptoplane.uptime", "s", "Time since the broker's start.", report => [new(report.UptimeSeconds)]);
        Level("cryptoplane.sessions", "{session}", "Users who are logged in, with or without a tunnel.", report => [new(report.Sessions)]);
        Level("cryptoplane.connections.half_open", "{connection}", "Connections that have not become a tunnel.",
            report => [new(report.HalfOpen)]);
        Counter("cryptoplane.connections.refused", "{connection}", "Connections refused because there were too many.",
            report => [new(report.RefusedConnections)]);
        Counter("cryptoplane.cookies.refused", "{cookie}", "Session cookies refused.", report => [new(report.RefusedCookies)]);
        Counter("cryptoplane.gc.collections", "{collection}", "Garbage collections.", report => [new(report.Gc.Collections)]);
        Gauge("cryptoplane.gc.pause.worst", "s", "The longest time that a garbage collection stopped the process.",
            report => [new(report.Gc.WorstPauseMilliseconds / 1000)]);
    }

    private void AddLcores()
    {
        Seconds("cryptoplane.lcore.time", "Time of an lcore, at work and idle.", report => report.Lcores
            .SelectMany(lcore => new Measurement<double>[]
            {
                new(lcore.BusyNanoseconds / 1e9, Of("lcore", lcore.Index), Of("state", "busy")),
                new(lcore.IdleNanoseconds / 1e9, Of("lcore", lcore.Index), Of("state", "idle")),
            }));
        Level("cryptoplane.lcore.tunnels", "{tunnel}", "Users' tunnels of an lcore.",
            report => report.Lcores.Select(lcore => new Measurement<long>(lcore.Tunnels, Of("lcore", lcore.Index))));
        Counter("cryptoplane.lcore.dropped.packets", "{packet}", "Packets that an lcore dropped, by reason.", report => report.Lcores
            .SelectMany(lcore => lcore.Drops.Select(drop => new Measurement<long>((long)drop.Value, Of("lcore", lcore.Index), Of("reason", drop.Key)))));
        Counter("cryptoplane.lcore.answered.packets", "{packet}", "Packets that an lcore did not pass on and answered itself, by what it sent.",
            report => report.Lcores.SelectMany(lcore => new Measurement<long>[]
            {
                new((long)lcore.IcmpSent, Of("lcore", lcore.Index), Of("answer", "icmp-error")),
                new((long)lcore.ResetsSent, Of("lcore", lcore.Index), Of("answer", "tcp-reset")),
            }));
        AddTraffic("cryptoplane.inner", "inner side", () => Read(report => report.Lcores.SelectMany(lcore =>
            lcore.Traffic.Select(side => (side, (Tag[])[Of("lcore", lcore.Index), Of("side", side.Name)])))));
    }

    private void AddPorts()
    {
        static Tag[] Place(PortReport port) =>
            port.Lcore is { } lcore ? [Of("port", port.Traffic.Name), Of("lcore", lcore)] : [Of("port", port.Traffic.Name)];
        static IEnumerable<PortReport> Ports(StatusReport report, bool whole) => report.Ports.Where(port => port.Lcore is null == whole);

        // A device's own counts have names of their own, so that no sum over a port counts its packets twice.
        foreach ((string prefix, string what, bool whole) in (ReadOnlySpan<(string, string, bool)>)
            [("cryptoplane.port", "port, as its lcores count", false), ("cryptoplane.device", "device, as it counts itself", true)])
        {
            AddTraffic(prefix, what, () => Read(report => Ports(report, whole).Select(port => (port.Traffic, Place(port)))));
            Counter($"{prefix}.dropped.packets", "{packet}", $"Packets dropped by the {what}, by reason.", report => Ports(report, whole)
                .SelectMany(port => port.Drops.Select(drop => new Measurement<long>((long)drop.Value, [.. Place(port), Of("reason", drop.Key)]))));
            Counter($"{prefix}.events", "{event}", $"What else is counted by the {what}.", report => Ports(report, whole)
                .SelectMany(port => port.Counters.Select(counter => new Measurement<long>((long)counter.Value, [.. Place(port), Of("event", counter.Key)]))));
        }
    }

    private void AddTunnels()
    {
        AddTraffic("cryptoplane.esp", "ESP tunnel, over all its SAs", () => Locked(() => TotalsOf(_esp, "tunnel")));
        Level("cryptoplane.esp.pairs", "{pair}", "Pairs of ESP SAs of a tunnel.", report => report.Esp.GroupBy(pair => pair.Tunnel)
            .Select(tunnel => new Measurement<long>(tunnel.Count(), Of("tunnel", tunnel.Key))));
        Gauge("cryptoplane.ipsec.peer.up", null, "1 while a configured IPsec peer has an IKE SA, else 0.", report => report.Ipsec
            .Where(sa => sa.Peer is not null).GroupBy(sa => sa.Peer!)
            .Select(peer => new Measurement<double>(peer.Any(sa => sa.State == "established") ? 1 : 0, Of("peer", peer.Key))));
        Gauge("cryptoplane.ipsec.peer.share", "1", "The part of new flows to shared prefixes that goes by a peer's tunnel, 0 to 1.",
            report => Shares(report, share => share.Share));
        Gauge("cryptoplane.ipsec.peer.weight", "1", "The weight of a peer's tunnel among those that share its prefixes.",
            report => Shares(report, share => share.Weight));
    }

    /// <summary>A prefix has one list of tunnels that share it: so the first one names all that have the same list, however many they are.</summary>
    private static IEnumerable<Measurement<double>> Shares(StatusReport report, Func<PeerShareReport, double> value) => report.PeerShares
        .Select(share => new Measurement<double>(value(share), Of("tunnel", share.Tunnel), Of("prefix", share.Prefixes[0])));

    private void AddDtls()
    {
        IEnumerable<Measurement<long>> Of(StatusReport report, Func<DtlsReport, long> count) => report.Dtls is { } dtls ? [new(count(dtls))] : [];

        Level("cryptoplane.user.tunnels", "{tunnel}", "Users' tunnels by what their data goes by now.", report =>
        {
            int all = report.Lcores.Sum(lcore => lcore.Tunnels), dtls = report.Dtls?.Channels ?? 0;
            return [new(dtls, new Tag("channel", "dtls")), new(Math.Max(0, all - dtls), new Tag("channel", "tls"))];
        });
        Level("cryptoplane.dtls.channels", "{channel}", "Users whose data goes by DTLS now.", report => Of(report, dtls => dtls.Channels));
        Level("cryptoplane.dtls.half_open", "{handshake}", "DTLS handshakes that are not complete.", report => Of(report, dtls => dtls.HalfOpen));
        Counter("cryptoplane.dtls.begun", "{channel}", "Data channels over DTLS that got their keys.", report => Of(report, dtls => (long)dtls.Begun));
        Counter("cryptoplane.dtls.fallbacks", "{fallback}", "Times that a user's data went back to TLS.", report => Of(report, dtls => (long)dtls.Fallbacks));
        Counter("cryptoplane.dtls.moved", "{move}", "Times that a client's datagrams came from another port.", report => Of(report, dtls => (long)dtls.Moved));
        Counter("cryptoplane.dtls.failed", "{handshake}", "DTLS handshakes that failed.", report => Of(report, dtls => dtls.Failed));
        Counter("cryptoplane.dtls.refused", "{hello}", "DTLS hellos that were refused.", report => Of(report, dtls => dtls.Refused));
        Counter("cryptoplane.dtls.cookie_requests", "{hello}", "DTLS clients asked for a cookie.", report => Of(report, dtls => dtls.CookieRequests));
        Counter("cryptoplane.dtls.dropped", "{datagram}", "Datagrams dropped before there were keys.", report => Of(report, dtls => dtls.Dropped));
    }

    private void AddPolicy()
    {
        static IEnumerable<Measurement<long>> Rules(StatusReport report, Func<PolicyRuleReport, ulong> count) => (report.Policy?.Rules ?? [])
            .Select(rule => new Measurement<long>((long)count(rule), Of("rule", rule.Name), Of("action", rule.Action)));

        Counter("cryptoplane.policy.flows", "{flow}", "Flows that a rule has decided about.", report => Rules(report, rule => rule.Flows));
        Counter("cryptoplane.policy.packets", "{packet}", "Packets of the flows that a rule has decided about.", report => Rules(report, rule => rule.Packets));
        Counter("cryptoplane.policy.io", "By", "Bytes of the flows that a rule has decided about.", report => Rules(report, rule => rule.Bytes));
    }

    private void AddDevices()
    {
        Gauge("cryptoplane.dpdk.port.up", null, "1 while a DPDK port's link is up, else 0.", report => (report.Dpdk?.Ports ?? [])
            .Select(port => new Measurement<double>(port.Link == "up" ? 1 : 0, Of("port", port.Name))));
        Counter("cryptoplane.crypto.operations", "{operation}", "Records and packets sealed or opened, by who did it.", report => Queues(report)
            .SelectMany(part => new Measurement<long>[]
            {
                new((long)part.Queue.ByDevice, [.. part.Tags, Of("executor", "device")]),
                new((long)part.Queue.ByCpu, [.. part.Tags, Of("executor", "cpu")]),
            }));
        Counter("cryptoplane.crypto.failures", "{operation}", "Operations that a device failed at, that the CPU did again, and that were lost.",
            report => Queues(report).SelectMany(part => new Measurement<long>[]
            {
                new((long)part.Queue.DeviceErrors, [.. part.Tags, Of("outcome", "failed")]),
                new((long)part.Queue.Retried, [.. part.Tags, Of("outcome", "retried")]),
                new((long)part.Queue.Lost, [.. part.Tags, Of("outcome", "lost")]),
            }));
    }

    private static IEnumerable<(CryptoQueueReport Queue, Tag[] Tags)> Queues(StatusReport report) => (report.Dpdk?.Crypto ?? [])
        .SelectMany(device => device.Queues.Select(queue => (queue, (Tag[])[Of("device", device.Name), Of("lcore", queue.Lcore)])));

    /// <summary>Packets and bytes, each in both directions.</summary>
    private void AddTraffic(string prefix, string what, Func<IEnumerable<(TrafficReport Traffic, Tag[] Tags)>> read)
    {
        Meter.CreateObservableCounter($"{prefix}.packets",
            () => read().SelectMany(part => Both(part.Traffic.ReceivedPackets, part.Traffic.SentPackets, part.Tags)), "{packet}", $"Packets by {what}.");
        Meter.CreateObservableCounter($"{prefix}.io",
            () => read().SelectMany(part => Both(part.Traffic.ReceivedBytes, part.Traffic.SentBytes, part.Tags)), "By", $"Bytes by {what}.");
    }

    private static Measurement<long>[] Both(ulong received, ulong sent, Tag[] tags) =>
        [new((long)received, [.. tags, Of(Direction, "receive")]), new((long)sent, [.. tags, Of(Direction, "transmit")])];

    private static (TrafficReport, Tag[])[] TotalsOf<TPart>(MonotonicTraffic<TPart> traffic, string tag) where TPart : notnull =>
        [.. traffic.Totals.Select(total => (total, (Tag[])[Of(tag, total.Name)]))];

    private static Tag Of(string key, object value) => new(key, value);

    private void Counter(string name, string unit, string description, Func<StatusReport, IEnumerable<Measurement<long>>> read) =>
        Meter.CreateObservableCounter(name, () => Read(read), unit, description);

    private void Seconds(string name, string description, Func<StatusReport, IEnumerable<Measurement<double>>> read) =>
        Meter.CreateObservableCounter(name, () => Read(read), "s", description);

    private void Level(string name, string unit, string description, Func<StatusReport, IEnumerable<Measurement<long>>> read) =>
        Meter.CreateObservableUpDownCounter(name, () => Read(read), unit, description);

    private void Gauge(string name, string? unit, string description, Func<StatusReport, IEnumerable<Measurement<double>>> read) =>
        Meter.CreateObservableGauge(name, () => Read(read), unit, description);

    /// <summary>What the last reading says; nothing before the first.</summary>
    private IEnumerable<T> Read<T>(Func<StatusReport, IEnumerable<T>> select) =>
        Volatile.Read(ref _report) is { } report ? select(report) : [];

    private T Locked<T>(Func<T> read)
    {
        lock (_gate)
            return read();
    }
}
