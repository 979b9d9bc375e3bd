using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.TestKit;

public sealed class AllocationMeterTests
{
    private static byte[]? s_sink;

    [Fact]
    public void Allocations_and_exceptions_of_this_thread_are_counted()
    {
        AllocationReading reading = AllocationMeter.Measure(() =>
        {
            s_sink = new byte[1000];
            Assert.ThrowsAny<FormatException>(() => int.Parse("x"));
        });
        Assert.True(reading.AllocatedBytes >= 1000);
        Assert.Equal(1, reading.Exceptions);
        Assert.Equal(1000, s_sink!.Length);
    }

    [Fact]
    public void A_loop_over_stack_memory_costs_nothing()
    {
        static void Loop()
        {
            Span<int> numbers = stackalloc int[64];
            for (int i = 0; i < 100_000; i++)
                numbers[i & 63] += i;
        }

        Action loop = Loop;
        AllocationMeter.Measure(loop);
        AllocationReading reading = AllocationMeter.Measure(loop);
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
    }

    [Fact]
    public void What_allocates_once_is_steady_and_what_always_does_is_not()
    {
        int runs = 0;
        AllocationReading once = AllocationMeter.MeasureUntilSteady(() => s_sink = runs++ == 0 ? new byte[1000] : s_sink);
        Assert.Equal(0, once.AllocatedBytes);
        Assert.Equal(2, runs);
        Assert.True(AllocationMeter.MeasureUntilSteady(() => s_sink = new byte[1000]).AllocatedBytes >= 1000);
    }
}
