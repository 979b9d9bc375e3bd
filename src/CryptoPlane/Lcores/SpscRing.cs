using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Lcores;

/// <summary>
/// A bounded queue between exactly one producer thread and one consumer thread, in native memory: the only way that anything crosses
/// from one lcore to another, or from the supervisor to an lcore.
/// </summary>
/// <typeparam name="T">A blittable message; it is copied in and out.</typeparam>
/// <remarks>
/// <para>Each side writes its own index, on a cache-line pair of its own, and remembers what it last saw of the other's: while the
/// ring is neither full nor empty the two sides do not touch each other's lines. Ordering is by volatile (acquire, release) reads
/// and writes alone.</para>
/// <para>Enqueue methods are called by the producer thread only, dequeue methods by the consumer thread only. Dispose of the ring
/// when both have stopped.</para>
/// </remarks>
public sealed unsafe class SpscRing<T> : IDisposable
    where T : unmanaged
{
    private readonly long _mask;
    private RingIndexes* _indexes;
    private T* _slots;

    /// <summary>Takes the ring's memory.</summary>
    /// <param name="capacity">Messages it holds: a power of two, 2 to 2^24.</param>
    public SpscRing(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1 << 24);
        if ((capacity & (capacity - 1)) != 0)
            throw new ArgumentException($"The capacity {capacity} is not a power of two.", nameof(capacity));

        Capacity = capacity;
        _mask = capacity - 1;
        nuint slotBytes = (nuint)capacity * (nuint)sizeof(T);
        _indexes = (RingIndexes*)NativeMemory.AlignedAlloc((nuint)sizeof(RingIndexes) + slotBytes, 128);
        NativeMemory.Clear(_indexes, (nuint)sizeof(RingIndexes) + slotBytes);
        _slots = (T*)(_indexes + 1);
    }

    /// <summary>Messages that fit.</summary>
    public int Capacity { get; }

    /// <summary>Messages in the ring; exact for neither side while the other one works.</summary>
    public int Count
    {
        get
        {
            long head = Volatile.Read(ref _indexes->Head);
            return (int)Math.Clamp(Volatile.Read(ref _indexes->Tail) - head, 0, Capacity);
        }
    }

    /// <summary>True when the consumer would find nothing. Reads the producer's index afresh.</summary>
    public bool IsEmpty => Volatile.Read(ref _indexes->Tail) == Volatile.Read(ref _indexes->Head);

    /// <summary>Appends a message. Producer only.</summary>
    /// <returns>False, with nothing changed, when the ring is full.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryEnqueue(in T item)
    {
        RingIndexes* indexes = _indexes;
        long tail = indexes->Tail;
        if (tail - indexes->SeenHead > _mask)
        {
            indexes->SeenHead = Volatile.Read(ref indexes->Head);
            if (tail - indexes->SeenHead > _mask)
                return false;
        }
        // Sound: the masked index is below the capacity, and the consumer has released this slot (tail - head <= mask).
        _slots[tail & _mask] = item;
        Volatile.Write(ref indexes->Tail, tail + 1);
        return true;
    }

    /// <summary>Appends as many messages as fit, from the front. Producer only.</summary>
    /// <returns>How many were taken.</returns>
    public int Enqueue(ReadOnlySpan<T> items)
    {
        RingIndexes* indexes = _indexes;
        long tail = indexes->Tail;
        if (Capacity - (tail - indexes->SeenHead) < items.Length)
            indexes->SeenHead = Volatile.Read(ref indexes->Head);
        int count = (int)Math.Min(items.Length, Capacity - (tail - indexes->SeenHead));
        for (int i = 0; i < count; i++)
            _slots[(tail + i) & _mask] = items[i];
        if (count > 0)
            Volatile.Write(ref indexes->Tail, tail + count);
        return count;
    }

    /// <summary>Takes the oldest message. Consumer only.</summary>
    /// <returns>False when the ring is empty.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryDequeue(out T item)
    {
        RingIndexes* indexes = _indexes;
        long head = indexes->Head;
        if (head == indexes->SeenTail)
        {
            indexes->SeenTail = Volatile.Read(ref indexes->Tail);
            if (head == indexes->SeenTail)
            {
                item = default;
                return false;
            }
        }
        // Sound: the producer has published this slot (head < tail) and does not write it again until the head has passed it.
        item = _slots[head & _mask];
        Volatile.Write(ref indexes->Head, head + 1);
        return true;
    }

    /// <summary>Takes the oldest messages, in order. Consumer only.</summary>
    /// <returns>How many were written to <paramref name="items"/>.</returns>
    public int Dequeue(Span<T> items)
    {
        RingIndexes* indexes = _indexes;
        long head = indexes->Head;
        if (indexes->SeenTail - head < items.Length)
            indexes->SeenTail = Volatile.Read(ref indexes->Tail);
        int count = (int)Math.Min(items.Length, indexes->SeenTail - head);
        for (int i = 0; i < count; i++)
            items[i] = _slots[(head + i) & _mask];
        if (count > 0)
            Volatile.Write(ref indexes->Head, head + count);
        return count;
    }

    /// <summary>The slot that the next <see cref="PublishSlot"/> makes visible, to be filled in place. Producer only.</summary>
    /// <returns>Null when the ring is full.</returns>
    internal T* ReserveSlot()
    {
        RingIndexes* indexes = _indexes;
        long tail = indexes->Tail;
        if (tail - indexes->SeenHead > _mask)
        {
            indexes->SeenHead = Volatile.Read(ref indexes->Head);
            if (tail - indexes->SeenHead > _mask)
                return null;
        }
        return _slots + (tail & _mask);
    }

    /// <summary>Makes the reserved slot visible to the consumer. Producer only.</summary>
    internal void PublishSlot() => Volatile.Write(ref _indexes->Tail, _indexes->Tail + 1);

    /// <summary>The oldest slot, to be read in place until <see cref="ReleaseSlot"/>. Consumer only.</summary>
    /// <returns>Null when the ring is empty.</returns>
    internal T* PeekSlot()
    {
        RingIndexes* indexes = _indexes;
        long head = indexes->Head;
        if (head == indexes->SeenTail)
        {
            indexes->SeenTail = Volatile.Read(ref indexes->Tail);
            if (head == indexes->SeenTail)
                return null;
        }
        return _slots + (head & _mask);
    }

    /// <summary>Gives the oldest slot back to the producer. Consumer only.</summary>
    internal void ReleaseSlot() => Volatile.Write(ref _indexes->Head, _indexes->Head + 1);

    /// <summary>Frees the memory, cleared (messages may carry secrets), whatever is still in the ring.</summary>
    public void Dispose()
    {
        if (_indexes == null)
            return;
        NativeMemory.Clear(_indexes, (nuint)sizeof(RingIndexes) + ((nuint)Capacity * (nuint)sizeof(T)));
        NativeMemory.AlignedFree(_indexes);
        _indexes = null;
        _slots = null;
    }
}
