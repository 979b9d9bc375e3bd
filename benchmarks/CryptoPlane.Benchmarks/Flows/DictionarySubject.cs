namespace CryptoPlane.Benchmarks.Flows;

/// <summary>.NET's Dictionary, with its capacity from the beginning; equality and hash are what the compiler makes for a record.</summary>
internal sealed class DictionarySubject<TKey>(FlowOrder order) : FlowSubject<TKey>(order)
    where TKey : unmanaged, IBenchmarkKey<TKey>
{
    private readonly Dictionary<TKey, long> _table = new(order.Count);

    protected override void LookUp()
    {
        for (int i = 0; i < RunLength; i++)
            Values[i] = _table.GetValueOrDefault(Keys[i]);
    }

    protected override void Add(int count)
    {
        for (int i = 0; i < count; i++)
            _table.Add(Keys[i], Flow(i) + 1L);
    }

    protected override void Remove(int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (!_table.Remove(Keys[i]))
                throw new InvalidOperationException("a flow is not there");
        }
    }

    public override void Dispose() => _table.Clear();
}
