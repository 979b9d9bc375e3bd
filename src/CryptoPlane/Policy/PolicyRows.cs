using System.Runtime.InteropServices;

namespace CryptoPlane.Policy;

/// <summary>
/// Sets of rules, a bit for each, in native memory: equal ones are kept once, and none moves. Control threads make them, lcores read them.
/// </summary>
internal sealed unsafe class PolicyRows : IDisposable
{
    private const int RowsPerBlock = 64;

    private readonly List<nint> _blocks = [];
    private readonly Dictionary<RowKey, nint> _rows = [];
    private int _used = RowsPerBlock;

    /// <summary>Makes an empty store for sets over so many rules.</summary>
    public PolicyRows(int rules)
    {
        Rules = rules;
        Words = Math.Max(1, (rules + 63) / 64);
    }

    /// <summary>How many rules there are.</summary>
    public int Rules { get; }

    /// <summary>Words of a set.</summary>
    public int Words { get; }

    /// <summary>Different sets.</summary>
    public int Count => _rows.Count;

    /// <summary>The set of the rules, by their place, for which something holds.</summary>
    public ulong* Of(Func<int, bool> holds)
    {
        var bits = new ulong[Words];
        for (int rule = 0; rule < Rules; rule++)
        {
            if (holds(rule))
                bits[rule >> 6] |= 1UL << rule;
        }
        return Keep(bits);
    }

    /// <summary>The native copy of a set.</summary>
    public ulong* Keep(ulong[] bits)
    {
        var key = new RowKey(bits);
        if (_rows.TryGetValue(key, out nint known))
            return (ulong*)known;
        if (_used == RowsPerBlock)
        {
            _blocks.Add((nint)NativeMemory.AlignedAlloc((nuint)(RowsPerBlock * Words * sizeof(ulong)), 64));
            _used = 0;
        }
        // Sound: a block has room for RowsPerBlock sets of Words words each, and _used is below that.
        ulong* row = (ulong*)_blocks[^1] + ((nint)_used++ * Words);
        bits.AsSpan().CopyTo(new Span<ulong>(row, Words));
        _rows.Add(new RowKey([.. bits]), (nint)row);
        return row;
    }

    /// <summary>Frees the sets.</summary>
    public void Dispose()
    {
        foreach (nint block in _blocks)
            NativeMemory.AlignedFree((void*)block);
        _blocks.Clear();
        _rows.Clear();
        _used = RowsPerBlock;
    }

    private readonly struct RowKey(ulong[] bits) : IEquatable<RowKey>
    {
        private readonly ulong[] _bits = bits;

        public bool Equals(RowKey other) => _bits.AsSpan().SequenceEqual(other._bits);

        public override bool Equals(object? obj) => obj is RowKey other && Equals(other);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            hash.AddBytes(MemoryMarshal.AsBytes(_bits.AsSpan()));
            return hash.ToHashCode();
        }
    }
}
