using VpnBroker.DataPlane.Policy;

namespace VpnBroker.Tests.DataPlane.Policy;

public sealed class UserFlowsTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void A_user_has_so_many_flows_and_another_has_as_many()
    {
        using var flows = new UserFlows();
        flows.SetLimits(flows: 3, perSecond: 0);
        flows.Prepare(1);
        flows.Prepare(2000);
        for (int i = 0; i < 3; i++)
            Assert.Equal(FlowAdmission.Granted, flows.TryOpen(1, 0));
        Assert.Equal(FlowAdmission.TooMany, flows.TryOpen(1, 0));
        Assert.Equal(FlowAdmission.Granted, flows.TryOpen(2000, 0));
        Assert.Equal((3, 1), (flows.Count(1), flows.Count(2000)));
        flows.Close(1);
        Assert.Equal(FlowAdmission.Granted, flows.TryOpen(1, 0));
        // Fewer from now on: what is there stays.
        flows.SetLimits(1, 0);
        Assert.Equal(FlowAdmission.TooMany, flows.TryOpen(1, 0));
        Assert.Equal(3, flows.Count(1));
    }

    [Fact]
    public void New_flows_come_at_the_rate_and_in_bursts_of_a_seconds_worth()
    {
        using var flows = new UserFlows();
        flows.SetLimits(flows: 0, perSecond: 10);
        flows.Prepare(1);
        int granted = 0;
        long start = 5 * Second;
        for (int i = 0; i < 50; i++)
            granted += flows.TryOpen(1, start) == FlowAdmission.Granted ? 1 : 0;
        Assert.Equal(10, granted);
        Assert.Equal(FlowAdmission.TooFast, flows.TryOpen(1, start));
        // Ten seconds with a hundred tries each: ten a second pass.
        granted = 0;
        for (int i = 1; i <= 1000; i++)
            granted += flows.TryOpen(1, start + (i * Second / 100)) == FlowAdmission.Granted ? 1 : 0;
        Assert.Equal(100, granted);
    }

    [Fact]
    public void Nobody_and_strangers_are_not_limited()
    {
        using var flows = new UserFlows();
        flows.SetLimits(1, 1);
        foreach (uint subject in new[] { 0u, 7u, uint.MaxValue })
        {
            Assert.Equal(FlowAdmission.Granted, flows.TryOpen(subject, 0));
            Assert.Equal(FlowAdmission.Granted, flows.TryOpen(subject, 0));
            flows.Close(subject);
        }
    }
}
