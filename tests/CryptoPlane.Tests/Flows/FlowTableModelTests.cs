using CryptoPlane.Flows;

namespace CryptoPlane.Tests.Flows;

/// <summary>Random operations on a table and on a Dictionary, side by side.</summary>
public sealed unsafe class FlowTableModelTests
{
    [Theory]
    [InlineData(1, 1, 700)]
    [InlineData(2, 1, 20_000)]
    [InlineData(3, 20_000, 20_000)]
    public void A_million_operations_do_what_a_dictionary_does(int seed, int initial, int maximum) =>
        Run<Key16>(seed, 1_000_000, initial, maximum, maximum * 3 / 2);

    [Fact]
    public void Keys_of_40_bytes_do_the_same() => Run<Key40>(4, 200_000, 1, 10_000, 15_000);

    [Fact]
    public void Keys_with_equal_tags_do_the_same() => Run<SameTagKey>(5, 200_000, 1, 5_000, 7_500);

    [Fact]
    public void Keys_of_few_buckets_do_the_same() => Run<SameBucketKey>(6, 60_000, 1, 2_000, 3_000);

    [Fact]
    public void Keys_with_equal_hashes_do_the_same() => Run<SameHashKey>(7, 20_000, 1, 200, 300);

    private static void Run<TKey>(int seed, int operations, int initial, int maximum, int keys)
        where TKey : unmanaged, ITestKey<TKey>
    {
        using var table = new FlowTable<TKey, long>(new FlowTableOptions { InitialCapacity = initial, MaximumFlows = maximum });
        FlowExtension<int> extension = table.Attach<int>();
        var model = new Model<TKey>(table, extension, maximum);
        var random = new Random(seed);
        int[] numbers = new int[300];
        for (int done = 0; done < operations;)
        {
            // The table fills up, runs over, and is emptied, again and again.
            bool isFilling = done / (operations / 4) % 2 == 0;
            int number = random.Next(keys);
            switch (random.Next(10))
            {
                case 0:
                    model.Find(number);
                    done++;
                    break;
                case 1 or 2:
                    Span<int> looked = numbers.AsSpan(0, random.Next(numbers.Length + 1));
                    Fill(looked, random, keys);
                    model.Find(looked);
                    done += looked.Length;
                    break;
                case 3:
                    model.FindOrAdd(number);
                    done++;
                    break;
                case 4 when isFilling:
                    Span<int> added = numbers.AsSpan(0, random.Next(numbers.Length + 1));
                    // Few different ones, so that the same key is in a burst again.
                    Fill(added, random, random.Next(4) == 0 ? 20 : keys);
                    model.FindOrAdd(added);
                    done += added.Length;
                    break;
                case 5 when isFilling:
                    table.Maintain(random.Next(3));
                    done++;
                    break;
                case 6 when !isFilling || random.Next(8) == 0:
                    model.RemoveAt(random);
                    done++;
                    break;
                default:
                    if (isFilling)
                        model.FindOrAdd(number);
                    else
                        model.Remove(number);
                    done++;
                    break;
            }
        }
        model.Check();
        Assert.True(model.Refusals > 0, "the table was never full");
        Assert.Equal(model.Refusals, table.Refused);
    }

    private static void Fill(Span<int> numbers, Random random, int keys)
    {
        foreach (ref int number in numbers)
            number = random.Next(keys);
    }

    /// <summary>What a table should hold, and the operations with their checks.</summary>
    private sealed class Model<TKey>(FlowTable<TKey, long> table, FlowExtension<int> extension, int maximum)
        where TKey : unmanaged, ITestKey<TKey>
    {
        private readonly Dictionary<int, int> _indexes = [];

        /// <summary>Numbers that were added; some have gone since.</summary>
        private readonly List<int> _numbers = [];

        public long Refusals { get; private set; }

        public void Find(int number) => Assert.Equal(Expected(number), table.Find(TKey.Of(number)));

        public void Find(ReadOnlySpan<int> numbers)
        {
            Span<TKey> keys = Keys(numbers);
            Span<int> indexes = new int[keys.Length];
            table.Find(keys, indexes);
            for (int i = 0; i < keys.Length; i++)
                Same(Expected(numbers[i]), indexes[i]);
        }

        public void FindOrAdd(int number)
        {
            int index = table.FindOrAdd(TKey.Of(number), out bool added);
            Note(number, index, added);
        }

        public void FindOrAdd(ReadOnlySpan<int> numbers)
        {
            Span<TKey> keys = Keys(numbers);
            Span<int> indexes = new int[keys.Length];
            Span<bool> added = new bool[keys.Length];
            table.FindOrAdd(keys, indexes, added);
            for (int i = 0; i < keys.Length; i++)
                Note(numbers[i], indexes[i], added[i]);
        }

        public void Remove(int number)
        {
            bool wasThere = _indexes.Remove(number);
            if (wasThere != table.Remove(TKey.Of(number)))
                Assert.Fail($"{number} was {(wasThere ? "" : "not ")}there");
            Same(_indexes.Count, table.Count);
        }

        public void RemoveAt(Random random)
        {
            while (_numbers.Count > 0)
            {
                int which = random.Next(_numbers.Count);
                int number = _numbers[which];
                _numbers[which] = _numbers[^1];
                _numbers.RemoveAt(_numbers.Count - 1);
                if (!_indexes.Remove(number, out int index))
                    continue;
                table.RemoveAt(index);
                Same(-1, table.Find(TKey.Of(number)));
                return;
            }
        }

        /// <summary>Every entry, and nothing else, is there and has its state.</summary>
        public void Check()
        {
            Assert.Equal(_indexes.Count, table.Count);
            foreach ((int number, int index) in _indexes)
            {
                Same(index, table.Find(TKey.Of(number)));
                Same(number, (int)*table.State(index));
                Same(~number, *extension[index]);
                Assert.Equal(TKey.Of(number), table.Key(index));
            }
            Assert.Equal(_indexes.Count, Enumerable.Range(0, table.EndIndex).Count(table.IsUsed));
        }

        private static Span<TKey> Keys(ReadOnlySpan<int> numbers)
        {
            var keys = new TKey[numbers.Length];
            for (int i = 0; i < keys.Length; i++)
                keys[i] = TKey.Of(numbers[i]);
            return keys;
        }

        private int Expected(int number) => _indexes.GetValueOrDefault(number, -1);

        private void Note(int number, int index, bool added)
        {
            int expected = Expected(number);
            if (expected >= 0)
            {
                Same(expected, index);
                Assert.False(added);
                Same(number, (int)*table.State(index));
                Same(~number, *extension[index]);
                return;
            }
            if (_indexes.Count == maximum)
            {
                Same(-1, index);
                Assert.False(added);
                Refusals++;
                return;
            }
            Assert.True(added && index >= 0 && index < maximum);
            // What the last flow with this index left is gone.
            Assert.Equal(0, *table.State(index));
            Same(0, *extension[index]);
            *table.State(index) = number;
            *extension[index] = ~number;
            _indexes.Add(number, index);
            _numbers.Add(number);
        }

        private static void Same(int expected, int actual)
        {
            // Assert.Equal takes too long for what is compared millions of times.
            if (expected != actual)
                Assert.Fail($"{actual} instead of {expected}");
        }
    }
}
