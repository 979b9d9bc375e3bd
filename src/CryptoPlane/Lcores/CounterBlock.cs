using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Lcores;

/// <summary>
/// Named 64-bit counters of one lcore, in native memory on cache lines of their own: one thread writes, any thread reads.
/// </summary>
/// <remarks>
/// A counter is an aligned 64-bit word, so a reader sees a value that was there, if not the same instant's of every counter. Read
/// before the block is disposed of.
/// </remarks>
public sealed unsafe class CounterBlock : IDisposable
{
    private readonly string[] _names;
    private long* _values;

    /// <summary>Makes counters that stand at 0.</summary>
    /// <param name="names">Their names, in the order of their indexes: words in lower case, joined by hyphens.</param>
    public CounterBlock(params ReadOnlySpan<string> names)
    {
        ArgumentOutOfRangeException.ThrowIfZero(names.Length, nameof(names));
        _names = names.ToArray();
        nuint bytes = ((nuint)names.Length * sizeof(long) + 127) & ~(nuint)127;
        _values = (long*)NativeMemory.AlignedAlloc(bytes, 128);
        NativeMemory.Clear(_values, bytes);
    }

    /// <summary>How many counters there are.</summary>
    public int Count => _names.Length;

    /// <summary>The counters' names, by index.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>A counter's value. Any thread.</summary>
    public long this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_names.Length, nameof(index));
            return Volatile.Read(ref _values[index]);
        }
    }

    /// <summary>Adds 1. The owning thread only; <paramref name="index"/> must be below <see cref="Count"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Increment(int index) => Add(index, 1);

    /// <summary>Adds a number. The owning thread only; <paramref name="index"/> must be below <see cref="Count"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int index, long amount)
    {
        System.Diagnostics.Debug.Assert((uint)index < (uint)_names.Length, "no such counter");
        // Sound: indexes are compile-time constants of the owner's, checked by the assertion in debug builds.
        Volatile.Write(ref _values[index], _values[index] + amount);
    }

    /// <summary>Sets a value (a gauge). The owning thread only.</summary>
    public void Set(int index, long value)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_names.Length, nameof(index));
        Volatile.Write(ref _values[index], value);
    }

    /// <summary>Frees the counters.</summary>
    public void Dispose()
    {
        if (_values == null)
            return;
        NativeMemory.AlignedFree(_values);
        _values = null;
    }
}
