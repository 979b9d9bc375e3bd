using CryptoPlane.Traffic;
using static CryptoPlane.Tests.Traffic.SchedulerBench;

namespace CryptoPlane.Tests.Traffic;

public sealed class TrafficFairnessTests
{
    private const long PortBits = 100_000_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Fifty_tunnels_of_which_one_sends_ten_times_its_share_the_others_get_theirs(int seed)
    {
        const int tunnels = 50;
        using var bench = new SchedulerBench(new TrafficSchedulerOptions
        {
            Tunnels = tunnels,
            Port = TrafficRate.Of(PortBits, 0, 2 * Millisecond),
            TotalPackets = 4_000,
        });
        long[] offered = Offer(bench, seed, 5 * Second, tunnel => PortBits / tunnels * (tunnel == 7 ? 10 : 1));
        long share = PortBits / 8 * 5 / tunnels;
        for (int tunnel = 0; tunnel < tunnels; tunnel++)
        {
            if (tunnel != 7)
                Assert.True(bench.SentBytes[tunnel] >= 0.95 * Math.Min(share, offered[tunnel]), $"tunnel {tunnel}: {bench.SentBytes[tunnel]} of {offered[tunnel]} bytes");
        }
        Assert.InRange(bench.SentBytes[7], 0, share * 1.3);
        Assert.InRange(bench.SentBytes.Sum(), PortBits / 8 * 5 * 0.98, (PortBits / 8 * 5 * 1.001) + 30_000);
    }

