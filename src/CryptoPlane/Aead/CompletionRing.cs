using System.Runtime.InteropServices;

namespace CryptoPlane.Aead;

/// <summary>A first-in first-out ring of operation pointers in native memory, of one lcore.</summary>
internal sealed unsafe class CompletionRing : IDisposable
{
    private readonly uint _mask;
    private AeadOperation** _slots;
    private uint _head, _tail;

    /// <param name="capacity">A power of two.</param>
    public CompletionRing(int capacity)
    {
        if (!System.Numerics.BitOperations.IsPow2(capacity))
            throw new ArgumentException("The capacity must be a power of two.", nameof(capacity));
        _mask = (uint)capacity - 1;
        _slots = (AeadOperation**)NativeMemory.Alloc((nuint)capacity, (nuint)sizeof(AeadOperation*));
    }

    public int Count => (int)(_tail - _head);

    public int Free => (int)(_mask + 1 - (_tail - _head));

    /// <summary>The oldest operation; the ring must not be empty.</summary>
    public AeadOperation* Peek() => _slots[_head & _mask];

    /// <summary>Appends one; the caller has checked <see cref="Free"/>.</summary>
    public void Push(AeadOperation* operation) => _slots[_tail++ & _mask] = operation;

    /// <summary>Drops the oldest; the ring must not be empty.</summary>
    public void Drop() => _head++;

    /// <summary>Takes up to <paramref name="capacity"/> of the oldest.</summary>
    public int Pop(AeadOperation** destination, int capacity)
    {
        int count = Math.Min(capacity, Count);
        for (int i = 0; i < count; i++)
            destination[i] = _slots[_head++ & _mask];
        return count;
    }

    public void Dispose()
    {
        NativeMemory.Free(_slots);
        _slots = null;
    }
}
