using CryptoPlane.Lcores;

namespace CryptoPlane.Tests.Lcores;

public sealed class SpscRingTests
{
    [Fact]
    public void Messages_come_out_in_the_order_in_which_they_went_in()
    {
        using var ring = new SpscRing<int>(8);
        for (int round = 0; round < 100; round++)
        {
            for (int i = 0; i < 5; i++)
                Assert.True(ring.TryEnqueue((round * 5) + i));
            for (int i = 0; i < 5; i++)
            {
                Assert.True(ring.TryDequeue(out int value));
                Assert.Equal((round * 5) + i, value);
            }
        }
        Assert.True(ring.IsEmpty);
        Assert.False(ring.TryDequeue(out _));
    }

    [Fact]
    public void A_full_ring_takes_no_more_until_one_is_taken_out()
    {
        using var ring = new SpscRing<long>(4);
        for (int i = 0; i < 4; i++)
            Assert.True(ring.TryEnqueue(i));
        Assert.False(ring.TryEnqueue(99));
        Assert.Equal(4, ring.Count);
        Assert.True(ring.TryDequeue(out long first));
        Assert.Equal(0, first);
        Assert.True(ring.TryEnqueue(4));
        Assert.False(ring.TryEnqueue(99));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(20)]
    public void Bulk_calls_keep_order_across_the_wrap_and_take_what_fits(int burst)
    {
        using var ring = new SpscRing<int>(8);
        int[] source = new int[burst];
        int[] target = new int[burst];
        int put = 0, taken = 0;
        for (int round = 0; round < 50; round++)
        {
            for (int i = 0; i < burst; i++)
                source[i] = put + i;
            int accepted = ring.Enqueue(source);
            Assert.Equal(Math.Min(burst, 8), accepted);
            put += accepted;
            int received = ring.Dequeue(target);
            Assert.Equal(accepted, received);
            for (int i = 0; i < received; i++)
                Assert.Equal(taken++, target[i]);
        }
    }

    [Fact]
    public void Capacity_must_be_a_power_of_two()
    {
        Assert.Throws<ArgumentException>(() => new SpscRing<int>(12));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SpscRing<int>(1));
    }

    [Fact]
    public void Two_threads_pass_ten_million_messages_without_loss_or_reordering()
    {
        const long total = 10_000_000;
        using var ring = new SpscRing<Pair>(1024);
        var producer = new Thread(() =>
        {
            long next = 0;
            Span<Pair> bulk = stackalloc Pair[17];
            var wait = new SpinWait();
            while (next < total)
            {
                bool moved;
                if (next % 3 == 0)
                {
                    int count = (int)Math.Min(bulk.Length, total - next);
                    for (int i = 0; i < count; i++)
                        bulk[i] = Pair.Of(next + i);
                    int accepted = ring.Enqueue(bulk[..count]);
                    next += accepted;
                    moved = accepted > 0;
                }
                else
                {
                    moved = ring.TryEnqueue(Pair.Of(next));
                    next += moved ? 1 : 0;
                }
                if (!moved)
                    wait.SpinOnce();
            }
        })
        { IsBackground = true };
        producer.Start();

        long expected = 0;
        Span<Pair> taken = stackalloc Pair[32];
        var idle = new SpinWait();
        while (expected < total)
        {
            int count = ring.Dequeue(taken);
            for (int i = 0; i < count; i++, expected++)
            {
                if (taken[i].Value != expected || taken[i].Check != ~expected)
                    Assert.Fail($"Message {expected} arrived as {taken[i].Value}/{taken[i].Check}.");
            }
            if (count == 0)
                idle.SpinOnce();
        }
        producer.Join();
        Assert.True(ring.IsEmpty);
    }

    /// <summary>Two words that must arrive together: a torn copy shows.</summary>
    private struct Pair
    {
        public long Value;
        public long Check;

        public static Pair Of(long value) => new() { Value = value, Check = ~value };
    }
}
