using CryptoPlane.Lcores;

namespace CryptoPlane.Tests.Lcores;

public sealed class CounterBlockTests
{
    [Fact]
    public void Counters_start_at_zero_and_keep_their_names()
    {
        using var counters = new CounterBlock("packets", "drops");
        Assert.Equal(["packets", "drops"], counters.Names);
        Assert.Equal(0, counters[1]);
        counters.Increment(1);
        counters.Add(1, 41);
        counters.Set(0, 7);
        Assert.Equal(42, counters[1]);
        Assert.Equal(7, counters[0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => counters[2]);
    }

    [Fact]
    public void Another_thread_sees_a_counter_grow_and_never_shrink()
    {
        using var counters = new CounterBlock("value");
        var writer = new Thread(() =>
        {
            for (int i = 0; i < 1_000_000; i++)
                counters.Increment(0);
        });
        writer.Start();
        long last = 0;
        while (writer.IsAlive)
        {
            long value = counters[0];
            Assert.True(value >= last);
            last = value;
        }
        Assert.Equal(1_000_000, counters[0]);
    }
}
