using CryptoPlane.Traffic;

namespace CryptoPlane.Tests.Traffic;

public sealed class TokenBucketTests
{
    private const long Second = 1_000_000_000;

    [Theory]
    [InlineData(64_000, 1_514)]
    [InlineData(10_000_000, 15_000)]
    [InlineData(999_999_937, 100_000)]
    [InlineData(1_000_000_000_000, 256 << 20)]
    public void A_policed_stream_gets_the_burst_and_then_the_rate_and_no_more(long bits, long burst)
    {
        var bucket = new TokenBucket(new TrafficRate { BitsPerSecond = bits, BurstBytes = burst }, 1);
        var random = new Random(1);
        long now = 1, passed = 0;
        // Twice the rate is offered for long enough to spend many bursts.
        long end = 1 + (20 * Math.Max(burst * 8 * Second / bits, Second / 100));
        long step = Math.Max(1, (end - now) / 200_000);
        long credit = 0;
        while (now < end)
        {
            credit += (long)((Int128)step * bits * 2 / 8);
            for (int length = random.Next(64, 1_514); credit >= length * Second; length = random.Next(64, 1_514))
            {
                credit -= length * Second;
                if (bucket.TryTake(length, now))
                    passed += length;
            }
            now += step;
        }
        double bound = burst + (bits / 8.0 * (now - 1) / Second);
        Assert.InRange(passed, (bound * 0.97) - 3_000, bound);
    }

    [Theory]
    [InlineData(64_000)]
    [InlineData(50_000_000)]
    [InlineData(40_000_000_000)]
    public void A_shaper_s_packets_leave_at_its_rate(long bits)
    {
        var bucket = new TokenBucket(TrafficRate.Of(bits, 0, 10_000_000), 1);
        var random = new Random(2);
        long now = 1, sent = 0, packets = 0;
        // Spend what is saved first.
        while (bucket.IsReady(now))
            bucket.Charge(1_500);
        long start = now = bucket.ReadyAt;
        for (; packets < 100_000; packets++)
        {
            Assert.True(bucket.IsReady(now));
            int length = random.Next(64, 9_000);
            bucket.Charge(length);
            sent += length;
            if (bucket.IsReady(now))
                continue;
            long ready = bucket.ReadyAt;
            Assert.True(ready > now);
            Assert.False(bucket.IsReady(ready - 1));
            now = ready;
        }
        double seconds = (now - start) / (double)Second;
        Assert.InRange(sent * 8 / seconds / bits, 0.9999, 1.0001);
    }

    [Fact]
    public void Both_units_hold_and_a_refused_packet_costs_nothing()
    {
        var bucket = new TokenBucket(new TrafficRate { BitsPerSecond = 8_000, BurstBytes = 1_000, PacketsPerSecond = 10, BurstPackets = 3 }, 1);
        Assert.True(bucket.TryTake(400, 1));
        Assert.False(bucket.TryTake(700, 1));
        Assert.True(bucket.TryTake(1, 1));
        Assert.True(bucket.TryTake(1, 1));
        Assert.False(bucket.TryTake(1, 1));
        Assert.False(bucket.TryTake(1, 1 + (Second / 10) - 1));
        Assert.True(bucket.TryTake(1, 1 + (Second / 10)));
        Assert.False(bucket.TryTake(900, 1 + (Second / 5)));
        Assert.True(bucket.TryTake(900, 1 + Second));
    }

    [Fact]
    public void Without_a_rate_everything_passes_at_once()
    {
        TokenBucket bucket = default;
        Assert.False(bucket.IsLimited);
        for (int i = 0; i < 1_000; i++)
        {
            Assert.True(bucket.TryTake(65_535, 1));
            Assert.True(bucket.IsReady(1));
            bucket.Charge(65_535);
        }
        Assert.True(bucket.ReadyAt <= 1);
    }

    [Fact]
    public void A_clock_that_goes_backwards_earns_nothing_and_a_long_silence_no_more_than_the_burst()
    {
        var bucket = new TokenBucket(new TrafficRate { BitsPerSecond = TrafficRate.MaxBitsPerSecond, BurstBytes = 2_000 }, Second);
        Assert.True(bucket.TryTake(2_000, Second));
        Assert.False(bucket.TryTake(1, 0));
        Assert.False(bucket.TryTake(1, long.MinValue / 2));
        Assert.True(bucket.TryTake(2_000, long.MaxValue - 1));
        Assert.False(bucket.TryTake(1, long.MaxValue - 1));
    }

    [Fact]
    public void A_changed_rate_keeps_debt_and_cuts_credit_to_the_new_burst()
    {
        var bucket = new TokenBucket(new TrafficRate { BitsPerSecond = 8_000, BurstBytes = 1_000 }, 1);
        bucket.Charge(3_000);
        Assert.Equal(1 + (2 * Second) + 1, bucket.ReadyAt);
        bucket.SetRate(new TrafficRate { BitsPerSecond = 16_000, BurstBytes = 1_000 }, 1);
        Assert.Equal(1 + Second + 1, bucket.ReadyAt);
        bucket.SetRate(new TrafficRate { BitsPerSecond = 16_000, BurstBytes = 500 }, 1 + (10 * Second));
        Assert.False(bucket.TryTake(501, 1 + (10 * Second)));
        Assert.True(bucket.TryTake(500, 1 + (10 * Second)));
        bucket.SetRate(TrafficRate.None, 1 + (10 * Second));
        Assert.True(bucket.TryTake(60_000, 1 + (10 * Second)));
    }

    [Fact]
    public void Rates_out_of_range_are_refused()
    {
        TrafficRate[] wrong =
        [
            new() { BitsPerSecond = -1, BurstBytes = 1 },
            new() { BitsPerSecond = TrafficRate.MaxBitsPerSecond + 1, BurstBytes = 1 },
            new() { BitsPerSecond = 1 },
            new() { BitsPerSecond = 1, BurstBytes = TrafficRate.MaxBurstBytes + 1 },
            new() { PacketsPerSecond = 1 },
            new() { PacketsPerSecond = -1, BurstPackets = 1 },
        ];
        foreach (TrafficRate rate in wrong)
            Assert.Throws<ArgumentOutOfRangeException>(() => new TokenBucket(rate, 0));
    }
}
