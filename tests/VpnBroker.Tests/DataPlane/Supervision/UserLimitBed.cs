using System.Net;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Queueing;
using VpnBroker.DataPlane.Supervision;
using VpnBroker.DataPlane.Tunnels;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Supervision;

/// <summary>Lcores whose users share their limits over connections, by a clock of the test's own: what the supervisor does is done between two turns.</summary>
internal sealed unsafe class UserLimitBed : IDisposable
{
    private readonly WorkerBed[] _beds;
    private readonly ShareRenewer _renewer;
    private readonly List<UserFlow> _flows = [];
    private readonly bool _ownsBeds;

    /// <summary>Makes lcores of its own.</summary>
    public UserLimitBed(TrafficConfig traffic, int lcores = 1)
        : this([.. Enumerable.Range(0, lcores).Select(lcore => new WorkerBed(lcore, config: new BrokerConfig
        {
            Traffic = traffic,
            Lcores = new LcoreConfig { Cpus = [.. Enumerable.Repeat(-1, lcores)] },
            Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse("10.8.0.0/16") }],
            Tun = new TunConfig { Routes = [IPNetwork.Parse("192.0.2.0/24")] },
        }))]) => _ownsBeds = true;

    /// <summary>Takes lcores that there are.</summary>
    public UserLimitBed(WorkerBed[] beds, IReadOnlyList<SharedTunnel>? tunnels = null)
    {
        _beds = beds;
        TrafficPlan plan = beds[0].Context.Traffic!;
        Limits = new UserLimits(plan, (lcore, node) => beds[lcore].Context.Queues!.ReadDemand(node));
        _renewer = new ShareRenewer([.. beds.Select(bed => new ShareLcore(bed.Context, message => bed.Post(message)))], plan, Limits, 1, () => tunnels ?? []);
    }

    public UserLimits Limits { get; }

    /// <summary>Shares that lcores have taken.</summary>
    public int Taken { get; private set; }

    /// <summary>What a turn does besides polling; null for nothing.</summary>
    public Action? Turn { get; set; }

    /// <summary>Whether anything is to be divided.</summary>
    public bool IsAtWork => _renewer.Wait(Now) >= 0;

    private long Now => _beds[0].Now.Ticks * 100;

    /// <summary>A connection of a user's begins.</summary>
    public UserFlow Connect(string user, int lcore = 0)
    {
        WorkerBed bed = _beds[lcore];
        int slot = _flows.Count(flow => flow.Bed == bed);
        string address = $"10.8.{128 * lcore}.{10 + slot}";
        TestUser client = bed.Connect(address, name: user, limits: Limits.Begin(user, [], lcore, slot));
        Assert.Equal(slot, client.Slot);
        var flow = new UserFlow(bed, client, address);
        _flows.Add(flow);
        return flow;
    }

    /// <summary>Other limits, as a reload brings them; it takes half a second at most.</summary>
    public void Reload(TrafficConfig traffic)
    {
        Task done = BeginReload(traffic);
        Assert.False(done.IsCompleted);
        for (int turn = 0; turn < 500 && !done.IsCompleted; turn++)
            Run(1);
        Assert.True(done.IsCompletedSuccessfully);
    }

    public Task BeginReload(TrafficConfig traffic) => _renewer.Reload(traffic);

    /// <summary>A connection is gone.</summary>
    public void Disconnect(UserFlow flow)
    {
        flow.Down = flow.Up = 0;
        flow.Client.CloseSocket();
        flow.Bed.Poll();
        Assert.Equal(TunnelEndReason.ConnectionLost, flow.Bed.EndOf(flow.Client));
        Limits.End(flow.Bed.Context.Index, flow.Client.Slot);
    }

    /// <summary>Lets turns of a millisecond pass, in which the flows send.</summary>
    public void Run(int milliseconds)
    {
        for (int turn = 0; turn < milliseconds; turn++)
        {
            foreach (WorkerBed bed in _beds)
                bed.Now += TimeSpan.FromMilliseconds(1);
            foreach (UserFlow flow in _flows)
                flow.Send();
            if (Turn != null)
                Turn();
            else
                Array.ForEach(_beds, bed => bed.Poll());
            foreach (WorkerBed bed in _beds)
            {
                int taken = bed.Events.RemoveAll(report => report.Kind == LcoreEventKind.SharesTaken);
                for (int i = 0; i < taken; i++, Taken++)
                    _renewer.Taken();
            }
            _renewer.Run(Now);
            foreach (UserFlow flow in _flows)
                flow.Receive();
        }
    }

    /// <summary>What arrives of each flow in so many seconds, per second.</summary>
    public double[] Measure(int seconds, params UserFlow[] flows)
    {
        long[] before = [.. flows.Select(flow => flow.Arrived)];
        Run(1_000 * seconds);
        return [.. flows.Select((flow, i) => (flow.Arrived - before[i]) / (double)seconds)];
    }

    public void Dispose()
    {
        _renewer.Dispose();
        if (_ownsBeds)
            Array.ForEach(_beds, bed => bed.Dispose());
    }
}

/// <summary>A connection with what is sent to it and what it sends, in packets of 1,000 bytes.</summary>
internal sealed class UserFlow(WorkerBed bed, TestUser client, string address)
{
    private readonly byte[] _down = InnerPackets.Udp("192.0.2.1", address, 1_000), _up = InnerPackets.Udp(address, "192.0.2.1", 1_000);
    private double _dueDown, _dueUp;

    /// <summary>Packets that <see cref="Window"/> has sent.</summary>
    public long Sent { get; private set; }

    public WorkerBed Bed => bed;

    public TestUser Client => client;

    /// <summary>Packets per millisecond to the connection, and from it.</summary>
    public double Down { get; set; }

    /// <inheritdoc cref="Down"/>
    public double Up { get; set; }

    /// <summary>As a sender that adapts: packets that are on their way at most; 0 for a sender that does not.</summary>
    public int Window { get; set; }

    /// <summary>Packets that have come, in either direction.</summary>
    public long Arrived { get; private set; }

    public void Send()
    {
        for (_dueDown += Down; _dueDown >= 1; _dueDown--)
            bed.Tun.Incoming.Enqueue(_down);
        for (_dueUp += Up; _dueUp >= 1; _dueUp--)
            client.SendPacket(_up);
        for (; Window > 0 && Sent - Arrived < Window; Sent++)
            bed.Tun.Incoming.Enqueue(_down);
    }

    public void Receive()
    {
        client.Receive();
        Arrived += client.Frames.RemoveAll(frame => frame.Type == VpnBroker.DataPlane.Cstp.CstpType.Data);
        Arrived += bed.Tun.Outgoing.RemoveAll(packet => packet.AsSpan(12, 4).SequenceEqual(_up.AsSpan(12, 4)));
    }
}
