using CryptoPlane.Policy;

namespace CryptoPlane.Tests.Policy;

public sealed class PolicyCountersTests
{
    [Fact]
    public void Counts_are_kept_by_rule_and_added_over_lcores()
    {
        using PolicyCounters first = new(), second = new();
        first.CountFlow(7);
        first.CountPacket(7, 1400);
        first.CountPacket(7, 60);
        second.CountFlow(7);
        second.CountPacket(7, 40);
        second.CountFlow(PolicyCounters.Capacity - 1);
        Assert.Equal(new PolicyRuleCount(1, 2, 1460), first.Read(7));
        Assert.Equal(new PolicyRuleCount(2, 3, 1500), first.Read(7) + second.Read(7));
        Assert.Equal(new PolicyRuleCount(1, 0, 0), second.Read(PolicyCounters.Capacity - 1));
        Assert.Equal(default, first.Read(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => first.Read(PolicyCounters.Capacity));
    }
}
