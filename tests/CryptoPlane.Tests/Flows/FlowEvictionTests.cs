using CryptoPlane.Flows;

namespace CryptoPlane.Tests.Flows;

public sealed unsafe class FlowEvictionTests
{
    [Fact]
    public void The_new_flow_comes_in_and_the_application_sees_the_old_one_first()
    {
        using FlowTable<Key16, long> table = Table(100);
        var log = new Log(table);
        table.Evictions = log;
        for (int i = 0; i < 100; i++)
            *table.State(table.FindOrAdd(Key16.Of(i), out _)) = 1000 + i;
        int index = table.FindOrAdd(Key16.Of(100), out bool added);
        Assert.True(added);
        Assert.Equal((100, 1L, 0L), (table.Count, table.Evicted, table.Refused));
        (int number, long state) = Assert.Single(log.Flows);
        Assert.Equal(1000 + number, state);
        Assert.Equal(-1, table.Find(Key16.Of(number)));
        Assert.Equal(index, table.Find(Key16.Of(100)));
        Assert.Equal(0, *table.State(index));
    }

    [Fact]
    public void Of_eight_in_turn_the_one_that_was_not_found_for_longest_goes()
    {
        const int flows = 1024, choice = 8;
        using FlowTable<Key16, long> table = Table(flows);
        var log = new Log(table);
        table.Evictions = log;
        var random = new Random(1);
        // When each index was last found, on a clock of the model's own: every look-up is followed by an addition that makes time pass.
        long[] found = new long[flows];
        long clock = 0;
        for (int i = 0; i < flows; i++)
            found[table.FindOrAdd(Key16.Of(i), out _)] = clock++;
        int hand = 0, next = flows;
        for (int step = 0; step < 5_000; step++)
        {
            // Nobody finds the evens but seldom.
            for (int i = 0; i < 4; i++)
            {
                int index = random.Next(flows);
                if (index % 2 == 0 && random.Next(10) != 0)
                    continue;
                Assert.Equal(index, table.Find(table.Key(index)));
                found[index] = clock;
            }
            int[] candidates = [.. Enumerable.Range(1, choice).Select(i => (hand + i) % flows)];
            hand = candidates[^1];
            clock++;
            log.Indexes.Clear();
            int added = table.FindOrAdd(Key16.Of(next++), out _);
            Assert.Equal([added], log.Indexes);
            Assert.Equal(candidates.Min(i => found[i]), found[added]);
            Assert.Contains(added, candidates);
            found[added] = clock;
        }
    }

    [Fact]
    public void What_a_call_has_found_or_added_stays_until_its_end()
    {
        const int flows = 64;
        using FlowTable<Key16, long> table = Table(flows);
        var random = new Random(2);
        Key16[] keys = new Key16[flows];
        int[] indexes = new int[flows];
        bool[] added = new bool[flows];
        for (int round = 0; round < 500; round++)
        {
            for (int i = 0; i < flows; i++)
                keys[i] = Key16.Of(random.Next(4 * flows));
            table.FindOrAdd(keys, indexes, added);
            for (int i = 0; i < flows; i++)
            {
                Assert.True(indexes[i] >= 0);
                Assert.Equal(keys[i], table.Key(indexes[i]));
            }
        }
        Assert.True(table.Evicted > 1000);
        Assert.Equal(0, table.Refused);
    }

    [Fact]
    public void A_call_with_more_new_flows_than_the_table_holds_refuses_the_rest()
    {
        using FlowTable<Key16, long> table = Table(10);
        Key16[] keys = [.. Enumerable.Range(0, 40).Select(Key16.Of)];
        int[] indexes = new int[40];
        bool[] added = new bool[40];
        for (int round = 1; round <= 3; round++)
        {
            table.FindOrAdd(keys, indexes, added);
            Assert.Equal(10, table.Count);
            for (int i = 0; i < 40; i++)
                Assert.True(indexes[i] < 0 || table.Key(indexes[i]) == keys[i]);
        }
        Assert.True(table.Refused >= 30);
    }

    [Fact]
    public void Many_additions_leave_a_table_that_holds_what_it_says()
    {
        const int flows = 5000;
        using FlowTable<Key16, long> table = Table(flows);
        var present = new Dictionary<int, int>();
        var log = new Log(table);
        table.Evictions = log;
        var random = new Random(3);
        for (int i = 0; i < 200_000; i++)
        {
            int number = random.Next(4 * flows);
            log.Flows.Clear();
            int index = table.FindOrAdd(Key16.Of(number), out bool added);
            foreach ((int gone, _) in log.Flows)
                present.Remove(gone);
            if (added == present.ContainsKey(number) || index < 0)
                Assert.Fail($"{number}: {added}");
            if (added)
                *table.State(index) = number;
            present[number] = index;
        }
        Assert.Equal(flows, present.Count);
        foreach ((int number, int index) in present)
        {
            Assert.Equal(index, table.Find(Key16.Of(number)));
            Assert.Equal(number, *table.State(index));
        }
    }

    private static FlowTable<Key16, long> Table(int maximum) =>
        new(new FlowTableOptions { MaximumFlows = maximum, WhenFull = WhenFull.EvictOldestIdle });

    /// <summary>What was evicted.</summary>
    private sealed class Log(FlowTable<Key16, long> table) : IFlowEvictions
    {
        public List<(int Number, long State)> Flows { get; } = [];

        public List<int> Indexes { get; } = [];

        public void Evicting(int index)
        {
            Indexes.Add(index);
            Flows.Add((table.Key(index).Number, *table.State(index)));
        }
    }
}
