using System.Runtime.InteropServices;

namespace CryptoPlane.Aead;

/// <summary>
/// Room for a burst of operations, side by side in native memory, that several protocols fill together: the records of many
/// connections and the packets of many SAs become one AEAD burst.
/// </summary>
/// <remarks>
/// Owned by one lcore. Call order: <see cref="TryAdd"/> for every packet · <see cref="Run"/> · each protocol's completion, which reads
/// the statuses · <see cref="Clear"/>. An lcore that works with a device keeps several bursts, one filling while others are in flight.
/// </remarks>
public sealed unsafe class AeadBurst : IDisposable
{
    private AeadOperation* _operations;

    /// <summary>Makes an empty burst.</summary>
    /// <param name="capacity">Most operations in the burst; at most <see cref="AeadEngine.MaxInFlight"/>.</param>
    public AeadBurst(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, AeadEngine.MaxInFlight);
        Capacity = capacity;
        _operations = (AeadOperation*)NativeMemory.AlignedAlloc((nuint)capacity * AeadOperation.SizeInBytes, AeadOperation.SizeInBytes);
        NativeMemory.Clear(_operations, (nuint)capacity * AeadOperation.SizeInBytes);
    }

    /// <summary>Most operations in the burst.</summary>
    public int Capacity { get; }

    /// <summary>Operations added since <see cref="Clear"/>.</summary>
    public int Count { get; private set; }

    /// <summary>The operation added as number <paramref name="index"/>, from 0.</summary>
    public AeadOperation* this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
            return _operations + index;
        }
    }

    /// <summary>Appends an operation, which the caller fills: every field, since it holds what an earlier burst left there.</summary>
    /// <returns>False when the burst is full.</returns>
    public bool TryAdd(out AeadOperation* operation)
    {
        if (Count == Capacity)
        {
            operation = null;
            return false;
        }
        operation = _operations + Count++;
        return true;
    }

    /// <summary>
    /// The operations behind the last one that was added, for a protocol that fills several in one go and then says
    /// <see cref="Advance"/>: there are <see cref="Capacity"/> less <see cref="Count"/> of them.
    /// </summary>
    public AeadOperation* Next => _operations + Count;

    /// <summary>Adds the operations that were filled at <see cref="Next"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is not so much room.</exception>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(Capacity - Count));
        Count += count;
    }

    /// <summary>Carries out the operations from number <paramref name="first"/> on, all of them before it returns.</summary>
    public void Run(AeadEngine engine, int first = 0)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)first, (uint)Count);
        engine.Run(_operations + first, Count - first);
    }

    /// <summary>Empties the burst.</summary>
    public void Clear() => Count = 0;

    /// <summary>Frees the memory; nothing of it may be in flight.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_operations);
        _operations = null;
        Count = 0;
    }
}
