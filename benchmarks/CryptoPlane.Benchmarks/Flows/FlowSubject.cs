using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>
/// A table of flows, each with its number plus 1 as its value, that is measured run by run: the keys of a run are made before the clock
/// starts, and what was found is looked at after it stopped.
/// </summary>
/// <param name="order">The order of the flows; every subject takes it where the last one left it.</param>
internal abstract class FlowSubject<TKey>(FlowOrder order) : IDisposable
    where TKey : unmanaged, IBenchmarkKey<TKey>
{
    /// <summary>Keys of a run: enough to make the clock's system call cheap.</summary>
    public const int RunLength = 1024;

    /// <summary>Keys of a burst.</summary>
    public const int Burst = 32;

    private readonly uint[] _flows = new uint[RunLength];

    protected TKey[] Keys { get; } = GC.AllocateArray<TKey>(RunLength, pinned: true);

    /// <summary>What was found of each key.</summary>
    protected long[] Values { get; } = new long[RunLength];

    /// <summary>Looks up all keys of a run.</summary>
    protected abstract void LookUp();

    /// <summary>Adds the first keys of the run.</summary>
    protected abstract void Add(int count);

    /// <summary>Removes the first keys of the run.</summary>
    protected abstract void Remove(int count);

    /// <summary>Begins with an empty table, where that can be had anew; it is empty in any case.</summary>
    protected virtual void Renew()
    {
    }

    public abstract void Dispose();

    /// <summary>Nanoseconds of CPU time per look-up, over some runs.</summary>
    public double SampleLookUps(int runs)
    {
        double spent = 0;
        for (int run = 0; run < runs; run++)
        {
            NextKeys(RunLength);
            long start = ThreadClock.Nanoseconds;
            LookUp();
            spent += ThreadClock.Nanoseconds - start;
            for (int i = 0; i < RunLength; i++)
            {
                if (Values[i] != _flows[i] + 1L)
                    throw new InvalidOperationException($"{GetType().Name} finds {Values[i]} for flow {_flows[i]}.");
            }
        }
        return spent / runs / RunLength;
    }

    /// <summary>Adds all flows to the empty table, in an order of its own: nanoseconds of CPU time per flow.</summary>
    public double Fill()
    {
        order.Shuffle();
        Renew();
        return All(Add);
    }

    /// <summary>Removes all flows, in an order of its own: nanoseconds of CPU time per flow.</summary>
    public double Drain()
    {
        order.Shuffle();
        return All(Remove);
    }

    private double All(Action<int> work)
    {
        double spent = 0;
        for (int done = 0; done < order.Count; done += RunLength)
        {
            int count = Math.Min(RunLength, order.Count - done);
            NextKeys(count);
            long start = ThreadClock.Nanoseconds;
            work(count);
            spent += ThreadClock.Nanoseconds - start;
        }
        return spent / order.Count;
    }

    protected uint Flow(int i) => _flows[i];

    private void NextKeys(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _flows[i] = order.Next();
            Keys[i] = TKey.Of(_flows[i]);
        }
    }
}
