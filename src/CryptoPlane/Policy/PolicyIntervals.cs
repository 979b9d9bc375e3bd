using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Policy;

/// <summary>
/// Which rules a value meets in one dimension (an address, a port): the space is cut where any rule's range begins or ends, and each piece knows
/// its set of rules. Looked up by binary search. Native memory.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PolicyIntervals
{
    private UInt128* _starts;
    private ulong** _rows;
    private int _count;

    /// <summary>Cuts the space.</summary>
    /// <param name="rows">Where the sets are kept.</param>
    /// <param name="rangesOf">The sorted, separate ranges of a rule by its place; null where the rule takes every value.</param>
    public static PolicyIntervals Create(PolicyRows rows, Func<int, IReadOnlyList<PolicyRange>?> rangesOf)
    {
        // Where sets change: a rule enters at the first value of a range and leaves behind its last.
        var changes = new SortedDictionary<UInt128, List<int>> { [UInt128.Zero] = [] };
        var bits = new ulong[rows.Words];
        for (int rule = 0; rule < rows.Rules; rule++)
        {
            IReadOnlyList<PolicyRange>? ranges = rangesOf(rule);
            if (ranges == null)
                bits[rule >> 6] |= 1UL << rule;
            foreach (PolicyRange range in ranges ?? [])
            {
                At(range.First).Add(rule);
                if (range.Last != UInt128.MaxValue)
                    At(range.Last + 1).Add(rule);
            }
        }
        var intervals = new PolicyIntervals
        {
            _starts = (UInt128*)NativeMemory.AlignedAlloc((nuint)(changes.Count * sizeof(UInt128)), 64),
            _rows = (ulong**)NativeMemory.AlignedAlloc((nuint)(changes.Count * sizeof(ulong*)), 64),
        };
        foreach ((UInt128 start, List<int> rules) in changes)
        {
            // Ranges of a rule neither overlap nor touch, so that each change is the opposite of the one before.
            foreach (int rule in rules)
                bits[rule >> 6] ^= 1UL << rule;
            intervals._starts[intervals._count] = start;
            intervals._rows[intervals._count++] = rows.Keep(bits);
        }
        return intervals;

        List<int> At(UInt128 value)
        {
            if (!changes.TryGetValue(value, out List<int>? list))
                changes.Add(value, list = []);
            return list;
        }
    }

    /// <summary>The rules that a value meets.</summary>
    // Sound: the first piece begins at 0, so that there is always one that begins at or below the value; low stays below the count.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ulong* Find(ulong high, ulong low)
    {
        var value = new UInt128(high, low);
        int first = 0;
        for (int length = _count; length > 1;)
        {
            int half = length >> 1;
            first = _starts[first + half] <= value ? first + half : first;
            length -= half;
        }
        return _rows[first];
    }

    /// <summary>Frees the memory.</summary>
    public void Free()
    {
        NativeMemory.AlignedFree(_starts);
        NativeMemory.AlignedFree(_rows);
        this = default;
    }
}
