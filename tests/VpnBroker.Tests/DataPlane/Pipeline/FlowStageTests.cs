using CryptoPlane.Flows;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Policy;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>Sessions inside of tunnels: which packets are one, what is counted, when they end, and what is said of them.</summary>
public sealed unsafe class FlowStageTests
{
    private const string User = "10.8.0.10", Server = "192.0.2.1";
    private const int Syn = TcpTracker.Syn, Ack = TcpTracker.Ack, Fin = TcpTracker.Fin;

    [Fact]
    public void Both_directions_are_one_session_with_the_counters_packets()
    {
        using var bed = new WorkerBed(flows: WithRecords());
        TestUser user = bed.Connect(User);
        for (int i = 0; i < 3; i++)
            user.SendPacket(FlowPackets.Udp(User, Server, 4000, 53, 40 + i));
        bed.Poll();
        bed.Tun.Incoming.Enqueue(FlowPackets.Udp(Server, User, 53, 4000, 100));
        bed.Poll();

        SessionState session = Only(bed);
        Assert.Equal((3UL, 1UL), (session.ForwardPackets, session.ReversePackets));
        Assert.Equal((bed.Counters.Tun.SentBytes, bed.Counters.Tun.ReceivedBytes), (session.ForwardOctets, session.ReverseOctets));
        Assert.Equal((FlowTunnelKind.User, 7UL, FlowTunnelKind.Tun), (session.IngressKind, session.IngressId, session.EgressKind));
        Assert.True((session.Flags & SessionFlags.Answered) != 0);
        Assert.Equal((1, 1UL), (bed.Counters.Flows.Active, bed.Counters.Flows.Begun));
    }

    [Fact]
    public void Drops_behind_the_look_up_are_the_session_s()
    {
        using var bed = new WorkerBed(flows: WithRecords());
        bed.Connect(User, mtu: 600);
        byte[] large = FlowPackets.Udp(Server, User, 53, 4000, 1000), spent = FlowPackets.Udp(Server, User, 53, 4000);
        spent[8] = 1;
        InnerPackets.FixHeaderChecksum(spent);
        bed.Tun.Incoming.Enqueue(large);
        bed.Tun.Incoming.Enqueue(spent);
        bed.Tun.Incoming.Enqueue(FlowPackets.Udp(Server, User, 53, 4000));
        bed.Poll();
        SessionState session = Only(bed);
        Assert.Equal((1UL, 2U, (ushort)DropReason.TooBig), (session.ForwardPackets, session.ForwardDrops, session.FirstDropReason));
        // What goes nowhere is no session: no stranger fills the table with packets that are not forwarded.
        bed.Tun.Incoming.Enqueue(FlowPackets.Udp(Server, "10.8.0.99", 53, 4000));
        bed.Poll();
        Assert.Equal(1, bed.Context.Flows!.Table.Count);
    }

    [Fact]
    public void Fragments_and_errors_are_the_session_s_that_they_belong_to()
    {
        using var bed = new WorkerBed(flows: WithRecords());
        TestUser user = bed.Connect(User);
        byte[] sent = FlowPackets.Udp(User, Server, 4000, 53, 72);
        user.SendPacket(FlowPackets.IPv4(User, Server, 17, sent[20..], more: true, id: 9));
        user.SendPacket(FlowPackets.IPv4(User, Server, 17, new byte[32], offset: 80, id: 9));
        bed.Poll();
        bed.Tun.Incoming.Enqueue(FlowPackets.IcmpError("192.0.2.99", User, 3, 3, sent));
        bed.Poll();
        SessionState session = Only(bed);
        Assert.Equal((2UL, 1UL), (session.ForwardPackets, session.ReversePackets));
        Assert.Equal((SessionFlags.None, FlowTunnelKind.Tun), (session.Flags & SessionFlags.Answered, session.EgressKind));

        // Without its first, a fragment is of a session without ports; an error about nothing known is one of its own.
        user.SendPacket(FlowPackets.IPv4(User, Server, 17, new byte[32], offset: 80, id: 10));
        bed.Poll();
        bed.Tun.Incoming.Enqueue(FlowPackets.IcmpError("192.0.2.99", User, 3, 3, FlowPackets.Udp(User, Server, 4001, 53)));
        bed.Poll();
        Assert.Equal([SessionKeyKind.Ports, SessionKeyKind.Message, SessionKeyKind.Fragments], Keys(bed).Select(key => key.Kind).Order());
    }

