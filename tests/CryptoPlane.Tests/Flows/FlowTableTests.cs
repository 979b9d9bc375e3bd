using CryptoPlane.Flows;

namespace CryptoPlane.Tests.Flows;

public sealed unsafe class FlowTableTests
{
    [Fact]
    public void A_flow_is_found_under_its_index_until_it_is_removed()
    {
        using FlowTable<Key16, long> table = Table(10);
        Assert.Equal(-1, table.Find(Key16.Of(1)));
        int index = table.FindOrAdd(Key16.Of(1), out bool added);
        Assert.True(added);
        *table.State(index) = 42;
        Assert.Equal(index, table.FindOrAdd(Key16.Of(1), out added));
        Assert.False(added);
        Assert.Equal(index, table.Find(Key16.Of(1)));
        Assert.Equal(42, *table.State(index));
        Assert.Equal(Key16.Of(1), table.Key(index));
        Assert.True(table.IsUsed(index));
        Assert.True(table.Remove(Key16.Of(1)));
        Assert.False(table.Remove(Key16.Of(1)));
        Assert.False(table.IsUsed(index));
        Assert.Equal((-1, 0), (table.Find(Key16.Of(1)), table.Count));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(600)]
    public void Bursts_of_any_length_are_answered_in_order(int length)
    {
        using FlowTable<Key40, long> table = Table<Key40>(1000);
        Key40[] keys = [.. Enumerable.Range(0, length).Select(Key40.Of)];
        int[] indexes = new int[length + 1], again = new int[length + 1];
        indexes[length] = again[length] = 4711;
        bool[] added = new bool[length];
        table.FindOrAdd(keys, indexes, added);
        Assert.DoesNotContain(false, added);
        table.Find(keys, again);
        Assert.Equal(indexes, again);
        for (int i = 0; i < length; i++)
            Assert.Equal(keys[i], table.Key(indexes[i]));
        table.FindOrAdd(keys, again, added);
        Assert.Equal(indexes, again);
        Assert.DoesNotContain(true, added);
    }

    [Fact]
    public void A_key_that_is_in_a_burst_again_is_added_once()
    {
        using FlowTable<Key16, long> table = Table(100);
        Key16[] keys = [Key16.Of(1), Key16.Of(2), Key16.Of(1), Key16.Of(1), Key16.Of(2)];
        int[] indexes = new int[5];
        bool[] added = new bool[5];
        table.FindOrAdd(keys, indexes, added);
        Assert.Equal([true, true, false, false, false], added);
        Assert.Equal([indexes[0], indexes[1], indexes[0], indexes[0], indexes[1]], indexes);
        Assert.Equal(2, table.Count);
    }

    [Fact]
    public void A_burst_removes_what_is_there_and_says_how_many()
    {
        using FlowTable<Key16, long> table = Table(1000);
        for (int i = 0; i < 100; i++)
            table.FindOrAdd(Key16.Of(i), out _);
        Assert.Equal(50, table.Remove([.. Enumerable.Range(50, 100).Concat(Enumerable.Range(90, 10)).Select(Key16.Of)]));
        Assert.Equal(50, table.Count);
        int[] indexes = [.. Enumerable.Range(0, 50).Select(i => table.Find(Key16.Of(i)))];
        Assert.DoesNotContain(-1, indexes);
        table.RemoveAt(indexes.AsSpan(10));
        Assert.Equal(10, table.Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => table.RemoveAt([indexes[0], indexes[11], indexes[1]]));
        Assert.Equal(9, table.Count);
    }

    [Fact]
    public void Another_thread_brings_memory_ahead_while_the_owner_adds()
    {
        const int flows = 200_000;
        using var table = new FlowTable<Key40, long>(new FlowTableOptions { InitialCapacity = 1, MaximumFlows = flows });
        table.Attach<long>();
        int slabs = 0;
        bool isDone = false;
        var provider = new Thread(() =>
        {
            while (!Volatile.Read(ref isDone))
                slabs += table.Provision() ? 1 : 0;
        });
        provider.Start();
        for (int i = 0; i < flows; i++)
        {
            // Memory from there is as empty as any.
            int index = table.FindOrAdd(Key40.Of(i), out bool added);
            if (!added || *table.State(index) != 0)
                Assert.Fail($"{i}");
            *table.State(index) = ~i;
        }
        Volatile.Write(ref isDone, true);
        provider.Join();
        Assert.True(slabs > 0);
        for (int i = 0; i < flows; i++)
        {
            if (*table.State(table.Find(Key40.Of(i))) != ~i)
                Assert.Fail($"{i}");
        }
    }

