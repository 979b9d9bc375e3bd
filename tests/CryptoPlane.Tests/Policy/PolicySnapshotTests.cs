using System.Net;
using CryptoPlane.Policy;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Policy;

public sealed unsafe class PolicySnapshotTests
{
    private const byte Tcp = 6, Udp = 17, Icmp = 1;

    private static readonly PolicyVerdict s_deny = new(1, PolicyAction.Deny);
    private static readonly PolicyVerdict s_allow = new(1, PolicyAction.Allow);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 7)]
    [InlineData(3, 63)]
    [InlineData(4, 64)]
    [InlineData(5, 65)]
    [InlineData(6, 300)]
    public void A_compiled_policy_says_what_its_rules_say_one_by_one(int seed, int count)
    {
        var samples = new PolicySamples(seed);
        int decided = 0;
        for (int round = 0; round < Math.Max(4, 100 / count); round++)
        {
            PolicyRule[] rules = samples.Rules(count);
            var model = new NaivePolicy(rules, s_deny, PolicySamples.Subjects);
            using PolicySnapshot snapshot = Compile(rules, s_deny);
            for (int i = 0; i < 2000; i++)
            {
                PolicyQuery query = samples.Query();
                PolicyVerdict verdict = snapshot.Evaluate(query);
                Assert.Equal(model.Evaluate(query), verdict);
                decided += verdict == s_deny ? 0 : 1;
            }
        }
        Assert.True(decided > 100);
    }

    [Fact]
    public void What_passes_without_ports_or_protocol_passes_with_any()
    {
        var samples = new PolicySamples(11);
        int passed = 0;
        for (int round = 0; round < 60; round++)
        {
            using PolicySnapshot snapshot = Compile(samples.Rules(12), s_deny);
            for (int i = 0; i < 400; i++)
            {
                PolicyQuery known = samples.Query() with { HasProtocol = true, HasPorts = true };
                PolicyQuery fragment = known with { HasPorts = false };
                PolicyQuery cut = fragment with { HasProtocol = false };
                if (snapshot.Evaluate(fragment).IsAllowed)
                {
                    Assert.True(snapshot.Evaluate(known).IsAllowed);
                    passed++;
                }
                if (snapshot.Evaluate(cut).IsAllowed)
                    Assert.True(snapshot.Evaluate(known).IsAllowed && snapshot.Evaluate(fragment).IsAllowed);
            }
        }
        Assert.True(passed > 100);
    }

    [Fact]
    public void A_subject_that_nobody_knows_is_refused_by_rules_about_users_and_allowed_by_none()
    {
        using PolicySnapshot deny = Compile([Rule(PolicyAction.Deny) with { Users = ["mallory"] }], s_allow);
        using PolicySnapshot allow = Compile([Rule(PolicyAction.Allow) with { Groups = ["staff"] }], s_deny);
        foreach (uint unknown in new[] { 77u, 4_000_000u, PolicySnapshot.MaximumSubjects, PolicyQuery.UnknownSubject })
        {
            Assert.False(deny.Evaluate(new PolicyQuery { Subject = unknown }).IsAllowed);
            Assert.False(allow.Evaluate(new PolicyQuery { Subject = unknown }).IsAllowed);
        }
        Assert.True(deny.Evaluate(default).IsAllowed);
        Assert.False(allow.Evaluate(default).IsAllowed);
        Assert.True(deny.Evaluate(new PolicyQuery { Subject = 1 }).IsAllowed);
        Assert.True(allow.Evaluate(new PolicyQuery { Subject = 1 }).IsAllowed);
    }

    [Fact]
    public void Default_deny_needs_no_rule()
    {
        using var snapshot = PolicySnapshot.Compile([], s_deny, 1);
        Assert.Equal(s_deny, snapshot.Evaluate(default));
        Assert.Equal(s_deny, snapshot.Evaluate(new PolicyQuery { IsIPv6 = true, HasProtocol = true, HasPorts = true, Subject = 5 }));
    }

    [Fact]
    public void A_later_fragment_neither_uses_a_rule_for_a_port_nor_gets_past_one()
    {
        PolicyRule web = Rule(PolicyAction.Allow) with { Protocols = [Tcp], Ports = [new(443)] };
        PolicyRule ssh = Rule(PolicyAction.Deny) with { Id = 3, Protocols = [Tcp], Ports = [new(22)] };
        PolicyRule all = Rule(PolicyAction.Allow) with { Id = 4 };
        var fragment = new PolicyQuery { HasProtocol = true, Protocol = Tcp, DestinationPort = 443 };
        using (PolicySnapshot snapshot = Compile([web], s_deny))
        {
            Assert.Equal(s_deny, snapshot.Evaluate(fragment));
            Assert.Equal(web.Verdict, snapshot.Evaluate(fragment with { HasPorts = true }));
        }
        using (PolicySnapshot snapshot = Compile([ssh, all], s_deny))
        {
            Assert.Equal(ssh.Verdict, snapshot.Evaluate(fragment));
            Assert.Equal(all.Verdict, snapshot.Evaluate(fragment with { HasPorts = true }));
            // Another protocol's fragments are none of that rule's.
            Assert.Equal(all.Verdict, snapshot.Evaluate(fragment with { Protocol = Udp }));
            // Where the protocol is not known, it might be TCP to port 22.
            Assert.Equal(ssh.Verdict, snapshot.Evaluate(fragment with { HasProtocol = false, HasPorts = true }));
        }
    }

    [Fact]
    public void A_rule_about_ports_is_about_protocols_that_have_them()
    {
        PolicyRule web = Rule(PolicyAction.Allow) with { Ports = [new(443)] };
        using PolicySnapshot snapshot = Compile([web], s_deny);
        // The type and code of ICMP, where a caller passes them as ports, are none.
        var query = new PolicyQuery { HasProtocol = true, HasPorts = true, Protocol = Icmp, DestinationPort = 443 };
        Assert.Equal(s_deny, snapshot.Evaluate(query));
        Assert.Equal(web.Verdict, snapshot.Evaluate(query with { Protocol = Udp }));
    }

    [Fact]
    public void Neither_family_takes_the_others_addresses()
    {
        PolicyRule ipv4 = Rule(PolicyAction.Allow) with { To = [IPNetwork.Parse("0.0.0.0/0")] };
        PolicyRule ipv6 = Rule(PolicyAction.Allow) with { Id = 3, To = [IPNetwork.Parse("::/0")] };
        using PolicySnapshot snapshot = Compile([ipv4, ipv6], s_deny);
        var mapped = new PolicyQuery { IsIPv6 = true, DestinationLow = 0xFFFF_0A14_0001 };
        Assert.Equal(ipv6.Verdict, snapshot.Evaluate(mapped));
        Assert.Equal(ipv4.Verdict, snapshot.Evaluate(mapped with { IsIPv6 = false }));
    }

    [Fact]
    public void Rules_that_are_wrong_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Compile([Rule(PolicyAction.Allow) with { Id = 0 }], s_deny));
        Assert.Throws<ArgumentException>(() => Compile([Rule(PolicyAction.Allow) with { Id = PolicyCounters.Capacity }], s_deny));
        Assert.Throws<ArgumentException>(() => Compile([Rule(PolicyAction.Allow) with { Ports = [new(5, 4)] }], s_deny));
        Assert.Throws<ArgumentOutOfRangeException>(() => PolicySnapshot.Compile([], s_deny, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => PolicySnapshot.Compile([], new PolicyVerdict(PolicyCounters.Capacity, PolicyAction.Deny), 1));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => Compile([.. Enumerable.Range(1, PolicySnapshot.MaximumRules + 1).Select(id => Rule(PolicyAction.Allow) with { Id = (uint)id })], s_deny));
        using var snapshot = PolicySnapshot.Compile([], s_deny, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => snapshot.Assign(0, new PolicySubject("alice", [])));
        Assert.Throws<ArgumentOutOfRangeException>(() => snapshot.Assign(PolicySnapshot.MaximumSubjects, new PolicySubject("alice", [])));
    }

    [Fact]
    public void Evaluation_and_counting_allocate_nothing()
    {
        var samples = new PolicySamples(21);
        using PolicySnapshot snapshot = Compile(samples.Rules(400), s_deny);
        using var counters = new PolicyCounters();
        PolicyQuery[] queries = [.. Enumerable.Range(0, 1000).Select(_ => samples.Query())];
        PolicyTables* tables = snapshot.Tables;
        AllocationReading reading = AllocationMeter.MeasureUntilSteady(() =>
        {
            for (int i = 0; i < queries.Length; i++)
            {
                uint rule = tables->Evaluate(queries[i]).Rule;
                counters.CountFlow(rule);
                counters.CountPacket(rule, 100);
            }
        });
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
    }

    [Fact]
    public void A_disposed_policy_is_not_asked()
    {
        var snapshot = PolicySnapshot.Compile([], s_deny, 1);
        snapshot.Dispose();
        snapshot.Dispose();
        Assert.Throws<ObjectDisposedException>(() => snapshot.Evaluate(default));
        Assert.Throws<ObjectDisposedException>(() => snapshot.Assign(1, new PolicySubject("alice", [])));
    }

    internal static PolicyRule Rule(PolicyAction action) => new() { Id = 2, Name = "two", Action = action };

    private static PolicySnapshot Compile(PolicyRule[] rules, PolicyVerdict otherwise)
    {
        var snapshot = PolicySnapshot.Compile(rules, otherwise, 1);
        foreach ((uint subject, PolicySubject who) in PolicySamples.Subjects)
            snapshot.Assign(subject, who);
        return snapshot;
    }
}