    [Fact]
    public void Unsafe_fragments_go_nowhere()
    {
        using var bed = new WorkerBed(flows: WithRecords());
        TestUser user = bed.Connect(User);
        byte[] tcp = FlowPackets.Tcp(User, Server, 4000, 80, Syn, 1)[20..];
        user.SendPacket(FlowPackets.IPv4(User, Server, 6, tcp[..16], more: true));
        user.SendPacket(FlowPackets.IPv4(User, Server, 6, new byte[16], offset: 8));
        bed.Poll();
        Assert.Equal(2UL, bed.Counters.Dropped(DropReason.UnsafeFragment));
        Assert.Empty(bed.Tun.Outgoing);
        Assert.Equal(0, bed.Context.Flows!.Table.Count);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void Sessions_end_by_their_times_and_records_add_up_to_the_counters()
    {
        using var bed = new WorkerBed(flows: WithRecords());
        TestUser user = bed.Connect(User);
        for (int second = 0; second < 130; second += 10)
        {
            user.SendPacket(FlowPackets.Udp(User, Server, 4000, 53));
            bed.Poll();
            bed.Tun.Incoming.Enqueue(FlowPackets.Udp(Server, User, 53, 4000));
            bed.Poll();
            bed.Pass(TimeSpan.FromSeconds(10));
        }
        user.SendPacket(FlowPackets.Udp(User, Server, 4001, 53));
        bed.Poll();
        Assert.Equal(2, bed.Context.Flows!.Table.Count);
        bed.Pass(TimeSpan.FromSeconds(31));
        Assert.Equal(1, bed.Context.Flows.Table.Count);
        bed.Pass(TimeSpan.FromSeconds(150));
        Assert.Equal(0, bed.Context.Flows.Table.Count);
        Assert.Equal(0, bed.Counters.Flows.Active);

        List<FlowRecord> records = Drain(bed);
        Assert.Equal(
            [FlowEndReason.ActiveTimeout, FlowEndReason.ActiveTimeout, FlowEndReason.IdleTimeout], records.Where(record => record.SourcePort == 4000).Select(record => record.EndReason).Take(2)
                .Append(records.Last(record => record.SourcePort == 4000).EndReason));
        Assert.Single(records.Select(record => record.FlowId).Where(id => id == records[0].FlowId).Distinct());
        Assert.Equal((bed.Counters.Tun.SentPackets, bed.Counters.Tun.SentBytes), (Sum(records, r => r.Forward.Packets), Sum(records, r => r.Forward.Octets)));
        Assert.Equal((bed.Counters.Tun.ReceivedPackets, bed.Counters.Tun.ReceivedBytes), (Sum(records, r => r.Reverse.Packets), Sum(records, r => r.Reverse.Octets)));
        Assert.Equal(((ulong)records.Count, 0UL), (bed.Counters.Flows.Records, bed.Counters.Flows.RecordsLost));
        Assert.All(records, record => Assert.InRange(record.End - record.Start, 0, 200_000_000_000));
    }

    [Fact]
    public void Tcp_ends_soon_after_its_fins_and_begins_again_with_a_new_record()
    {
        using var bed = new WorkerBed(flows: WithRecords());
        TestUser user = bed.Connect(User);
        void Send(int flags, uint sequence, uint acknowledgement)
        {
            user.SendPacket(FlowPackets.Tcp(User, Server, 4000, 80, flags, sequence, acknowledgement));
            bed.Poll();
        }
        void Answer(int flags, uint sequence, uint acknowledgement)
        {
            bed.Tun.Incoming.Enqueue(FlowPackets.Tcp(Server, User, 80, 4000, flags, sequence, acknowledgement));
            bed.Poll();
        }
        Send(Syn, 100, 0);
        Answer(Syn | Ack, 900, 101);
        Send(Ack, 101, 901);
        Assert.Equal(TcpState.Established, Only(bed).Tcp);
        bed.Pass(TimeSpan.FromMinutes(10));
        Assert.Equal(1, bed.Context.Flows!.Table.Count);
        Send(Fin | Ack, 101, 901);
        Answer(Fin | Ack, 901, 102);
        Assert.Equal(TcpState.Closed, Only(bed).Tcp);
        bed.Pass(TimeSpan.FromSeconds(5));
        Send(Syn, 70_000, 0);
        Assert.Equal((TcpState.SynSent, 1UL), (Only(bed).Tcp, Only(bed).ForwardPackets));
        bed.Pass(TimeSpan.FromSeconds(31));
        Assert.Equal(0, bed.Context.Flows.Table.Count);
        List<FlowRecord> records = Drain(bed);
        FlowRecord[] ends = [.. records.Where(record => record.EndReason != FlowEndReason.ActiveTimeout)];
        Assert.Equal([FlowEndReason.EndOfFlow, FlowEndReason.IdleTimeout], ends.Select(record => record.EndReason));
        Assert.NotEqual(ends[0].FlowId, ends[1].FlowId);
        int flags = records.Where(record => record.FlowId == ends[0].FlowId).Aggregate(0, (all, record) => all | (record.Forward.TcpFlags & record.Reverse.TcpFlags));
        Assert.Equal(Fin, flags & Fin);
    }

    [Fact]
    public void A_tunnel_s_end_ends_its_sessions_and_a_reconnect_does_not()
    {
        using var bed = new WorkerBed(flows: WithRecords());
        TestUser user = bed.Connect(User);
        bed.Connect("10.8.0.11");
        for (ushort port = 1; port <= 2000; port++)
        {
            user.SendPacket(FlowPackets.Udp(User, Server, port, 53));
            if (port % 50 == 0)
                bed.Poll();
        }
        // The same session comes with a new connection, which takes the address over.
        TestUser again = bed.Connect(User);
        bed.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(2000, bed.Context.Flows!.Table.Count);
        bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Detach, Slot = again.Slot, Value = bed.Tunnel(again).TunnelId, Reason = TunnelEndReason.Administrator });
        bed.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(0, bed.Context.Flows.Table.Count);
        List<FlowRecord> records = Drain(bed);
        Assert.Equal(2000, records.Count);
        Assert.All(records, record => Assert.Equal(FlowEndReason.Forced, record.EndReason));
    }

    [Fact]
    public void A_full_ring_loses_records_and_counts_them()
    {
        using var bed = new WorkerBed(flows: WithRecords() with { Records = 16 });
        TestUser user = bed.Connect(User);
        for (ushort port = 1; port <= 50; port++)
            user.SendPacket(FlowPackets.Udp(User, Server, port, 53));
        bed.Poll();
        bed.Pass(TimeSpan.FromSeconds(31));
        Assert.Equal((16UL, 34UL), (bed.Counters.Flows.Records, bed.Counters.Flows.RecordsLost));
        FlowLosses losses = bed.Context.Flows!.Records!.Losses;
        Assert.Equal((34L, 34L), (losses.Records, losses.Packets));
        Assert.InRange(losses.First, 1, losses.Last);
        Assert.Equal(16, Drain(bed).Count);
    }

    [Fact]
    public void A_first_packet_makes_a_record_where_that_is_wanted_and_counts_only_once()
    {
        using var bed = new WorkerBed(flows: WithRecords() with { StartRecords = true });
        TestUser user = bed.Connect(User);
        for (int i = 0; i < 3; i++)
            user.SendPacket(FlowPackets.Tcp(User, Server, 4000, 80, i == 0 ? Syn : Ack, (uint)(100 + i)));
        bed.Poll();
        FlowRecord start = Assert.Single(Drain(bed));
        Assert.Equal((FlowEvent.Created, FlowEndReason.None, Syn), (start.Event, start.EndReason, start.Forward.TcpFlags));
        Assert.Equal((4000, 80), (start.SourcePort, start.DestinationPort));
        Assert.Equal((FlowTunnelKind.User, 7UL, FlowTunnelKind.Tun), (start.IngressKind, start.IngressId, start.EgressKind));
        Assert.Equal((0UL, 0UL, 0UL), (start.Forward.Packets, start.Forward.Octets, start.Forward.Drops));

        // The ports again, behind a RST: another session.
        user.SendPacket(FlowPackets.Tcp(User, Server, 4000, 80, TcpTracker.Rst, 102));
        user.SendPacket(FlowPackets.Tcp(User, Server, 4000, 80, Syn, 7000));
        bed.Poll();
        bed.Pass(TimeSpan.FromSeconds(31));
        List<FlowRecord> records = Drain(bed);
        Assert.Equal([(FlowEvent.None, FlowEndReason.EndOfFlow), (FlowEvent.Created, FlowEndReason.None), (FlowEvent.None, FlowEndReason.IdleTimeout)],
            records.Select(record => (record.Event, record.EndReason)));
        Assert.Equal(start.FlowId, records[0].FlowId);
        Assert.Equal(Syn, records[0].Forward.TcpFlags & Syn);
        Assert.Equal((bed.Counters.Tun.SentPackets, bed.Counters.Tun.SentBytes), (Sum(records, r => r.Forward.Packets), Sum(records, r => r.Forward.Octets)));
    }

    [Fact]
    public void A_denied_start_is_called_so_and_starts_leave_half_of_the_ring_to_counts()
    {
        using var deny = PolicySnapshot.Compile([], new PolicyVerdict(9, PolicyAction.Deny), 1);
        using var bed = new WorkerBed(flows: WithRecords() with { StartRecords = true, Records = 16 });
        TestUser user = bed.Connect(User);
        bed.Context.Policy = deny.Tables;
        for (ushort port = 1; port <= 12; port++)
            user.SendPacket(FlowPackets.Udp(User, Server, port, 53));
        bed.Poll();
        Assert.Equal((8UL, 4UL), (bed.Counters.Flows.Records, bed.Counters.Flows.RecordsLost));
        bed.Pass(TimeSpan.FromSeconds(31));
        List<FlowRecord> records = Drain(bed);
        Assert.Equal(16, records.Count);
        Assert.All(records[..8], record => Assert.Equal((FlowEvent.Denied, 9U, 0UL), (record.Event, record.RuleId, record.Forward.Drops)));
        Assert.All(records[8..], record => Assert.Equal((FlowEvent.None, 9U, 1UL), (record.Event, record.RuleId, record.Forward.Drops)));
    }

    [Fact]
    public void A_full_table_lets_pass_or_makes_room()
    {
        foreach (WhenFull whenFull in new[] { WhenFull.Refuse, WhenFull.EvictOldestIdle })
        {
            using var bed = new WorkerBed(flows: WithRecords() with { Maximum = 64, WhenFull = whenFull });
            TestUser user = bed.Connect(User);
            for (ushort port = 1; port <= 100; port++)
            {
                user.SendPacket(FlowPackets.Udp(User, Server, port, 53));
                bed.Poll();
            }
            Assert.Equal(100, bed.Tun.Outgoing.Count);
            Assert.Equal(64, bed.Context.Flows!.Table.Count);
            bool refuses = whenFull == WhenFull.Refuse;
            Assert.Equal((refuses ? 36UL : 0, refuses ? 0UL : 36), (bed.Counters.Flows.Untracked, bed.Counters.Flows.Evicted));
            FlowLosses losses = bed.Context.Flows.Records!.Losses;
            Assert.Equal(refuses ? (36L, 36L * 68) : (0, 0), (losses.IgnoredPackets, losses.IgnoredOctets));
            Assert.Equal(refuses ? 0 : 36, Drain(bed).Count(record => record.EndReason == FlowEndReason.LackOfResources));
        }
    }

    [Fact]
    public void A_policy_decides_once_per_session_and_again_when_it_changes()
    {
        using var deny = PolicySnapshot.Compile([], new PolicyVerdict(0, PolicyAction.Deny), 1);
        using var allow = PolicySnapshot.Compile([], new PolicyVerdict(0, PolicyAction.Allow, TrafficClass: 3), 2);
        using var bed = new WorkerBed(flows: WithRecords() with { Maximum = 64, WhenFull = WhenFull.Refuse });
        TestUser user = bed.Connect(User);
        bed.Context.Policy = deny.Tables;
        user.SendPacket(FlowPackets.Udp(User, Server, 1, 53));
        bed.Poll();
        Assert.Empty(bed.Tun.Outgoing);
        Assert.Equal((1UL, 1UL), (bed.Counters.Dropped(DropReason.PolicyDenied), bed.Tunnel(user).Drops));
        Assert.Equal((0UL, 1U), (Only(bed).ForwardPackets, Only(bed).ForwardDrops));
        bed.Context.Policy = allow.Tables;
        for (ushort port = 1; port <= 65; port++)
            user.SendPacket(FlowPackets.Udp(User, Server, port, 53));
        bed.Poll();
        // There is room for 64: what has no entry cannot be let through.
        Assert.Equal((64, 1UL), (bed.Tun.Outgoing.Count, bed.Counters.Dropped(DropReason.FlowTableFull)));
        Assert.All(States(bed), session => Assert.Equal(3, session.TrafficClass));
        bed.Context.Policy = deny.Tables;
        user.SendPacket(FlowPackets.Udp(User, Server, 1, 53));
        bed.Poll();
        Assert.Equal(64, bed.Tun.Outgoing.Count);
        bed.Context.Policy = null;
        user.SendPacket(FlowPackets.Udp(User, Server, 1, 53));
        bed.Poll();
        Assert.Equal(65, bed.Tun.Outgoing.Count);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void A_session_of_two_lcores_is_counted_once_at_its_home()
    {
        using var first = new WorkerBed(0, flows: WithRecords());
        using var second = new WorkerBed(1, flows: WithRecords());
        using var rings = new TwoLcoresTests.Rings(first, second);
        TestUser near = first.Connect(User), far = second.Connect("10.8.1.10");
        for (int i = 0; i < 5; i++)
        {
            near.SendPacket(FlowPackets.Udp(User, "10.8.1.10", 1, 2));
            first.Poll();
            second.Poll();
            far.SendPacket(FlowPackets.Udp("10.8.1.10", User, 2, 1));
            second.Poll();
            first.Poll();
        }
        near.Receive();
        far.Receive();
        Assert.Equal((5, 5), (near.Packets.Count, far.Packets.Count));
        // The smaller address's user is on the first lcore.
        SessionState session = Only(first);
        Assert.Equal((5UL, 5UL, 0), (session.ForwardPackets, session.ReversePackets, second.Context.Flows!.Table.Count));
        Assert.Equal((FlowTunnelKind.User, FlowTunnelKind.User, 7UL), (session.IngressKind, session.EgressKind, session.EgressId));

        // What comes from the local network at another lcore than the user's is counted at the user's.
        first.Tun.Incoming.Enqueue(FlowPackets.Udp(Server, "10.8.1.10", 53, 9));
        first.Poll();
        second.Poll();
        session = Only(second);
        Assert.Equal((1UL, FlowTunnelKind.Tun, FlowTunnelKind.User), (session.ForwardPackets, session.IngressKind, session.EgressKind));
        Assert.Equal(1, first.Context.Flows!.Table.Count);
    }

    [Fact]
    public void Broken_packets_cost_a_drop_at_most()
    {
        using var bed = new WorkerBed(flows: WithRecords());
        TestUser user = bed.Connect(User);
        var random = new Random(6);
        byte[][] seeds =
        [
            FlowPackets.Tcp(User, Server, 4000, 80, Syn, 1), FlowPackets.Udp(User, Server, 1, 2),
            FlowPackets.IcmpError(User, Server, 3, 3, FlowPackets.Udp(Server, User, 1, 2)), FlowPackets.IPv4(User, Server, 17, new byte[24], offset: 8, more: true),
        ];
        for (int round = 0; round < 4000; round++)
        {
            byte[] packet = (byte[])seeds[round % seeds.Length].Clone();
            // Not the addresses, or few would get past routing.
            for (int changes = random.Next(1, 5); changes > 0; changes--)
                packet[random.Next(2) == 0 ? random.Next(1, 12) : random.Next(20, packet.Length)] = (byte)random.Next(256);
            InnerPackets.FixHeaderChecksum(packet);
            user.SendPacket(random.Next(4) == 0 ? packet[..random.Next(20, packet.Length)] : packet);
            if (round % 32 == 31)
                bed.Poll();
        }
        bed.Poll();
        Assert.Equal(
            bed.Counters.Tun.SentPackets, (ulong)bed.Tun.Outgoing.Count);
        Assert.Equal(bed.Counters.Tun.SentPackets, States(bed).Aggregate(0UL, (sum, session) => sum + session.ForwardPackets + session.ReversePackets));
        bed.AssertNothingHeld();
    }

    private static FlowSettings WithRecords() => new() { Maximum = 4096, Initial = 64, Records = 4096 };

    private static SessionState Only(WorkerBed bed) => Assert.Single(States(bed));

    private static List<SessionState> States(WorkerBed bed) => [.. Indexes(bed).Select(index => *bed.Context.Flows!.Table.State(index))];

    private static List<SessionKey> Keys(WorkerBed bed) => [.. Indexes(bed).Select(index => bed.Context.Flows!.Table.Key(index))];

    private static IEnumerable<int> Indexes(WorkerBed bed) =>
        Enumerable.Range(0, bed.Context.Flows!.Table.EndIndex).Where(bed.Context.Flows.Table.IsUsed);

    private static List<FlowRecord> Drain(WorkerBed bed)
    {
        var records = new List<FlowRecord>();
        while (bed.Context.Flows!.Records!.TryDequeue(out FlowRecord record))
            records.Add(record);
        return records;
    }

    private static ulong Sum(IEnumerable<FlowRecord> records, Func<FlowRecord, ulong> field) => records.Aggregate(0UL, (sum, record) => sum + field(record));
}
