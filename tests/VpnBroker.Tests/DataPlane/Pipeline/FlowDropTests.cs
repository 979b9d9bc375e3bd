using System.Net;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Traffic;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Parsing;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>What is dropped behind routing: in its session and in the records it is dropped, as in the lcore's counters, and not passed on.</summary>
public sealed unsafe class FlowDropTests
{
    private const string User = "10.8.0.10", Server = "192.0.2.1", Behind = "10.20.0.1";

    [Fact]
    public void Records_add_up_to_the_counters_whatever_queues_drop()
    {
        using WorkerBed bed = Shaped("8M", queuePackets: 50);
        TestUser client = bed.Connect(User);
        var random = new Random(3);
        for (int turn = 0; turn < 600; turn++)
        {
            bed.Now += TimeSpan.FromMilliseconds(1);
            for (int i = 0; i < 3; i++)
                bed.Tun.Incoming.Enqueue(FlowPackets.Udp(Server, User, 53, (ushort)(1 + random.Next(8)), 500 + random.Next(500)));
            bed.Poll();
            client.Receive();
        }
        Assert.True(bed.Context.Queues!.Outside.WaitingPackets > 20);
        client.CloseSocket();
        bed.Poll();
        bed.Context.Flows!.EndAll();
        List<FlowRecord> records = Drain(bed);
        TrafficCounters counters = bed.Counters;
        DropReason[] reasons = [DropReason.QueueFull, DropReason.QueueDelay, DropReason.TunnelEnding];
        Assert.All(reasons, reason => Assert.True(counters.Dropped(reason) > 0, reason.ToString()));
        Assert.Equal(reasons.Aggregate(0UL, (sum, reason) => sum + counters.Dropped(reason)), Sum(records, record => record.Forward.Drops));
        Assert.Equal((counters.Users.SentPackets, counters.Users.SentBytes), (Sum(records, record => record.Forward.Packets), Sum(records, record => record.Forward.Octets)));
        Assert.Equal((ulong)client.Packets.Count, counters.Users.SentPackets);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void Records_of_sessions_that_go_on_add_up_as_well()
    {
        using WorkerBed bed = Shaped("8M", queuePackets: 30, activeTimeout: 20_000_000);
        TestUser client = bed.Connect(User);
        for (int turn = 0; turn < 900; turn++)
        {
            bed.Now += TimeSpan.FromMilliseconds(1);
            // Bursts, so that records tell of packets that CoDel drops later; then so little that nothing waits.
            int count = turn >= 600 ? turn % 4 == 0 ? 1 : 0 : turn % 40 == 0 ? 60 : 0;
            for (int i = 0; i < count; i++)
                bed.Tun.Incoming.Enqueue(FlowPackets.Udp(Server, User, 53, 9, 900));
            bed.Poll();
            client.Receive();
        }
        Assert.Equal(0, bed.Context.Queues!.Outside.WaitingPackets);
        bed.Context.Flows!.EndAll();
        List<FlowRecord> records = Drain(bed);
        Assert.True(records.Count > 10);
        TrafficCounters counters = bed.Counters;
        Assert.Equal(counters.Dropped(DropReason.QueueFull) + counters.Dropped(DropReason.QueueDelay), Sum(records, record => record.Forward.Drops));
        Assert.Equal((counters.Users.SentPackets, counters.Users.SentBytes), (Sum(records, record => record.Forward.Packets), Sum(records, record => record.Forward.Octets)));
    }

    [Fact]
    public void A_port_that_is_full_drops_in_the_sessions_of_what_it_did_not_take()
    {
        using var bed = new WorkerBed(flows: Settings());
        TestUser client = bed.Connect(User);
        bed.Tun.Room = 3;
        foreach (ushort port in (ushort[])[1, 2, 1, 2, 2])
            client.SendPacket(FlowPackets.Udp(User, Server, port, 53));
        bed.Poll();
        Assert.Equal(2UL, bed.Counters.Dropped(DropReason.TunFull));
        AssertSession(bed, port: 1, packets: 2, drops: 0, DropReason.None);
        AssertSession(bed, port: 2, packets: 1, drops: 2, DropReason.TunFull);
    }

    [Fact]
    public void What_is_not_sealed_or_not_sent_into_a_tunnel_is_dropped_in_its_session()
    {
        using var link = new EspForwardingTests.EspLink(sequenceLimit: 5);
        TestUser client = link.Users.Connect(User);
        link.UsersPort.Room = 4;
        for (ushort i = 0; i < 8; i++)
            client.SendPacket(FlowPackets.Udp(User, Behind, (ushort)(i < 5 ? 1 : 2), 53));
        link.Users.Poll();
        TrafficCounters counters = link.Users.Counters;
        Assert.Equal((1UL, 3UL), (counters.Dropped(DropReason.EspFull), counters.Dropped(DropReason.EspRefused)));
        AssertSession(link.Users, port: 1, packets: 4, drops: 1, DropReason.EspFull);
        AssertSession(link.Users, port: 2, packets: 0, drops: 3, DropReason.EspRefused);
        link.Users.AssertNothingHeld();
    }

    [Fact]
    public void What_a_slow_reader_does_not_get_is_dropped_in_its_session()
    {
        using var bed = new WorkerBed(flows: Settings());
        bed.Connect(User, user: new TestUser(1, brokerSendBuffer: 16_384), unsentBound: 50_000);
        for (int i = 0; i < 400; i++)
        {
            bed.Tun.Incoming.Enqueue(FlowPackets.Udp(Server, User, 53, 1, 972));
            if (i % 10 == 9)
                bed.Poll();
        }
        SessionState session = SessionOf(bed, 1);
        Assert.Equal((400UL, (ushort)DropReason.SlowReader), (session.ForwardPackets + session.ForwardDrops, session.FirstDropReason));
        Assert.Equal((bed.Counters.Users.SentPackets, bed.Counters.Users.SentBytes), (session.ForwardPackets, session.ForwardOctets));
        Assert.Equal((ulong)session.ForwardDrops, bed.Counters.Dropped(DropReason.SlowReader));
        Assert.NotEqual(0u, session.ForwardDrops);
    }

    [Fact]
    public void A_drop_is_never_charged_to_the_session_that_has_the_entry_by_then()
    {
        using WorkerBed bed = Shaped("8k", queuePackets: 50);
        TestUser client = bed.Connect(User);
        bed.Tun.Incoming.Enqueue(FlowPackets.Tcp(Server, User, 80, 4000, TcpTracker.Syn, 1));
        for (int i = 0; i < 20; i++)
            bed.Tun.Incoming.Enqueue(FlowPackets.Tcp(Server, User, 80, 4000, TcpTracker.Ack, 2, payload: 1000));
        bed.Tun.Incoming.Enqueue(FlowPackets.Tcp(Server, User, 80, 4000, TcpTracker.Rst, 1002));
        bed.Poll();
        ulong before = SessionOf(bed, 4000).FlowId;
        // The ports again: the entry is another session's, while packets of the first one wait.
        bed.Tun.Incoming.Enqueue(FlowPackets.Tcp(Server, User, 80, 4000, TcpTracker.Syn, 9000));
        bed.Poll();
        SessionState session = SessionOf(bed, 4000);
        Assert.NotEqual(before, session.FlowId);
        long waiting = bed.Context.Queues!.Outside.WaitingPackets;
        Assert.True(waiting > 10);
        bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Detach, Slot = client.Slot, Value = bed.Tunnel(client).TunnelId, Reason = TunnelEndReason.Administrator });
        bed.Worker.Poll(bed.Now.Ticks * 100);
        Assert.Equal((ulong)waiting, bed.Counters.Dropped(DropReason.TunnelEnding));
        bed.Context.Flows!.EndAll();
        List<FlowRecord> records = Drain(bed);
        FlowRecord first = records.Single(record => record.FlowId == before), second = records.Single(record => record.FlowId == session.FlowId);
        Assert.Equal((22UL, 0UL, 0UL, 1UL), (first.Forward.Packets, first.Forward.Drops, second.Forward.Packets, second.Forward.Drops));
    }

    private static FlowSettings Settings(long activeTimeout = 60_000_000_000) =>
        new() { Maximum = 4096, Initial = 64, Records = 4096, ActiveTimeout = activeTimeout };

    private static WorkerBed Shaped(string rate, int queuePackets, long activeTimeout = 60_000_000_000) => new(
        config: new BrokerConfig
        {
            Traffic = new TrafficConfig
            {
                Users = [new TrafficUsersConfig { Download = new TrafficLimitConfig { Shape = Rate(rate) } }],
                Classes = [new TrafficClassConfig { Name = "all", QueuePackets = queuePackets }],
            },
            Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse("10.8.0.0/24") }],
            Tun = new TunConfig { Routes = [IPNetwork.Parse("192.0.2.0/24")] },
        },
        flows: Settings(activeTimeout));

    private static TrafficRate Rate(string text) => TrafficValues.TryParseRate(text, out TrafficRate rate) ? rate : throw new ArgumentException(text);

    private static SessionState SessionOf(WorkerBed bed, ushort port)
    {
        FlowLedger ledger = bed.Context.Flows!;
        int index = Enumerable.Range(0, ledger.Table.EndIndex)
            .Single(i => ledger.Table.IsUsed(i) && (ledger.Table.Key(i).LowerPort == port || ledger.Table.Key(i).UpperPort == port));
        return *ledger.Table.State(index);
    }

    private static void AssertSession(WorkerBed bed, ushort port, ulong packets, uint drops, DropReason reason)
    {
        SessionState session = SessionOf(bed, port);
        Assert.Equal((packets, packets * 68, drops, (ushort)reason), (session.ForwardPackets, session.ForwardOctets, session.ForwardDrops, session.FirstDropReason));
    }

    private static List<FlowRecord> Drain(WorkerBed bed)
    {
        var records = new List<FlowRecord>();
        while (bed.Context.Flows!.Records!.TryDequeue(out FlowRecord record))
            records.Add(record);
        return records;
    }

    private static ulong Sum(IEnumerable<FlowRecord> records, Func<FlowRecord, ulong> field) => records.Aggregate(0UL, (sum, record) => sum + field(record));
}
