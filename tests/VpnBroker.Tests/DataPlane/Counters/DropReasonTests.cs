using VpnBroker.DataPlane.Counters;

namespace VpnBroker.Tests.DataPlane.Counters;

public sealed class DropReasonTests
{
    [Fact]
    public void EveryReason_HasASlotAndAName()
    {
        Assert.True(TrafficCounters.Fits);
        Assert.Equal("slow-reader", DropReasonNames.Of(DropReason.SlowReader));
        Assert.Equal("icmp-rate-limited", DropReasonNames.Of(DropReason.IcmpRateLimited));
    }

    [Fact]
    public void Drops_AreCountedByReason()
    {
        var counters = new TrafficCounters();
        counters.Drop(DropReason.NoRoute);
        counters.Drop(DropReason.NoRoute);
        Assert.Equal(2ul, counters.Dropped(DropReason.NoRoute));
        Assert.Equal(0ul, counters.Dropped(DropReason.NoTunnel));
    }
}
