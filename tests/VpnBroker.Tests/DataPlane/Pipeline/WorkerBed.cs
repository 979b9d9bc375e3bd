using System.Net;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Lcores;
using CryptoPlane.Ports;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Queueing;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Tunnels;
using VpnBroker.Tests.DataPlane.Dpdk;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>
/// The worker of one lcore, polled by the test itself: what happens between two polls is decided by the test, the clock included.
/// </summary>
internal sealed unsafe class WorkerBed : IDisposable
{
    /// <summary>The routes of beds without a configuration: users of lcore 0 and 1, and networks behind the TUN port.</summary>
    public static readonly Route[] Routes =
    [
        new(IPNetwork.Parse("10.8.0.0/24"), new RouteTarget(RouteKind.Users, 0)),
        new(IPNetwork.Parse("10.8.1.0/24"), new RouteTarget(RouteKind.Users, 1)),
        new(IPNetwork.Parse("fd00:8::/64"), new RouteTarget(RouteKind.Users, 0)),
        new(IPNetwork.Parse("192.0.2.0/24"), new RouteTarget(RouteKind.Tun, 0)),
        new(IPNetwork.Parse("2001:db8::/32"), new RouteTarget(RouteKind.Tun, 0)),
    ];

    public const int TunMtu = 1500;

    private readonly LcoreWaker _waker = new();
    private readonly LcoreWaker _supervisorWaker = new();
    private readonly Mailbox<LcoreMessage> _inbox;
    private readonly Mailbox<LcoreEvent> _outbox;
    private readonly List<TestUser> _users = [];

    public WorkerBed(int index = 0, LcoreSizes? sizes = null, Func<PacketPool, LcorePorts>? ports = null, BrokerConfig? config = null,
        LcoreSupplies? supplies = null, FlowSettings? flows = null, bool keepsFlows = true)
    {
        Context = new LcoreContext(index, sizes ?? new LcoreSizes { Tunnels = 64, Packets = 2048, UnsentChunks = 2048, PartialChunks = 1024 },
            supplies ?? DpdkBed.Supplies());
        string[] espTunnels = [.. (config?.Esp?.Tunnels ?? []).Select(tunnel => tunnel.Name)];
        Pairs = new EspPairs(espTunnels.Length);
        Context.Forwarding = config == null ? ForwardingSnapshot.Create(Routes) : ForwardingSnapshot.Create(config, espTunnels);
        Context.Traffic = config == null ? null : TrafficPlan.Of(config);
        Context.Forwarding->TunMtu = TunMtu;
        Context.Forwarding->RouterIPv4 = InnerAddress.From(IPAddress.Parse("10.8.0.1"));
        _inbox = new Mailbox<LcoreMessage>(MessageStage.MailboxCapacity, _waker);
        _outbox = new Mailbox<LcoreEvent>(MessageStage.MailboxCapacity, _supervisorWaker);
        Tun = new TestPort(Context.Packets);
        // Like in the broker, beds keep sessions, unless the test is about lcores that do not.
        Context.Flows = !keepsFlows ? null : new FlowLedger(index, flows ?? new FlowSettings { Maximum = 4096, Initial = 64 }, &Context.Counters->Flows, 0) { Users = Context.UserFlows };
        Worker = new LcoreWorker(
            Context, Pairs, ports?.Invoke(Context.Packets) ?? new LcorePorts { Tun = new WatchedPort(Tun, -1) }, _inbox, _outbox);
        Worker.Watch(_waker);
    }

    public LcoreContext Context { get; }

    public EspPairs Pairs { get; }

    public LcoreWorker Worker { get; }

    /// <summary>The TUN port, unless the test brought ports of its own.</summary>
    public TestPort Tun { get; set; }

    public LcoreWaker Waker => _waker;

    /// <summary>The lcore's clock.</summary>
    public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

    /// <summary>What the lcore reported.</summary>
    public List<LcoreEvent> Events { get; } = [];

    public TrafficCounters Counters => *Context.Counters;

