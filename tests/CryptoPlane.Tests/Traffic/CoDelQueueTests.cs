using CryptoPlane.Traffic;
using static CryptoPlane.Tests.Traffic.SchedulerBench;

namespace CryptoPlane.Tests.Traffic;

/// <summary>Senders that do as TCP does (slow start, additive increase, half at a loss or mark) through a scheduler's bottleneck.</summary>
public sealed class CoDelQueueTests
{
    private const int PacketBytes = 1_500;
    private const long PortBits = 20_000_000;

    [Theory]
    [InlineData(1, false)]
    [InlineData(4, false)]
    [InlineData(4, true)]
    public void Senders_like_TCP_keep_the_port_busy_and_the_delay_low(int connections, bool areCapable)
    {
        Result result = Run(CoDelParameters.Default, connections, areCapable);
        Assert.InRange(result.MeanDelay, 0, 15 * Millisecond);
        Assert.InRange(result.LargestDelay, 0, 60 * Millisecond);
        Assert.InRange(result.Utilization, 0.85, 1.01);
        if (areCapable)
            Assert.Equal((0, true), (result.Drops, result.Marks > 0));
    }

    [Fact]
    public void Without_CoDel_the_same_senders_fill_the_queue()
    {
        Result with = Run(CoDelParameters.Default, 4, false), without = Run(CoDelParameters.Off, 4, false);
        Assert.True(without.MeanDelay > 10 * with.MeanDelay, $"{without.MeanDelay} ns without, {with.MeanDelay} ns with");
    }

    private readonly record struct Result(long MeanDelay, long LargestDelay, double Utilization, long Drops, long Marks);

    private static Result Run(CoDelParameters coDel, int connections, bool areCapable)
    {
        using var bench = new SchedulerBench(new TrafficSchedulerOptions
        {
            Tunnels = 1,
            Port = TrafficRate.Of(PortBits, 0, Millisecond),
            CoDel = coDel,
            Classes = [new TrafficClassOptions { QueuePackets = 5_000, QueueBytes = 10 << 20 }],
            TotalPackets = 5_000,
        });
        const long roundTrip = 20 * Millisecond, warmUp = 5 * Second, end = 20 * Second;
        var sources = Enumerable.Range(0, connections).Select(_ => new Source()).ToArray();
        // What comes back to a sender: an answer, or the news of a loss.
        var news = new PriorityQueue<(int Source, bool IsCongestion), long>();
        bench.OnSent = (_, _, number, isMarked) => news.Enqueue(((int)number, isMarked), bench.Now + roundTrip);
        bench.OnDropped = (_, _, number, _) => news.Enqueue(((int)number, true), bench.Now + roundTrip);
        QueueCounters before = default;
        while (bench.Now < end)
        {
            for (int i = 0; i < connections; i++)
            {
                for (; sources[i].InFlight < (int)sources[i].Window; sources[i].InFlight++)
                    bench.Add(0, PacketBytes, 0, (uint)i, (byte)(areCapable ? 2 : 0));
            }
            bench.Drain();
            long nextNews = news.TryPeek(out _, out long time) ? time : long.MaxValue;
            long next = Math.Min(nextNews, bench.Scheduler.NextDeadline);
            if (bench.Now < warmUp && next >= warmUp)
                before = bench.Scheduler.ReadTunnel(0);
            bench.Now = Math.Max(bench.Now, next);
            while (news.TryPeek(out (int Source, bool IsCongestion) item, out time) && time <= bench.Now)
            {
                news.Dequeue();
                sources[item.Source].Hear(item.IsCongestion, bench.Now, roundTrip);
            }
        }
        QueueCounters after = bench.Scheduler.ReadTunnel(0);
        long packets = after.SentPackets - before.SentPackets;
        return new Result(
            (after.DelayNanoseconds - before.DelayNanoseconds) / packets, after.LargestDelayNanoseconds,
            packets * PacketBytes * 8.0 / PortBits / ((end - warmUp) / (double)Second), after.DroppedPackets - before.DroppedPackets, after.MarkedPackets);
    }

    /// <summary>A sender with a window of packets.</summary>
    private sealed class Source
    {
        private double _threshold = 10_000;
        private long _halved;

        public double Window { get; private set; } = 10;

        public int InFlight { get; set; }

        public void Hear(bool isCongestion, long now, long roundTrip)
        {
            InFlight--;
            if (!isCongestion)
            {
                Window += Window < _threshold ? 1 : 1 / Window;
            }
            else if (now - _halved > roundTrip)
            {
                // Once per round trip, as RFC 5681 §3.1 and RFC 3168 §6.1.2 have it.
                _halved = now;
                _threshold = Window = Math.Max(2, Window / 2);
            }
        }
    }
}