    [Fact]
    public void What_a_tunnel_does_not_use_the_others_get_by_their_weights()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions { Tunnels = 4, Port = TrafficRate.Of(PortBits, 0, 2 * Millisecond) });
        int[] weights = [1, 2, 4, 1];
        for (int tunnel = 0; tunnel < weights.Length; tunnel++)
            bench.Scheduler.Open(tunnel, weights[tunnel], TrafficRate.None, 1);
        Offer(bench, 5, 4 * Second, tunnel => tunnel == 3 ? PortBits / 100 : PortBits * 2);
        double rest = bench.SentBytes[0] + bench.SentBytes[1] + bench.SentBytes[2];
        for (int tunnel = 0; tunnel < 3; tunnel++)
            Assert.InRange(bench.SentBytes[tunnel] / rest, weights[tunnel] / 7.0 * 0.98, weights[tunnel] / 7.0 * 1.02);
        Assert.InRange(bench.SentBytes[3], PortBits / 800 * 4 * 0.98, PortBits / 800 * 4 * 1.02);
    }

    [Fact]
    public void Shaped_tunnels_get_their_rates_within_two_in_a_hundred()
    {
        long[] rates = [128_000, 1_000_000, 5_000_000, 20_000_000, 50_000_000];
        using var bench = new SchedulerBench(new TrafficSchedulerOptions { Tunnels = rates.Length, CoDel = CoDelParameters.Off });
        for (int tunnel = 0; tunnel < rates.Length; tunnel++)
            bench.Scheduler.Open(tunnel, 1, TrafficRate.Of(rates[tunnel], 0, 10 * Millisecond), 1);
        // The saved burst goes first, and is not the rate.
        Offer(bench, 6, 2 * Second, tunnel => rates[tunnel] * 2);
        long[] before = [.. bench.SentBytes];
        Offer(bench, 6, 10 * Second, tunnel => rates[tunnel] * 2);
        for (int tunnel = 0; tunnel < rates.Length; tunnel++)
            Assert.InRange((bench.SentBytes[tunnel] - before[tunnel]) * 8.0 / 10 / rates[tunnel], 0.98, 1.02);
    }

    [Fact]
    public void A_shaped_number_of_packets_holds_whatever_their_size()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions { Tunnels = 1 });
        bench.Scheduler.Open(0, 1, TrafficRate.Of(0, 1_000, 10 * Millisecond), 1);
        Offer(bench, 7, 5 * Second, _ => 30_000_000);
        Assert.InRange(bench.Sent[0], 5_000 * 0.98, 5_000 * 1.02);
    }

    [Fact]
    public void Classes_divide_a_shaped_tunnel_by_weight_and_priority()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions
        {
            Tunnels = 1,
            Classes = [new TrafficClassOptions { Priority = 0 }, new TrafficClassOptions { Priority = 1, Weight = 3 }, new TrafficClassOptions { Priority = 1 }],
        });
        const long rate = 10_000_000;
        bench.Scheduler.Open(0, 1, TrafficRate.Of(rate, 0, 10 * Millisecond), 1);
        long[] bytes = new long[3];
        bench.OnSent = (_, number, _, _) => bytes[number] += 1_000;
        for (int step = 0; step < 50_000; step++)
        {
            bench.Now += 100 * Microsecond;
            // The first class has a tenth of the rate, the others far too much.
            if (step % 80 == 0)
                bench.Add(0, 1_000, 0);
            if (step % 4 == 0)
            {
                bench.Add(0, 1_000, 1);
                bench.Add(0, 1_000, 2);
            }
            bench.Drain();
        }
        double whole = rate / 8 * 5.0;
        Assert.Equal(0, bench.Scheduler.ReadClass(0).DroppedPackets);
        Assert.InRange(bytes[0] / (50_000.0 / 80 * 1_000), 0.999, 1);
        Assert.InRange(bytes[1] / ((whole - bytes[0]) * 0.75), 0.97, 1.03);
        Assert.InRange(bytes[2] / ((whole - bytes[0]) * 0.25), 0.97, 1.03);
        // Priority is latency: never more than the packet that is on its way and what the shaper owes for it.
        Assert.InRange(bench.Scheduler.ReadClass(0).LargestDelayNanoseconds, 0, 2 * Millisecond);
    }

    [Fact]
    public void A_shaped_class_holds_back_itself_and_nobody_else()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions
        {
            Tunnels = 2,
            Classes = [new TrafficClassOptions(), new TrafficClassOptions { Shape = TrafficRate.Of(1_000_000, 0, 10 * Millisecond) }],
        });
        long[] bytes = new long[2];
        bench.OnSent = (_, number, _, _) => bytes[number] += 500;
        bench.Scheduler.Open(0, 1, TrafficRate.None, 1);
        bench.Scheduler.Open(1, 1, TrafficRate.None, 1);
        for (int step = 0; step < 20_000; step++)
        {
            bench.Now += 200 * Microsecond;
            bench.Add(0, 500, 0);
            bench.Add(0, 500, 1);
            bench.Drain();
        }
        Assert.Equal(500 * 20_000, bytes[0]);
        Assert.InRange(bytes[1] * 8.0 / 4 / 1_000_000, 0.98, 1.02);
        Assert.Equal(0, bench.Scheduler.ReadClass(0).LargestDelayNanoseconds);
    }

    [Fact]
    public void Whoever_sends_little_does_not_wait_for_those_in_the_queue()
    {
        const int heavy = 40;
        using var bench = new SchedulerBench(new TrafficSchedulerOptions { Tunnels = heavy + 1, Port = TrafficRate.Of(PortBits, 0, Millisecond) });
        Offer(bench, 8, 2 * Second, tunnel => tunnel == heavy ? 64_000 : PortBits / 20);
        QueueCounters sparse = bench.Scheduler.ReadTunnel(heavy);
        Assert.Equal(0, sparse.DroppedPackets);
        // A round over all others takes 40 packets, near 5 ms; it waits for those that have become active with it.
        Assert.InRange(sparse.LargestDelayNanoseconds, 0, 2_400 * Microsecond);
        Assert.True(sparse.DelayNanoseconds / sparse.SentPackets * 8 < bench.Scheduler.ReadTunnel(0).DelayNanoseconds / bench.Scheduler.ReadTunnel(0).SentPackets);
    }

    /// <summary>Packets of every tunnel at its rate in bits per second, at random moments, for a time.</summary>
    /// <returns>Bytes that each offered.</returns>
    private static long[] Offer(SchedulerBench bench, int seed, long duration, Func<int, long> rateOf)
    {
        var random = new Random(seed);
        int tunnels = bench.Options.Tunnels;
        long[] offered = new long[tunnels];
        var next = new PriorityQueue<int, long>();
        for (int tunnel = 0; tunnel < tunnels; tunnel++)
            next.Enqueue(tunnel, bench.Now + random.NextInt64(Millisecond));
        long end = bench.Now + duration;
        while (next.TryDequeue(out int tunnel, out long time) && time < end)
        {
            // The scheduler is asked when it said it would have something, and when something comes.
            while (bench.Scheduler.NextDeadline < time)
            {
                bench.Now = Math.Max(bench.Now, bench.Scheduler.NextDeadline);
                bench.Drain();
            }
            bench.Now = Math.Max(bench.Now, time);
            int length = random.Next(100, 1_500);
            bench.Add(tunnel, length);
            offered[tunnel] += length;
            bench.Drain();
            next.Enqueue(tunnel, time + (long)(length * 8.0 * Second / rateOf(tunnel) * (0.5 + random.NextDouble())));
        }
        return offered;
    }
}
