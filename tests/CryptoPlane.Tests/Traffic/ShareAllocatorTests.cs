using CryptoPlane.Traffic;

namespace CryptoPlane.Tests.Traffic;

public sealed class ShareAllocatorTests
{
    [Fact]
    public void Who_asks_for_little_gets_it_and_the_others_divide_the_rest()
    {
        long[] shares = new long[4];
        ShareAllocator.Divide(1_000, [100, 900, 900, 0], shares);
        Assert.Equal(1_000, shares.Sum());
        Assert.InRange(shares[0], 100, 101);
        Assert.InRange(shares[3], 31, 32);
        Assert.InRange(shares[1] - shares[2], -1, 1);
    }

    [Fact]
    public void Who_asks_for_nothing_keeps_the_part_that_is_asked_for_it()
    {
        long[] shares = new long[2];
        ShareAllocator.Divide(1_280, [5_000, 0], shares, floorDivisor: 64);
        Assert.Equal([1_270L, 10L], shares);
        ShareAllocator.Divide(1_280, [5_000, 0], shares, floorDivisor: 1);
        Assert.Equal([640L, 640L], shares);
    }

    [Fact]
    public void Where_all_fits_what_is_left_is_divided_evenly()
    {
        long[] shares = new long[2];
        ShareAllocator.Divide(1_000, [700, 100], shares);
        Assert.Equal([800L, 200L], shares);
        ShareAllocator.Divide(1_000, [0, 0], shares);
        Assert.Equal([500L, 500L], shares);
    }

    [Fact]
    public void Shares_are_the_limit_in_sum_and_max_min_fair()
    {
        var random = new Random(4);
        for (int step = 0; step < 20_000; step++)
        {
            int places = random.Next(1, 17);
            long limit = random.NextInt64(0, 1L << random.Next(1, 41));
            long[] demands = [.. Enumerable.Range(0, places).Select(_ => random.NextInt64(0, 1L << random.Next(1, 41)))];
            long[] shares = new long[places];
            ShareAllocator.Divide(limit, demands, shares);
            Assert.Equal(limit, shares.Sum());
            long floor = limit / places / 8;
            Assert.All(shares, share => Assert.True(share >= floor));
            bool isEnough = demands.Select(demand => Math.Max(demand, floor)).Sum() <= limit;
            for (int i = 0; i < places; i++)
            {
                if (isEnough)
                    Assert.True(shares[i] >= demands[i]);
                // Nobody has more than it asked for (but for the floor and the last units) while another with less wants more.
                else if (shares[i] > Math.Max(demands[i], floor) + places)
                    Assert.DoesNotContain(Enumerable.Range(0, places), j => shares[j] < demands[j] - places);
                if (shares[i] >= demands[i])
                    continue;
                for (int j = 0; j < places; j++)
                    Assert.True(shares[j] <= Math.Max(shares[i], floor) + places, $"{shares[j]} is more than {shares[i]} of one that asked for {demands[i]}");
            }
        }
    }

    [Fact]
    public void Wrong_arguments_are_refused()
    {
        Assert.Throws<ArgumentException>(() => ShareAllocator.Divide(1, [], []));
        Assert.Throws<ArgumentException>(() => ShareAllocator.Divide(1, [1, 2], new long[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ShareAllocator.Divide(-1, [1], new long[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ShareAllocator.Divide(1, [1], new long[1], 0));
    }
}
