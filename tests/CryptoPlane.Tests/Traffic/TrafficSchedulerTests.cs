using CryptoPlane.TestKit;
using CryptoPlane.Traffic;
using static CryptoPlane.Tests.Traffic.SchedulerBench;

namespace CryptoPlane.Tests.Traffic;

public sealed unsafe class TrafficSchedulerTests
{
    [Fact]
    public void Without_limits_everything_passes_at_once_in_its_order()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions { Tunnels = 2 });
        var numbers = new List<uint>();
        bench.OnSent = (_, _, number, _) => numbers.Add(number);
        for (uint i = 0; i < 100; i++)
            bench.Add(1, 100, number: i);
        Assert.True(bench.Scheduler.NextDeadline <= bench.Now);
        Assert.Equal(100, bench.Drain());
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (uint)i), numbers);
        Assert.Equal(long.MaxValue, bench.Scheduler.NextDeadline);
        Assert.Equal(0, bench.Held);
    }

    [Fact]
    public void The_deadline_says_when_a_shaper_lets_the_next_packet_go()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions { Tunnels = 1 });
        bench.Scheduler.Open(0, 1, new TrafficRate { BitsPerSecond = 8_000_000, BurstBytes = 1_000 }, bench.Now);
        for (int i = 0; i < 3; i++)
            bench.Add(0, 1_000);
        Assert.Equal(1, bench.Drain());
        // The burst was spent to the last byte: the next may go when there is some credit again.
        Assert.Equal(bench.Now + 1, bench.Scheduler.NextDeadline);
        bench.Now++;
        Assert.Equal(1, bench.Drain());
        long deadline = bench.Scheduler.NextDeadline;
        Assert.InRange(deadline - bench.Now, 999_990, 1_000_010);
        bench.Now = deadline - 1;
        Assert.Equal(0, bench.Drain());
        Assert.Equal(deadline, bench.Scheduler.NextDeadline);
        bench.Now = deadline;
        Assert.Equal(1, bench.Drain());
        Assert.Equal(long.MaxValue, bench.Scheduler.NextDeadline);
    }

    [Fact]
    public void A_port_s_rate_holds_for_all_tunnels_together_and_counts_what_the_port_adds()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions
        {
            Tunnels = 2,
            OverheadBytes = 50,
            Port = new TrafficRate { BitsPerSecond = 8_400_000, BurstBytes = 1 },
            CoDel = CoDelParameters.Off,
        });
        for (int i = 0; i < 200; i++)
        {
            bench.Add(0, 1_000);
            bench.Add(1, 1_000);
        }
        long start = bench.Now;
        while (bench.Scheduler.NextDeadline != long.MaxValue)
        {
            bench.Now = Math.Max(bench.Now, bench.Scheduler.NextDeadline);
            Assert.InRange(bench.Drain(), 1, 1);
        }
        Assert.InRange(bench.Now - start, 398 * Millisecond, 400 * Millisecond);
        Assert.Equal(bench.Sent[0], bench.Sent[1]);
        bench.Scheduler.ChangePort(TrafficRate.None, bench.Now);
        bench.Add(0, 1_000);
        Assert.Equal(1, bench.Drain());
    }

    [Fact]
    public void A_full_queue_refuses_what_comes_and_other_queues_do_not_notice()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions
        {
            Tunnels = 2,
            Classes = [new TrafficClassOptions { QueuePackets = 10 }, new TrafficClassOptions { QueueBytes = 5_000 }],
        });
        var dropped = new List<(int Class, uint Number, TrafficDropReason Reason)>();
        bench.OnDropped = (_, number, packet, reason) => dropped.Add((number, packet, reason));
        bench.Scheduler.Hold(0, true);
        bench.Scheduler.Hold(1, true);
        for (uint i = 0; i < 12; i++)
        {
            bench.Add(0, 100, 0, i);
            bench.Add(0, 1_000, 1, i);
            bench.Add(1, 100, 0, i);
        }
        bench.Drain();
        Assert.Equal([10u, 11u], dropped.Where(drop => drop.Class == 0).Select(drop => drop.Number).Distinct());
        Assert.Equal([5u, 6, 7, 8, 9, 10, 11], dropped.Where(drop => drop.Class == 1).Select(drop => drop.Number));
        Assert.All(dropped, drop => Assert.Equal(TrafficDropReason.QueueFull, drop.Reason));
        Assert.Equal(15, bench.Scheduler.ReadTunnel(0).WaitingPackets);
        Assert.Equal(10 * 100 + 5 * 1_000, bench.Scheduler.ReadTunnel(0).WaitingBytes);
        Assert.Equal(9, bench.Scheduler.ReadTunnel(0).Dropped(TrafficDropReason.QueueFull));
    }

    [Fact]
    public void When_all_together_is_too_much_the_longest_tunnel_loses_its_oldest()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions { Tunnels = 100, TotalPackets = 500, Classes = [new TrafficClassOptions { QueuePackets = 100_000 }] });
        var dropped = new List<(int Tunnel, uint Number, TrafficDropReason Reason)>();
        bench.OnDropped = (tunnel, _, number, reason) => dropped.Add((tunnel, number, reason));
        for (int tunnel = 0; tunnel < 100; tunnel++)
            bench.Scheduler.Hold(tunnel, true);
        for (uint i = 0; i < 300; i++)
            bench.Add(42, 500, number: i);
        for (uint i = 0; i < 4; i++)
        {
            for (int tunnel = 0; tunnel < 100; tunnel++)
                bench.Add(tunnel, 500, number: 1_000 + i);
        }
        bench.Drain();
        Assert.Equal(500, bench.Scheduler.WaitingPackets);
        Assert.All(dropped, drop => Assert.Equal((42, TrafficDropReason.TotalFull), (drop.Tunnel, drop.Reason)));
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (uint)i), dropped.Select(drop => drop.Number));
    }

    [Fact]
    public void A_held_tunnel_waits_and_goes_on_where_it_was()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions { Tunnels = 2 });
        bench.Add(0, 100, number: 1);
        bench.Scheduler.Hold(0, true);
        bench.Add(0, 100, number: 2);
        bench.Add(1, 100, number: 3);
        Assert.Equal(1, bench.Drain());
        Assert.Equal(1, bench.Sent[1]);
        Assert.Equal(long.MaxValue, bench.Scheduler.NextDeadline);
        bench.Scheduler.Hold(0, false);
        Assert.True(bench.Scheduler.NextDeadline <= bench.Now);
        Assert.Equal(2, bench.Drain());
    }

    [Fact]
    public void A_cleared_tunnel_gives_everything_back_and_can_be_opened_again()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions { Tunnels = 3, Classes = [new TrafficClassOptions(), new TrafficClassOptions()] });
        bench.Scheduler.Open(1, 1, TrafficRate.Of(1_000, 0, Millisecond), bench.Now);
        for (int i = 0; i < 50; i++)
        {
            bench.Add(0, 100, i % 2);
            bench.Add(1, 1_400, i % 2);
        }
        bench.Scheduler.Clear(0);
        bench.Drain();
        Assert.Equal((0, 50), (bench.Sent[0], bench.Dropped[0]));
        Assert.Equal(50, bench.Scheduler.ReadTunnel(0).Dropped(TrafficDropReason.Cleared));
        // It waits for its shaper now; a new tunnel in its place does not.
        Assert.True(bench.Scheduler.NextDeadline > bench.Now + Second);
        bench.Scheduler.Open(1, 1, TrafficRate.None, bench.Now);
        bench.Add(1, 100, 1);
        Assert.Equal(1, bench.Drain());
        Assert.Equal(0, bench.Held);
        Assert.Equal(1, bench.Scheduler.ReadTunnel(1).SentPackets);
        Assert.Equal(0, bench.Scheduler.ReadTunnel(1).DroppedPackets);
    }

    [Fact]
    public void A_faster_rate_counts_at_once_for_a_tunnel_that_waits()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions { Tunnels = 1 });
        bench.Scheduler.Open(0, 1, TrafficRate.Of(8_000, 0, Millisecond), bench.Now);
        for (int i = 0; i < 10; i++)
            bench.Add(0, 1_000);
        bench.Drain();
        Assert.True(bench.Scheduler.NextDeadline > bench.Now + (Second / 2));
        bench.Scheduler.Change(0, 1, TrafficRate.Of(800_000_000, 0, Millisecond), bench.Now);
        bench.Drain();
        Assert.True(bench.Scheduler.NextDeadline <= bench.Now + (20 * Microsecond));
    }

    [Fact]
    public void An_unknown_class_is_the_last_one()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions { Tunnels = 1, Classes = [new TrafficClassOptions(), new TrafficClassOptions()] });
        bench.Add(0, 100, 200);
        bench.Add(0, 100, -1);
        bench.Drain();
        Assert.Equal(2, bench.Scheduler.ReadClass(1).SentPackets);
    }

    [Fact]
    public void Misuse_is_refused()
    {
        using var scheduler = new TrafficScheduler(new TrafficSchedulerOptions { Tunnels = 1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => scheduler.Open(1, 1, default, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => scheduler.Open(0, 0, default, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => scheduler.Enqueue(null, -1, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => scheduler.ReadClass(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TrafficScheduler(new TrafficSchedulerOptions { Tunnels = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TrafficScheduler(new TrafficSchedulerOptions { Tunnels = 1, Classes = [] }));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new TrafficScheduler(new TrafficSchedulerOptions { Tunnels = 1, Classes = [new TrafficClassOptions { Weight = 0 }] }));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Whatever_happens_each_packet_comes_out_once_and_in_the_order_of_its_class(int seed)
    {
        var random = new Random(seed);
        const int tunnels = 40;
        using var bench = new SchedulerBench(new TrafficSchedulerOptions
        {
            Tunnels = tunnels,
            Classes =
            [
                new TrafficClassOptions { Priority = 0, Shape = TrafficRate.Of(3_000_000, 0, 5 * Millisecond) },
                new TrafficClassOptions { Priority = 1, Weight = 3, QueuePackets = 60 },
                new TrafficClassOptions { Priority = 1, QueueBytes = 40_000 },
            ],
            Port = TrafficRate.Of(60_000_000, 20_000, Millisecond),
            TotalPackets = 300,
            TotalBytes = 200_000,
            CoDel = new CoDelParameters { TargetNanoseconds = Millisecond, IntervalNanoseconds = 10 * Millisecond, MaxPacketBytes = 1_500 },
        });
        var next = new Dictionary<(int, int), uint>();
        var last = new Dictionary<(int, int), uint>();
        var seen = new HashSet<(int, int, uint)>();
        var reasons = new long[4];
        long sent = 0, marked = 0;
        bench.OnSent = (tunnel, number, packet, isMarked) =>
        {
            Assert.True(seen.Add((tunnel, number, packet)));
            if (last.TryGetValue((tunnel, number), out uint before))
                Assert.True(packet > before);
            last[(tunnel, number)] = packet;
            sent++;
            marked += isMarked ? 1 : 0;
        };
        bench.OnDropped = (tunnel, number, packet, reason) =>
        {
            Assert.True(seen.Add((tunnel, number, packet)));
            reasons[(int)reason]++;
        };
        long added = 0;
        for (int step = 0; step < 100_000; step++)
        {
            int tunnel = random.Next(tunnels) * random.Next(2);
            switch (random.Next(200))
            {
                case 0:
                    bench.Scheduler.Open(tunnel, random.Next(1, 5), random.Next(2) == 0 ? TrafficRate.None : TrafficRate.Of(random.NextInt64(10_000, 20_000_000), 0, 5 * Millisecond), bench.Now);
                    break;
                case 1:
                    bench.Scheduler.Clear(tunnel);
                    break;
                case 2:
                    bench.Scheduler.Hold(tunnel, random.Next(2) == 0);
                    break;
                case 3:
                    bench.Scheduler.Change(tunnel, random.Next(1, 5), random.Next(2) == 0 ? TrafficRate.None : TrafficRate.Of(random.NextInt64(10_000, 20_000_000), 0, 5 * Millisecond), bench.Now);
                    break;
                case 4:
                    bench.Now += random.NextInt64(20 * Millisecond);
                    break;
                case < 90:
                    bench.Now += random.NextInt64(300 * Microsecond);
                    bench.Drain(random.Next(1, 30));
                    break;
                default:
                    int number = random.Next(3);
                    uint packet = next.GetValueOrDefault((tunnel, number));
                    next[(tunnel, number)] = packet + 1;
                    bench.Add(tunnel, random.Next(40, 1_600), number, packet, (byte)(random.Next(4) == 0 ? 2 : 0));
                    added++;
                    break;
            }
            Assert.Equal(added - seen.Count, bench.Held);
            Assert.True(bench.Scheduler.WaitingPackets <= 300 && bench.Scheduler.WaitingBytes <= 200_000);
        }
        for (int tunnel = 0; tunnel < tunnels; tunnel++)
            bench.Scheduler.Hold(tunnel, false);
        while (bench.Scheduler.NextDeadline != long.MaxValue)
        {
            bench.Now = Math.Max(bench.Now, bench.Scheduler.NextDeadline);
            bench.Drain();
        }
        Assert.Equal(added, seen.Count);
        Assert.Equal(0, bench.Held);
        Assert.Equal((0, 0), (bench.Scheduler.WaitingPackets, bench.Scheduler.WaitingBytes));
        QueueCounters[] classes = [.. Enumerable.Range(0, 3).Select(bench.Scheduler.ReadClass)];
        Assert.Equal(sent, classes.Sum(counters => counters.SentPackets));
        Assert.Equal(marked, classes.Sum(counters => counters.MarkedPackets));
        foreach (TrafficDropReason reason in Enum.GetValues<TrafficDropReason>())
        {
            Assert.Equal(reasons[(int)reason], classes.Sum(counters => counters.Dropped(reason)));
            Assert.True(reasons[(int)reason] > 0, $"no packet was dropped for {reason}: the test does not reach it");
        }
        Assert.True(marked > 0);
        Assert.All(classes, counters => Assert.Equal((0, 0), (counters.WaitingPackets, counters.WaitingBytes)));
    }

    [Fact]
    public void Nothing_is_allocated_and_nothing_is_thrown()
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions
        {
            Tunnels = 200,
            Classes = [new TrafficClassOptions(), new TrafficClassOptions { Priority = 1, Shape = TrafficRate.Of(5_000_000, 0, Millisecond) }],
            Port = TrafficRate.Of(100_000_000, 0, Millisecond),
            TotalPackets = 500,
        });
        for (int tunnel = 0; tunnel < 200; tunnel++)
            bench.Scheduler.Open(tunnel, 1, tunnel % 2 == 0 ? TrafficRate.None : TrafficRate.Of(2_000_000, 0, Millisecond), bench.Now);
        void Run()
        {
            for (int step = 0; step < 20_000; step++)
            {
                bench.Now += 50 * Microsecond;
                bench.Add(step * 7 % 200, 1_000, step & 1);
                bench.Drain();
            }
        }
        Run();
        AllocationReading reading = AllocationMeter.MeasureUntilSteady(Run);
        Assert.Equal((0L, 0), (reading.AllocatedBytes, reading.Exceptions));
        Assert.True(bench.DroppedInAll > 0);
    }
}
