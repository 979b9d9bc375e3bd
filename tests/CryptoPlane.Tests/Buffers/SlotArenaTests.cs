using CryptoPlane.Buffers;

namespace CryptoPlane.Tests.Buffers;

public sealed unsafe class SlotArenaTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(128)]
    [InlineData(1088)]
    public void Blocks_are_apart_aligned_and_zero_and_there_are_as_many_as_was_said(int size)
    {
        const int count = 100;
        using var arena = new SlotArena(count, size);
        Assert.True(arena.SlotSize >= size && arena.SlotSize - size < 128);
        var blocks = new SortedSet<nint>();
        for (int i = 0; i < count; i++)
        {
            var block = (byte*)arena.Take();
            Assert.Equal(0, (nint)block % 128);
            Assert.True(new ReadOnlySpan<byte>(block, arena.SlotSize).IndexOfAnyExcept((byte)0) < 0);
            new Span<byte>(block, arena.SlotSize).Fill(0xA5);
            Assert.True(blocks.Add((nint)block));
        }
        Assert.True(blocks.Zip(blocks.Skip(1), (one, next) => next - one >= arena.SlotSize).All(apart => apart));
        Assert.True(arena.Take() == null);
        Assert.Equal(count, arena.InUse);
        foreach (nint block in blocks)
            SlotArena.Return(arena.Handle, (void*)block);
        Assert.Equal(0, arena.InUse);
    }

    [Fact]
    public void What_was_in_a_block_is_gone_as_soon_as_it_is_given_back()
    {
        using var arena = new SlotArena(4, 256);
        var block = (byte*)arena.Take();
        new Span<byte>(block, 256).Fill(0xA5);
        SlotArena.Return(arena.Handle, block);
        // Sound: the arena still has the memory.
        Assert.True(new ReadOnlySpan<byte>(block, 256).IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public void Blocks_that_were_given_back_are_taken_again_in_whatever_order()
    {
        const int count = 64;
        using var arena = new SlotArena(count, 64);
        var random = new Random(1);
        var taken = new List<nint>();
        for (int step = 0; step < 20_000; step++)
        {
            if (random.Next(2) == 0)
            {
                var block = (long*)arena.Take();
                Assert.Equal(taken.Count == count, block == null);
                if (block == null)
                    continue;
                Assert.Equal(0, *block);
                *block = step + 1;
                taken.Add((nint)block);
            }
            else if (taken.Count > 0)
            {
                int which = random.Next(taken.Count);
                SlotArena.Return(arena.Handle, (void*)taken[which]);
                taken.RemoveAt(which);
            }
            Assert.Equal(taken.Count, arena.InUse);
        }
        taken.ForEach(block => SlotArena.Return(arena.Handle, (void*)block));
    }

    [Fact]
    public void A_thread_takes_what_another_gives_back()
    {
        const int count = 8, rounds = 50_000;
        using var arena = new SlotArena(count, 64);
        var given = new System.Collections.Concurrent.BlockingCollection<nint>(count);
        var giver = new Thread(() =>
        {
            foreach (nint block in given.GetConsumingEnumerable())
                SlotArena.Return(arena.Handle, (void*)block);
        });
        giver.Start();
        int dirty = 0;
        for (int taken = 0; taken < rounds;)
        {
            var block = (long*)arena.Take();
            if (block == null)
            {
                Thread.Yield();
                continue;
            }
            dirty += *block == 0 ? 0 : 1;
            *block = ++taken;
            given.Add((nint)block, TestContext.Current.CancellationToken);
        }
        given.CompleteAdding();
        giver.Join();
        Assert.Equal(0, dirty);
        Assert.Equal(0, arena.InUse);
    }

    [Fact]
    public void An_arena_is_not_freed_under_its_blocks()
    {
        var arena = new SlotArena(2, 64);
        void* block = arena.Take();
        Assert.Contains("1 blocks", Assert.Throws<InvalidOperationException>(arena.Dispose).Message, StringComparison.Ordinal);
        SlotArena.Return(arena.Handle, block);
        arena.Dispose();
        arena.Dispose();
    }

    [Theory]
    [InlineData(0, 64)]
    [InlineData(-1, 64)]
    [InlineData(1, 0)]
    public void An_arena_of_nothing_is_refused(int count, int size) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SlotArena(count, size));
}
