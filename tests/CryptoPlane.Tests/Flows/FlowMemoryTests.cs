using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Flows;

namespace CryptoPlane.Tests.Flows;

/// <summary>Memory that runs out, and memory that comes back.</summary>
public sealed unsafe class FlowMemoryTests
{
    [Fact]
    public void All_memory_is_given_back_with_its_size()
    {
        var memory = new ScarceMemory(long.MaxValue);
        using (var table = new FlowTable<Key40, long>(new FlowTableOptions { MaximumFlows = 100_000, Memory = memory }))
        using (var wheel = new TimerWheel(100_000, 0, memory: memory))
        {
            table.Attach<Key40>();
            for (int i = 0; i < 100_000; i++)
                Assert.True(wheel.Arm(table.FindOrAdd(Key40.Of(i), out _), i));
            Assert.True(memory.Blocks > 4);
            table.Dispose();
            wheel.Dispose();
            Assert.Equal((0, 0L), (memory.Blocks, memory.Bytes));
        }
        Assert.Equal((0, 0L), (memory.Blocks, memory.Bytes));
    }

    [Fact]
    public void A_slab_has_one_huge_page_at_most()
    {
        var memory = new ScarceMemory(long.MaxValue);
        using var table = new FlowTable<Key40, Bytes1000>(
            new FlowTableOptions { InitialCapacity = 10_000, MaximumFlows = 25_000, Memory = memory });
        table.Attach<Bytes1000>();
        for (int i = 0; i < 25_000; i++)
            Assert.True(table.FindOrAdd(Key40.Of(i), out _) >= 0);
        Assert.InRange(memory.Largest, 1, 2 * 1024 * 1024);
    }

    [Theory]
    [InlineData(WhenFull.Refuse)]
    [InlineData(WhenFull.EvictOldestIdle)]
    public void Wherever_memory_runs_out_the_table_stays_as_large_as_it_is(WhenFull whenFull)
    {
        const int flows = 40_000;
        for (long megabytes = 3; megabytes <= 15; megabytes += 2)
        {
            var memory = new ScarceMemory(megabytes << 20);
            using var table = new FlowTable<Key40, long>(
                new FlowTableOptions { InitialCapacity = 1, MaximumFlows = flows, WhenFull = whenFull, Memory = memory });
            FlowExtension<Key40> extension;
            try
            {
                extension = table.Attach<Key40>();
            }
            catch (OutOfMemoryException)
            {
                continue;
            }
            var indexes = new Dictionary<int, int>();
            for (int i = 0; i < flows; i++)
            {
                int index = table.FindOrAdd(Key40.Of(i), out bool added);
                Assert.Equal(index >= 0, added);
                if (!added)
                    continue;
                *extension[index] = Key40.Of(i);
                indexes[index] = i;
            }
            Assert.Equal(table.Count, indexes.Count);
            Assert.Equal(table.Count < flows, table.LacksMemory);
            Assert.Equal(flows - table.Count, table.Refused + table.Evicted);
            Assert.True(whenFull == WhenFull.Refuse ? table.Evicted == 0 : table.Refused == 0);
            foreach ((int index, int number) in indexes)
            {
                Assert.Equal(index, table.Find(Key40.Of(number)));
                Assert.Equal(Key40.Of(number), *extension[index]);
            }
        }
    }

    [Fact]
    public void A_table_that_cannot_even_begin_says_so()
    {
        // Neither entries nor buckets, the first entries alone, all entries alone.
        foreach (long most in (long[])[1000, 3 << 20, 5 << 20])
        {
            var memory = new ScarceMemory(most);
            Assert.Throws<OutOfMemoryException>(() => new FlowTable<Key16, long>(
                new FlowTableOptions { InitialCapacity = 100_000, MaximumFlows = 100_000, Memory = memory }));
            Assert.Throws<OutOfMemoryException>(() => new TimerWheel(1_000_000, 0, initialTimers: 1_000_000, memory: memory));
            Assert.Equal(0, memory.Blocks);
        }
    }

    [Fact]
    public void A_timer_for_which_there_is_no_memory_is_not_armed()
    {
        var memory = new ScarceMemory(3 << 20);
        using var wheel = new TimerWheel(1_000_000, 0, memory: memory);
        Assert.True(wheel.Arm(100_000, 1));
        Assert.False(wheel.Arm(999_999, 1));
        Assert.False(wheel.IsArmed(999_999));
        Assert.True(wheel.Arm(0, 1));
        Assert.Equal(2, wheel.Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => wheel.Arm(1_000_000, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => wheel.Arm(-1, 1));
    }

    [System.Runtime.CompilerServices.InlineArray(1000)]
    private struct Bytes1000
    {
        private byte _first;
    }

    /// <summary>Memory up to a number of bytes, with an eye on what is given back.</summary>
    private sealed class ScarceMemory(long most) : IPacketMemory
    {
        private readonly Dictionary<nint, nuint> _blocks = [];

        public int Blocks => _blocks.Count;

        public long Bytes => _blocks.Values.Sum(bytes => (long)bytes);

        public long Largest { get; private set; }

        public byte* Allocate(nuint bytes, nuint alignment)
        {
            if (Bytes + (long)bytes > most)
                throw new OutOfMemoryException("no more");
            void* memory = NativeMemory.AlignedAlloc(bytes, alignment);
            NativeMemory.Clear(memory, bytes);
            _blocks.Add((nint)memory, bytes);
            Largest = Math.Max(Largest, (long)bytes);
            return (byte*)memory;
        }

        public void Free(byte* memory, nuint bytes)
        {
            Assert.Equal(bytes, _blocks[(nint)memory]);
            _blocks.Remove((nint)memory);
            NativeMemory.AlignedFree(memory);
        }
    }
}