    [Fact]
    public void Room_for_too_few_results_is_refused()
    {
        using FlowTable<Key16, long> table = Table(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => table.Find(new Key16[2], new int[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => table.FindOrAdd(new Key16[2], new int[1], new bool[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => table.FindOrAdd(new Key16[2], new int[2], new bool[1]));
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void Indexes_that_no_flow_has_are_refused()
    {
        using FlowTable<Key16, long> table = Table(10);
        int index = table.FindOrAdd(Key16.Of(1), out _);
        table.RemoveAt(index);
        foreach (int wrong in (int[])[index, -1, 9, int.MaxValue, int.MinValue])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => table.RemoveAt(wrong));
            Assert.False(table.IsUsed(wrong));
        }
    }

    [Fact]
    public void A_full_table_refuses_and_counts_and_takes_again_what_there_is_room_for()
    {
        using FlowTable<Key16, long> table = Table(3);
        for (int i = 0; i < 3; i++)
            Assert.True(table.FindOrAdd(Key16.Of(i), out _) >= 0);
        Assert.Equal(-1, table.FindOrAdd(Key16.Of(3), out bool added));
        Assert.False(added);
        Assert.Equal(1, table.Refused);
        Assert.True(table.FindOrAdd(Key16.Of(2), out _) >= 0);
        table.Remove(Key16.Of(0));
        Assert.True(table.FindOrAdd(Key16.Of(3), out added) >= 0);
        Assert.True(added);
    }

    [Fact]
    public void An_index_is_used_again_and_nothing_of_the_flow_before_is_left()
    {
        using FlowTable<Key16, long> table = Table(10);
        FlowExtension<Key40> extension = table.Attach<Key40>();
        int index = table.FindOrAdd(Key16.Of(1), out _);
        *table.State(index) = -1;
        *extension[index] = Key40.Of(5);
        table.RemoveAt(index);
        Assert.Equal(index, table.FindOrAdd(Key16.Of(2), out _));
        Assert.Equal(0, *table.State(index));
        Assert.Equal(default, *extension[index]);
    }

    [Fact]
    public void Growth_moves_neither_entries_nor_extensions()
    {
        const int flows = 150_000;
        using var table = new FlowTable<Key16, long>(new FlowTableOptions { InitialCapacity = 1, MaximumFlows = flows });
        FlowExtension<long> extension = table.Attach<long>();
        int first = table.FindOrAdd(Key16.Of(0), out _);
        long* state = table.State(first), extra = extension[first];
        (*state, *extra) = (1, 2);
        for (int i = 1; i < flows; i++)
            Assert.True(table.FindOrAdd(Key16.Of(i), out _) > 0);
        Assert.Equal(first, table.Find(Key16.Of(0)));
        Assert.True(state == table.State(first) && extra == extension[first]);
        Assert.Equal((1, 2), (*state, *extra));
        for (int i = 0; i < flows; i++)
            Assert.True(table.Find(Key16.Of(i)) >= 0);
    }

    /// <summary>The bound of an insertion, in buckets: two are split, and so the number of buckets grows by two at most.</summary>
    [Fact]
    public void No_insertion_splits_more_than_two_buckets()
    {
        const int flows = 200_000;
        using var table = new FlowTable<Key16, long>(new FlowTableOptions { InitialCapacity = 1, MaximumFlows = flows });
        int before = table.IndexSize.Buckets, most = 0;
        double longest = 0;
        for (int i = 0; i < flows; i++)
        {
            table.FindOrAdd(Key16.Of(i), out _);
            int now = table.IndexSize.Buckets;
            most = Math.Max(most, now - before);
            before = now;
            longest = Math.Max(longest, table.Count / (double)now);
        }
        Assert.Equal(2, most);
        Assert.True(longest <= FlowIndex.Dense, $"{longest} entries per bucket");
        // Ten places per bucket, six entries on average when growth begins: few need an overflow bucket.
        Assert.True(table.IndexSize.Overflow < flows / 40, $"{table.IndexSize.Overflow} overflow buckets");
    }

    [Fact]
    public void Idle_turns_may_do_the_growth_that_insertions_would_have_to()
    {
        const int flows = 1024 * FlowIndex.Dense;
        using var table = new FlowTable<Key16, long>(new FlowTableOptions { InitialCapacity = flows, MaximumFlows = 100_000 });
        Assert.Equal(0, table.Maintain(100));
        for (int i = 0; i <= flows; i++)
            table.FindOrAdd(Key16.Of(i), out _);
        Assert.True(table.IsGrowing);
        int split = 0, step;
        while ((step = table.Maintain(64)) > 0)
        {
            Assert.InRange(step, 1, 64);
            split += step;
        }
        Assert.False(table.IsGrowing);
        Assert.Equal((flows / FlowIndex.Dense) - 2, split);
        for (int i = 0; i <= flows; i++)
            Assert.True(table.Find(Key16.Of(i)) >= 0);
    }

    [Fact]
    public void A_second_table_is_keyed_by_something_else_and_refers_by_index()
    {
        using FlowTable<Key40, long> flows = Table<Key40>(1000);
        using FlowTable<SameTagKey, long> users = Table<SameTagKey>(10);
        FlowExtension<int> owner = flows.Attach<int>();
        for (int i = 0; i < 100; i++)
        {
            int user = users.FindOrAdd(SameTagKey.Of(i % 7), out _);
            int flow = flows.FindOrAdd(Key40.Of(i), out _);
            *owner[flow] = user;
            ++*users.State(user);
        }
        Assert.Equal(7, users.Count);
        Assert.Equal(15, *users.State(*owner[flows.Find(Key40.Of(1))]));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-1, 1)]
    [InlineData(FlowTableOptions.Limit + 1, 1)]
    [InlineData(1, -1)]
    public void Sizes_that_make_no_sense_are_refused(int maximum, int initial) => Assert.Throws<ArgumentOutOfRangeException>(
        () => new FlowTable<Key16, long>(new FlowTableOptions { MaximumFlows = maximum, InitialCapacity = initial }));

    private static FlowTable<Key16, long> Table(int maximum) => Table<Key16>(maximum);

    private static FlowTable<TKey, long> Table<TKey>(int maximum)
        where TKey : unmanaged, IFlowKey<TKey> => new(new FlowTableOptions { MaximumFlows = maximum });
}
