using CryptoPlane.Flows;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Flows;

/// <summary>What the lcore does for hours: no managed allocation, no contended lock, no exception.</summary>
[Collection(nameof(FlowSteadyStateTests))]
[CollectionDefinition(nameof(FlowSteadyStateTests), DisableParallelization = true)]
public sealed unsafe class FlowSteadyStateTests
{
    [Theory]
    [InlineData(WhenFull.Refuse)]
    [InlineData(WhenFull.EvictOldestIdle)]
    public void Flows_come_are_found_grow_and_expire_without_allocation_or_lock(WhenFull whenFull)
    {
        using var table = new FlowTable<Key40, long>(
            new FlowTableOptions { InitialCapacity = 1, MaximumFlows = 20_000, WhenFull = whenFull });
        using var wheel = new TimerWheel(20_000, 0);
        FlowExtension<Key16> extension = table.Attach<Key16>();
        Key40[] keys = new Key40[32];
        int[] indexes = new int[32], expired = new int[64];
        bool[] added = new bool[32];
        long now = 0;
        int next = 0;
        void Turns()
        {
            for (int turn = 0; turn < 3000; turn++, now += TimerWheel.DefaultTick / 16)
            {
                for (int i = 0; i < keys.Length; i++)
                    keys[i] = Key40.Of(i % 2 == 0 ? next++ : next * 7 % 50_000);
                table.Find(keys, indexes);
                table.FindOrAdd(keys, indexes, added);
                for (int i = 0; i < keys.Length; i++)
                {
                    if (indexes[i] < 0)
                        continue;
                    ++*table.State(indexes[i]);
                    *extension[indexes[i]] = Key16.Of(i);
                    wheel.Arm(indexes[i], now + (100 * TimerWheel.DefaultTick));
                }
                int count = wheel.Expire(now, expired.Length, expired);
                table.RemoveAt(expired.AsSpan(0, count));
                table.Remove(keys.AsSpan(0, 3));
                table.Maintain(2);
                _ = wheel.NextDeadline;
            }
        }
        Turns();
        AllocationReading reading = AllocationMeter.MeasureUntilSteady(Turns);
        Assert.Equal(default, reading);
        Assert.True(table.Count > 1000);
    }
}
