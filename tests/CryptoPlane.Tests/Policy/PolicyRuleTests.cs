using System.Net;
using CryptoPlane.Policy;

namespace CryptoPlane.Tests.Policy;

public sealed class PolicyRuleTests
{
    [Fact]
    public void A_rule_behind_one_that_covers_it_never_decides()
    {
        var samples = new PolicySamples(31);
        int covered = 0;
        for (int round = 0; round < 20_000; round++)
        {
            // The second is often the first with a condition added or another one put in its place.
            PolicyRule first = samples.Rule(2), other = samples.Rule(3);
            PolicyRule second = samples.Next(3) switch
            {
                0 => first with { Id = 3, Action = other.Action, To = other.To, Ports = other.Ports },
                1 => first with { Id = 3, Action = other.Action, Users = other.Users, Protocols = other.Protocols },
                _ => first with { Id = 3, Action = other.Action, From = other.From, EgressKinds = other.EgressKinds },
            };
            if (!first.Covers(second))
                continue;
            covered++;
            using var snapshot = PolicySnapshot.Compile([first, second], new PolicyVerdict(1, PolicyAction.Deny), 1);
            for (int i = 0; i < 100; i++)
                Assert.NotEqual(3u, snapshot.Evaluate(samples.Query() with { HasPorts = true, HasProtocol = true, Subject = 0 }).Rule);
        }
        Assert.True(covered > 500, $"{covered} pairs");
    }

    [Theory]
    [InlineData("10.0.0.0/8", "10.20.0.0/16", true)]
    [InlineData("10.20.0.0/16", "10.0.0.0/8", false)]
    [InlineData("10.20.0.0/17,10.20.128.0/17", "10.20.0.0/16", true)]
    [InlineData("::/0", "10.20.0.0/16", false)]
    [InlineData("0.0.0.0/0,::/0", "", false)]
    [InlineData("", "10.20.0.0/16,::/0", true)]
    public void A_rule_covers_another_by_its_prefixes(string outer, string inner, bool covers)
    {
        PolicyRule first = PolicySnapshotTests.Rule(PolicyAction.Deny) with { To = Prefixes(outer) };
        Assert.Equal(covers, first.Covers(first with { Id = 3, To = Prefixes(inner) }));
    }

    [Fact]
    public void A_rule_covers_another_by_users_and_groups()
    {
        PolicyRule rule = PolicySnapshotTests.Rule(PolicyAction.Allow);
        PolicyRule staff = rule with { Groups = ["staff"] }, alice = rule with { Users = ["alice"] }, both = rule with { Users = ["alice"], Groups = ["staff"] };
        Assert.True(rule.Covers(staff));
        Assert.True(both.Covers(staff) && both.Covers(alice));
        Assert.False(staff.Covers(rule) || staff.Covers(alice) || alice.Covers(both));
    }

    private static IPNetwork[] Prefixes(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(IPNetwork.Parse)];
}
