using CryptoPlane.Flows;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Policy;
using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Policy;
using VpnBroker.Tests.Configuration;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Policy;

/// <summary>The policy in the stages of an lcore: who opens a session decides, at its beginning and whenever rules, paths or users change.</summary>
public sealed unsafe class FlowPolicyTests : IDisposable
{
    private const string Alice = "10.8.0.10", Bob = "10.8.0.11", Server = "192.0.2.1";
    private const uint AliceSubject = 1, BobSubject = 2;

    private readonly WorkerBed _bed = new(flows: new FlowSettings { Maximum = 4096, Initial = 64 });
    private readonly List<PolicySnapshot> _snapshots = [];
    private readonly PolicyRuleNumbers _numbers = new();

    public void Dispose()
    {
        _bed.Dispose();
        _snapshots.ForEach(snapshot => snapshot.Dispose());
    }

    [Fact]
    public void Default_deny_in_one_line_lets_nothing_pass()
    {
        Publish("policy: {default: deny}");
        TestUser alice = Connect(Alice, AliceSubject);
        Assert.False(Passes(alice, Udp(Alice, Server, 4000, 53)));
        Assert.False(Answered(alice, Udp(Server, Alice, 53, 4000)));
        Assert.Equal(2UL, _bed.Counters.Dropped(DropReason.PolicyDenied));
        // The other end tries by itself, and is judged by itself.
        Assert.Equal((2UL, 2UL), (Count(PolicyConfig.DefaultName).Flows, Count(PolicyConfig.DefaultName).Packets));
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void Answers_pass_and_what_nobody_asked_for_does_not()
    {
        Publish(Rules("{name: dns, action: allow, ingress: [users], protocols: [udp], ports: [53]}"));
        TestUser alice = Connect(Alice, AliceSubject);
        Assert.False(Answered(alice, Udp(Server, Alice, 53, 4000)));
        // What was denied to the server is the user's to open.
        Assert.True(Passes(alice, Udp(Alice, Server, 4000, 53)));
        Assert.True(Answered(alice, Udp(Server, Alice, 53, 4000)));
        Assert.False(Answered(alice, Udp(Server, Alice, 53, 4001)));
        Assert.False(Answered(alice, Udp("192.0.2.2", Alice, 53, 4000)));
        Assert.False(Passes(alice, Udp(Alice, Server, 4000, 54)));
        Assert.Equal((1UL, 2UL, 136UL), (Count("dns").Flows, Count("dns").Packets, Count("dns").Octets));
    }

    [Fact]
    public void New_rules_reach_sessions_that_go_on_with_their_next_packet()
    {
        string allow = Rules("{name: web, action: allow, protocols: [tcp], ports: [443]}"), deny = Rules("{name: web, action: deny, protocols: [tcp], ports: [443]}");
        Publish(allow);
        TestUser alice = Connect(Alice, AliceSubject);
        byte[] there = FlowPackets.Tcp(Alice, Server, 4000, 443, 0x10, 1, 1, 10), back = FlowPackets.Tcp(Server, Alice, 443, 4000, 0x10, 1, 1, 10);
        Assert.True(Passes(alice, there) && Answered(alice, back));
        Publish(deny);
        Assert.False(Answered(alice, back));
        Assert.False(Passes(alice, there));
        Publish(allow);
        Assert.True(Passes(alice, there));
        Assert.True(Answered(alice, back));
        // Without a policy everything passes; the counters have outlived all of it.
        _bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Policy });
        _bed.Poll();
        Assert.True(Passes(alice, Udp(Alice, Server, 1, 1)));
        Assert.Equal((3UL, 0UL), (Count("web").Flows, Count(PolicyConfig.DefaultName).Flows));
        Assert.Equal(4, _bed.Events.Count(report => report.Kind == LcoreEventKind.PolicyReplaced));
    }

    [Fact]
    public void A_rule_for_one_user_serves_no_other_one()
    {
        Publish(Rules("{name: alice, action: allow, users: [alice]}", "{name: staff, action: allow, groups: [staff], protocols: [udp], ports: [53]}"));
        TestUser alice = Connect(Alice, AliceSubject), bob = Connect(Bob, BobSubject);
        Assert.True(Passes(alice, Udp(Alice, Server, 4000, 99)));
        Assert.False(Passes(bob, Udp(Bob, Server, 4000, 99)));
        Assert.True(Passes(bob, Udp(Bob, Server, 4000, 53)));
        Assert.False(Passes(alice, Udp(Bob, Server, 4000, 99)), "somebody else's address");
    }

    [Fact]
    public void An_address_that_goes_to_another_user_takes_no_verdict_along()
    {
        Publish(Rules("{name: alice, action: allow, users: [alice]}"));
        TestUser alice = Connect(Alice, AliceSubject);
        Assert.True(Passes(alice, Udp(Alice, Server, 4000, 99)));
        Assert.True(Answered(alice, Udp(Server, Alice, 99, 4000)));
        // As if bob had her slot and address before any of her sessions was swept: the packet itself is looked at.
        _bed.Context.Tunnels[alice.Slot].Subject = BobSubject;
        _bed.Context.Tunnels[alice.Slot].SessionId = BobSubject * 100;
        Assert.False(Answered(alice, Udp(Server, Alice, 99, 4000)), "an answer to what alice has asked");
        Assert.False(Passes(alice, Udp(Alice, Server, 4000, 99)), "alice's session");
        _bed.Context.Tunnels[alice.Slot].Subject = AliceSubject;
        _bed.Context.Tunnels[alice.Slot].SessionId = AliceSubject * 100;
        Assert.True(Passes(alice, Udp(Alice, Server, 4000, 99)));
        TestUser bob = Connect(Alice, BobSubject);
        Assert.False(Answered(bob, Udp(Server, Alice, 99, 4000)), "an answer to what alice has asked");
        Assert.False(Passes(bob, Udp(Alice, Server, 4000, 99)), "alice's session");
        TestUser again = Connect(Alice, AliceSubject);
        Assert.True(Passes(again, Udp(Alice, Server, 4000, 99)));
    }

    [Fact]
    public void A_user_whose_session_has_the_number_of_a_slot_is_not_who_was_there()
    {
        Publish(Rules("{name: alice, action: allow, users: [alice]}"));
        TestUser alice = Connect(Alice, AliceSubject), before = Connect("10.77.0.99", BobSubject);
        Assert.True(Passes(alice, Udp(Alice, Server, 4000, 99)));
        Assert.NotEqual(0, before.Slot);
        // Numbers of sessions and slots have nothing to do with one another.
        _bed.Context.Tunnels[before.Slot].SessionId = AliceSubject * 100;
        _bed.Context.Tunnels[alice.Slot].Subject = BobSubject;
        _bed.Context.Tunnels[alice.Slot].SessionId = (ulong)before.Slot;
        Assert.False(Passes(alice, Udp(Alice, Server, 4000, 99)), "alice's session");
    }

    [Fact]
    public void An_answer_that_another_lcore_lets_pass_goes_to_who_asked()
    {
        const string far = "10.8.1.10";
        Publish(Rules("{name: alice, action: allow, users: [alice]}"));
        using var other = new WorkerBed(1);
        using var rings = new TwoLcoresTests.Rings(_bed, other);
        other.Context.Policy = _bed.Context.Policy;
        // The session's home is the lcore of the smaller address, which does not know who has the other one.
        TestUser bob = Connect(Bob, BobSubject), alice = other.Connect(far, session: AliceSubject * 100, subject: AliceSubject);
        alice.SendPacket(Udp(far, Bob, 4000, 99));
        Turn();
        bob.Receive();
        Assert.Single(bob.Packets);
        bob.SendPacket(Udp(Bob, far, 99, 4000));
        Turn();
        alice.Receive();
        Assert.Single(alice.Packets);
        other.Context.Tunnels[alice.Slot].SessionId = 300;
        bob.SendPacket(Udp(Bob, far, 99, 4000));
        Turn();
        alice.Receive();
        Assert.Single(alice.Packets);
        Assert.Equal(1UL, other.Counters.Dropped(DropReason.PolicyDenied));
        // And what the new one sends is not alice's.
        other.Context.Tunnels[alice.Slot].Subject = BobSubject;
        alice.SendPacket(Udp(far, Bob, 4000, 99));
        Turn();
        Assert.Equal(1UL, _bed.Counters.Dropped(DropReason.PolicyDenied));
        _bed.AssertNothingHeld();
        other.AssertNothingHeld();

        void Turn()
        {
            other.Poll();
            _bed.Poll();
            other.Poll();
        }
    }

    [Fact]
    public void A_user_who_comes_again_goes_on_with_its_sessions()
    {
        Publish(Rules("{name: alice, action: allow, users: [alice]}"));
        TestUser alice = Connect(Alice, AliceSubject);
        Assert.True(Passes(alice, Udp(Alice, Server, 4000, 99)));
        TestUser again = Connect(Alice, AliceSubject);
        Assert.True(Answered(again, Udp(Server, Alice, 99, 4000)));
        Assert.Equal(1UL, Count("alice").Flows);
    }

    [Fact]
    public void Who_is_rejected_is_told_and_who_is_denied_is_not()
    {
        Publish(Rules("{name: told, action: reject, protocols: [udp], ports: [53]}"));
        TestUser alice = Connect(Alice, AliceSubject);
        Assert.False(Passes(alice, Udp(Alice, Server, 4000, 99)));
        alice.Receive();
        Assert.Empty(alice.Packets);
        Assert.False(Passes(alice, Udp(Alice, Server, 4000, 53)));
        alice.Receive();
        byte[] error = Assert.Single(alice.Packets);
        Assert.Equal((1, 3, 13), (error[9], error[20], error[21]));
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void A_rejected_connection_is_reset_and_nothing_answers_what_is_no_segment()
    {
        Publish(Rules("{name: told, action: reject, protocols: [tcp], ports: [80]}, {name: back, action: reject, ingress: [local], ports: [22]}"));
        TestUser alice = Connect(Alice, AliceSubject);
        byte[] syn = TcpPackets.Make(Alice, Server, 4000, 80, TcpTracker.Syn, 1000);
        Assert.False(Passes(alice, syn));
        alice.Receive();
        Assert.Equal(TcpPackets.Make(Server, Alice, 80, 4000, TcpTracker.Rst | TcpTracker.Ack, 0, 1001), TcpPackets.WithoutHops(Assert.Single(alice.Packets)));
        alice.Frames.Clear();
        // Into the local network, where this one came from.
        _bed.Tun.Outgoing.Clear();
        Assert.False(Answered(alice, TcpPackets.Make(Server, Alice, 5000, 22, TcpTracker.Syn, 7)));
        Assert.Equal(TcpPackets.Make(Alice, Server, 22, 5000, TcpTracker.Rst | TcpTracker.Ack, 0, 8), TcpPackets.WithoutHops(Assert.Single(_bed.Tun.Outgoing)));

        byte[] wrong = TcpPackets.Make(Alice, Server, 4001, 80, TcpTracker.Syn, 1);
        wrong[36] ^= 1;
        Assert.False(Passes(alice, wrong));
        Assert.False(Passes(alice, TcpPackets.Make(Alice, Server, 4002, 80, TcpTracker.Rst, 1)));
        alice.Receive();
        Assert.Empty(alice.Packets);
        Assert.Equal(2UL, _bed.Counters.ResetsSent);
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void Resets_and_errors_have_one_rate()
    {
        Publish(Rules("{name: told, action: reject}"));
        TestUser alice = Connect(Alice, AliceSubject);
        for (ushort port = 1; port <= 200; port++)
        {
            alice.SendPacket(port % 2 == 0 ? TcpPackets.Make(Alice, Server, port, 80, TcpTracker.Syn, 1) : Udp(Alice, Server, port, 80));
            _bed.Poll();
        }
        alice.Receive();
        Assert.Equal((100, 50UL, 50UL), (alice.Packets.Count, _bed.Counters.ResetsSent, _bed.Counters.IcmpSent));
        Assert.Equal((200UL, 100UL), (_bed.Counters.Dropped(DropReason.PolicyDenied), _bed.Counters.Dropped(DropReason.IcmpRateLimited)));
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void Users_have_and_open_so_many_sessions()
    {
        Publish("limits: {flowsPerUser: 3}");
        TestUser alice = Connect(Alice, AliceSubject), bob = Connect(Bob, BobSubject);
        for (ushort port = 1; port <= 5; port++)
            Assert.Equal(port <= 3, Passes(alice, Udp(Alice, Server, port, 53)));
        Assert.True(Passes(alice, Udp(Alice, Server, 3, 53)));
        Assert.True(Passes(bob, Udp(Bob, Server, 1, 53)));
        Assert.Equal(2UL, _bed.Counters.Dropped(DropReason.UserFlowLimit));
        Assert.Equal(4, _bed.Context.Flows!.Table.Count);
        // Answers belong to sessions that there are; and what has ended makes room.
        Assert.True(Answered(alice, Udp(Server, Alice, 53, 3)));
        _bed.Pass(TimeSpan.FromSeconds(200));
        Assert.Equal((0, 0), (_bed.Context.Flows.Table.Count, _bed.Context.UserFlows.Count(AliceSubject)));
        Assert.True(Passes(alice, Udp(Alice, Server, 5, 53)));
        Publish("limits: {newFlowsPerUser: 2}");
        int passed = 0;
        for (ushort port = 100; port < 110; port++)
            passed += Passes(alice, Udp(Alice, Server, port, 53)) ? 1 : 0;
        Assert.Equal(2, passed);
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void Without_room_for_a_session_nothing_passes_a_policy()
    {
        using var bed = new WorkerBed(flows: new FlowSettings { Maximum = 8, Initial = 8, WhenFull = WhenFull.Refuse });
        using PolicySnapshot snapshot = PolicySnapshot.Compile([], new PolicyVerdict(PolicyRuleNumbers.Default, PolicyAction.Allow), 1);
        bed.Context.Policy = snapshot.Tables;
        TestUser alice = bed.Connect(Alice);
        for (ushort port = 1; port <= 50; port++)
            alice.SendPacket(Udp(Alice, Server, port, 53));
        bed.Poll();
        Assert.Equal((8, 42UL), (bed.Tun.Outgoing.Count, bed.Counters.Dropped(DropReason.FlowTableFull)));
        bed.AssertNothingHeld();
    }

    [Fact]
    public void Decisions_of_rules_with_log_are_noted_at_a_bounded_rate()
    {
        Publish(Rules("{name: watched, action: deny, log: true, protocols: [udp]}"));
        TestUser alice = Connect(Alice, AliceSubject);
        for (ushort port = 1; port <= 300; port++)
            Assert.False(Passes(alice, Udp(Alice, Server, port, 53)));
        int noted = 0;
        while (_bed.Context.PolicyLog.TryTake(out PolicyLogEntry entry))
        {
            noted++;
            Assert.Equal((AliceSubject, (ushort)53, PolicyAction.Deny), (entry.Query.Subject, entry.Query.DestinationPort, entry.Verdict.Action));
        }
        Assert.Equal((200, 100UL), (noted, _bed.Context.PolicyLog.Suppressed));
    }

    [Fact]
    public void Whatever_is_sent_only_what_the_rule_says_passes()
    {
        Publish(Rules("{name: web, action: allow, users: [alice], from: [10.8.0.0/24, \"fd00:8::/64\"], protocols: [tcp], ports: [443]}"));
        TestUser alice = Connect(Alice, AliceSubject, "fd00:8::10");
        var random = new Random(20261121);
        int sent = 0;
        foreach (byte[] whole in MalformedPackets.All(Alice, Server, "fd00:8::10", "2001:db8::1"))
        {
            for (int length = whole.Length; length >= 20; length--)
            {
                byte[] packet = MalformedPackets.Cut(whole, length);
                alice.SendPacket(packet);
                if (++sent % 50 == 0)
                    _bed.Poll();
            }
            for (int mutation = 0; mutation < 200; mutation++)
            {
                byte[] packet = [.. whole];
                for (int changes = random.Next(1, 4); changes > 0; changes--)
                    packet[random.Next(packet.Length)] = (byte)random.Next(256);
                if (packet[0] >> 4 == 4 && (packet[0] & 15) >= 5 && (packet[0] & 15) * 4 <= packet.Length)
                    InnerPackets.FixHeaderChecksum(packet);
                alice.SendPacket(packet);
                if (++sent % 50 == 0)
                    _bed.Poll();
            }
        }
        _bed.Poll();
        Assert.True(_bed.Tun.Outgoing.Count > 100, $"{_bed.Tun.Outgoing.Count} of {sent} passed");
        var firsts = new HashSet<string>();
        foreach (byte[] packet in _bed.Tun.Outgoing)
            Assert.True(MalformedPackets.IsTcpTo443(packet, firsts), Convert.ToHexString(packet));
        _bed.AssertNothingHeld();
    }

    [Fact]
    public void Sessions_under_a_policy_allocate_nothing()
    {
        Publish(Rules("{name: alice, action: allow, users: [alice], to: [192.0.2.0/24]}"));
        TestUser alice = Connect(Alice, AliceSubject);
        byte[] records = [.. Enumerable.Range(0, 64).SelectMany(i => alice.Seal(VpnBroker.DataPlane.Cstp.CstpType.Data, Udp(Alice, Server, (ushort)i, 53)))];
        byte[] more = [.. Enumerable.Range(64, 64).SelectMany(i => alice.Seal(VpnBroker.DataPlane.Cstp.CstpType.Data, Udp(Alice, Server, (ushort)i, 53)))];
        alice.Send(records);
        long now = _bed.Now.Ticks * 100;
        for (int i = 0; i < 20; i++)
            _bed.Worker.Poll(now);
        alice.Send(more);
        // The port of the bed keeps what it gets: full, it takes nothing, and the stages before it are what is measured.
        _bed.Tun.Room = 0;
        AllocationReading reading = AllocationMeter.MeasureUntilSteady(() =>
        {
            for (int i = 0; i < 20; i++)
                _bed.Worker.Poll(now);
        });
        Assert.Equal((0L, 0), (reading.AllocatedBytes, reading.Exceptions));
        Assert.Equal(128UL, Count("alice").Flows);
    }

    private static string Rules(params string[] rules) => "policy: {default: deny, rules: [" + string.Join(", ", rules) + "]}";

    private static byte[] Udp(string from, string to, ushort fromPort, ushort toPort) => FlowPackets.Udp(from, to, fromPort, toPort);

    private void Publish(string section)
    {
        BrokerConfig config = ConfigText.Parse(ConfigText.Valid.Replace("limits: {halfOpen: 100}", "", StringComparison.Ordinal) + "\n" + section);
        var message = new LcoreMessage { Kind = LcoreMessageKind.Policy, Length = config.Limits.FlowsPerUser, Slot = config.Limits.NewFlowsPerUser };
        if (config.Policy is { } policy)
        {
            var snapshot = PolicySnapshot.Compile(PolicyRules.Of(config, _numbers.Of), new PolicyVerdict(PolicyRuleNumbers.Default, policy.Default), (uint)_snapshots.Count + 1);
            snapshot.Assign(AliceSubject, new PolicySubject("alice", []));
            snapshot.Assign(BobSubject, new PolicySubject("bob", ["staff"]));
            _snapshots.Add(snapshot);
            message.Pointer = (nint)snapshot.Tables;
        }
        _bed.Post(message);
        _bed.Poll();
    }

    private PolicyRuleCount Count(string rule) => _bed.Context.RuleCounters.Read(_numbers.Of(rule));

    private TestUser Connect(string ipv4, uint subject, string? ipv6 = null)
    {
        _bed.Context.UserFlows.Prepare(subject);
        return _bed.Connect(ipv4, ipv6, session: subject * 100, subject: subject);
    }

    private bool Passes(TestUser user, byte[] packet)
    {
        int before = _bed.Tun.Outgoing.Count;
        user.SendPacket(packet);
        _bed.Poll();
        return _bed.Tun.Outgoing.Count > before;
    }

    private bool Answered(TestUser user, byte[] packet)
    {
        user.Receive();
        int before = user.Packets.Count;
        _bed.Tun.Incoming.Enqueue(packet);
        _bed.Poll();
        user.Receive();
        return user.Packets.Count > before;
    }
}
