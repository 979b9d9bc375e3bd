using VpnBroker.Ipsec;

namespace VpnBroker.Tests.Ipsec;

public sealed class RefusalThrottleTests
{
    [Fact]
    public void A_flood_is_written_in_part_and_what_is_left_out_is_counted()
    {
        var throttle = new RefusalThrottle();
        int written = Enumerable.Range(0, 1000).Count(i => throttle.TryWrite(5, out _));
        Assert.Equal(RefusalThrottle.Burst, written);
        Assert.False(throttle.TryWrite(6, out _));
        Assert.True(throttle.TryWrite(RefusalThrottle.Interval + 5, out long omitted));
        Assert.Equal(1001 - RefusalThrottle.Burst, omitted);
        Assert.False(throttle.TryWrite(RefusalThrottle.Interval + 6, out _));
    }

    [Fact]
    public void Who_comes_now_and_then_is_always_written()
    {
        var throttle = new RefusalThrottle();
        for (long now = 0; now < 1000 * RefusalThrottle.Interval; now += RefusalThrottle.Interval)
        {
            Assert.True(throttle.TryWrite(now, out long omitted));
            Assert.Equal(0, omitted);
        }
    }

    [Fact]
    public void After_a_pause_there_is_a_whole_burst_again()
    {
        var throttle = new RefusalThrottle();
        while (throttle.TryWrite(0, out _))
        {
        }
        int written = Enumerable.Range(0, 100).Count(i => throttle.TryWrite(100 * RefusalThrottle.Interval, out _));
        Assert.Equal(RefusalThrottle.Burst, written);
    }
}
