using CryptoPlane.Traffic;

namespace CryptoPlane.Tests.Traffic;

public sealed class CoDelStateTests
{
    private const long Millisecond = 1_000_000;
    private static readonly CoDelParameters Default = CoDelParameters.Default;

    [Fact]
    public void A_queue_below_the_target_is_never_dropped_from()
    {
        CoDelState state = default;
        for (long now = 1; now < 10_000 * Millisecond; now += Millisecond)
            Assert.False(state.Judge(Default, (5 * Millisecond) - 1, 1_000_000, now));
    }

    [Fact]
    public void A_queue_of_a_packet_is_never_dropped_from_however_slow_it_is()
    {
        CoDelState state = default;
        for (long now = 1; now < 10_000 * Millisecond; now += Millisecond)
            Assert.False(state.Judge(Default, 500 * Millisecond, 1_514, now));
    }

    [Fact]
    public void A_standing_queue_loses_packets_after_an_interval_ever_more_often()
    {
        CoDelState state = default;
        var drops = new List<double>();
        for (long now = 1; now < 2_000 * Millisecond; now += Millisecond / 100)
        {
            if (state.Judge(Default, 20 * Millisecond, 100_000, now))
                drops.Add(now / (double)Millisecond);
        }
        Assert.InRange(drops[0], 100, 100.1);
        // RFC 8289 §5.4: the n-th drop follows after interval / sqrt(n).
        for (int i = 1; i < drops.Count; i++)
            Assert.InRange(drops[i] - drops[i - 1], (100 / Math.Sqrt(i)) - 0.05, (100 / Math.Sqrt(i)) + 0.05);
        Assert.True(drops.Count > 60);
    }

    [Fact]
    public void One_good_packet_ends_the_phase_and_a_new_one_soon_after_begins_where_that_was()
    {
        CoDelState state = default;
        long now = 1;
        int Run(long milliseconds, long sojourn)
        {
            int drops = 0;
            for (long end = now + (milliseconds * Millisecond); now < end; now += Millisecond / 10)
                drops += state.Judge(Default, sojourn, 100_000, now) ? 1 : 0;
            return drops;
        }
        int first = Run(1_000, 20 * Millisecond);
        Assert.True(state.IsDropping);
        Assert.Equal(0, Run(1, Millisecond));
        Assert.False(state.IsDropping);
        Assert.True(Run(1_000, 20 * Millisecond) > first * 1.2);

        // After a long time nothing of it counts.
        Run(5_000, Millisecond);
        Assert.Equal(first, Run(1_000, 20 * Millisecond));
    }
}
