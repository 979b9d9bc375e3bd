using CryptoPlane.Buffers;
using CryptoPlane.Flows;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>Our table, in bursts.</summary>
/// <param name="order">The order of the flows.</param>
/// <param name="memory">Where memory comes from.</param>
/// <param name="grows">Begins with memory for 1,024 flows alone, again for each filling.</param>
internal sealed unsafe class TableSubject<TKey>(FlowOrder order, IPacketMemory memory, bool grows = false) : FlowSubject<TKey>(order)
    where TKey : unmanaged, IBenchmarkKey<TKey>
{
    private readonly FlowOrder _order = order;
    private readonly int[] _indexes = new int[Burst];
    private readonly bool[] _added = new bool[Burst];
    private FlowTable<TKey, long> _table = Create(order, memory, grows);

    /// <summary>Bytes that the table has taken.</summary>
    public long MemoryBytes => _table.MemoryBytes;

    protected override void LookUp()
    {
        for (int first = 0; first < RunLength; first += Burst)
        {
            _table.Find(Keys.AsSpan(first, Burst), _indexes);
            for (int i = 0; i < Burst; i++)
                Values[first + i] = *_table.State(_indexes[i]);
        }
    }

    protected override void Add(int count)
    {
        for (int first = 0; first < count; first += Burst)
        {
            int burst = Math.Min(Burst, count - first);
            _table.FindOrAdd(Keys.AsSpan(first, burst), _indexes, _added);
            for (int i = 0; i < burst; i++)
                *_table.State(_indexes[i]) = Flow(first + i) + 1L;
        }
    }

    protected override void Remove(int count)
    {
        int removed = 0;
        for (int first = 0; first < count; first += Burst)
            removed += _table.Remove(Keys.AsSpan(first, Math.Min(Burst, count - first)));
        if (removed != count)
            throw new InvalidOperationException("a flow is not there");
    }

    protected override void Renew()
    {
        if (!grows)
            return;
        _table.Dispose();
        _table = Create(_order, memory, grows);
    }

    public override void Dispose() => _table.Dispose();

    private static FlowTable<TKey, long> Create(FlowOrder order, IPacketMemory memory, bool grows) =>
        new(new FlowTableOptions { InitialCapacity = grows ? 1024 : order.Count, MaximumFlows = order.Count, Memory = memory });
}
