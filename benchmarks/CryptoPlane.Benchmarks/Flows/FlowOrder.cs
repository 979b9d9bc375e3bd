namespace CryptoPlane.Benchmarks.Flows;

/// <summary>All flows in a random order, which comes again from the beginning.</summary>
internal sealed class FlowOrder
{
    public const ulong Step = 0x9E3779B97F4A7C15;

    private readonly uint[] _flows;
    private ulong _random;
    private long _position;

    public FlowOrder(int flows)
    {
        _flows = new uint[flows];
        for (int i = 0; i < flows; i++)
            _flows[i] = (uint)i;
        Shuffle();
    }

    public int Count => _flows.Length;

    public static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    /// <summary>Another order, from its beginning.</summary>
    public void Shuffle()
    {
        for (int i = _flows.Length - 1; i > 0; i--)
        {
            int other = (int)(Mix(_random += Step) % (ulong)(i + 1));
            (_flows[i], _flows[other]) = (_flows[other], _flows[i]);
        }
        _position = 0;
    }

    public uint Next() => _flows[_position++ % _flows.Length];
}