    /// <summary>Polls until nothing more happens.</summary>
    public void Poll()
    {
        for (int turn = 0, idle = 0; idle < 2; turn++)
        {
            idle = Worker.Poll(Now.Ticks * 100) == 0 ? idle + 1 : 0;
            Assert.True(turn < 100_000, "the worker does not come to rest");
        }
        while (_outbox.TryReceive(out LcoreEvent report))
        {
            Events.Add(report);
            if (report.Kind == LcoreEventKind.Ended)
                NativeMemory.AlignedFree(Context.Tunnels[report.Slot].Traffic);
        }
    }

    /// <summary>Lets the clock run, a tenth of a second at a time.</summary>
    public void Pass(TimeSpan time)
    {
        for (TimeSpan end = Now + time; Now < end; Now += TimeSpan.FromMilliseconds(100))
            Poll();
    }

    /// <summary>Starts a tunnel.</summary>
    public TestUser Connect(
        string ipv4, string? ipv6 = null, TestUser? user = null, int slot = -1, int mtu = 1400, int unsentBound = 262_144, int dpd = 0, int keepalive = 0,
        int idle = 0, byte[]? unread = null, ulong session = 7, uint subject = 0, string name = "",
        TunnelLimits? limits = null)
    {
        user ??= new TestUser(_users.Count + 1);
        user.Slot = slot < 0 ? _users.Count : slot;
        _users.Add(user);
        Context.Tunnels[user.Slot] = new UserTunnel
        {
            Traffic = user.BrokerStates, Socket = user.BrokerSocket, Mtu = mtu, UnsentBound = unsentBound, DpdSeconds = dpd, KeepaliveSeconds = keepalive,
            IdleSeconds = idle, Limits = limits ?? Context.Traffic?.OfUser(name, []) ?? default, TunnelId = (ulong)_users.Count, SessionId = session, Subject = subject,
            IPv4 = InnerAddress.From(IPAddress.Parse(ipv4)), IPv6 = InnerAddress.From(ipv6 == null ? null : IPAddress.Parse(ipv6)),
        };
        nint bytes = 0;
        if (unread != null)
        {
            bytes = Marshal.AllocHGlobal(unread.Length);
            Marshal.Copy(unread, 0, bytes, unread.Length);
        }
        Post(new LcoreMessage { Kind = LcoreMessageKind.Attach, Slot = user.Slot, Pointer = bytes, Length = unread?.Length ?? 0 });
        Poll();
        Marshal.FreeHGlobal(bytes);
        return user;
    }

    /// <summary>Lets every user read what has come.</summary>
    public void ReceiveAll() => _users.ForEach(user => user.Receive());

    public void Post(in LcoreMessage message) => Assert.True(_inbox.TryPost(message));

    public UserTunnel Tunnel(TestUser user) => Context.Tunnels[user.Slot];

    /// <summary>Why a tunnel ended; fails if it has not.</summary>
    public TunnelEndReason EndOf(TestUser user)
    {
        Assert.Contains(Events, report => report.Kind == LcoreEventKind.Ended && report.Slot == user.Slot);
        return Context.Tunnels[user.Slot].EndReason;
    }

    /// <summary>Fails if a buffer or a piece of memory was not given back.</summary>
    public void AssertNothingHeld()
    {
        Assert.Equal(Context.Packets.Count, Context.Packets.Available);
        Assert.Equal(Context.LargePackets.Count, Context.LargePackets.Available);
        Assert.Equal(Context.UnsentMemory.Count, Context.UnsentMemory.Available);
        Assert.Equal(Context.PartialMemory.Count, Context.PartialMemory.Available);
    }

    public void Dispose()
    {
        Worker.Stop();
        for (int slot = 0; slot < Context.Sizes.Tunnels; slot++)
        {
            if (Context.Tunnels[slot].State == TunnelState.Ended)
                NativeMemory.AlignedFree(Context.Tunnels[slot].Traffic);
        }
        _users.ForEach(user => user.Dispose());
        Worker.Dispose();
        ForwardingSnapshot.Free(Context.Forwarding);
        Pairs.Dispose();
        Context.Flows?.Records?.Dispose();
        Context.Dispose();
        _inbox.Dispose();
        _outbox.Dispose();
        _waker.Dispose();
        _supervisorWaker.Dispose();
    }
}
