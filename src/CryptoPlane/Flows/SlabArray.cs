using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Flows;

/// <summary>
/// An array in native memory that grows by slabs, so that what lies in it never moves: one slab at a time, of one huge page at most.
/// </summary>
/// <remarks>
/// Filling a huge page with zeros takes the kernel as long as many packets. So another thread may bring the next slab ahead
/// (<see cref="Provision"/>): <see cref="_spare"/> is written by that thread while it is null, and by the owner while it is not.
/// </remarks>
internal sealed unsafe class SlabArray : IDisposable
{
    /// <summary>Bytes of a slab: one huge page, so that filling it stays short and a look at it costs one entry of the TLB.</summary>
    public const int LargestSlab = 2 * 1024 * 1024;

    private readonly IPacketMemory _memory;
    private readonly int _maximumSlabs;
    private readonly int _perSlab;
    private int _slabCount;
    private nint _spare;

    /// <summary>Makes an array without memory.</summary>
    /// <param name="maximum">Most elements.</param>
    /// <param name="stride">Bytes from one to the next.</param>
    /// <param name="memory">Where slabs come from.</param>
    /// <param name="slab">Bytes of a slab: a power of two.</param>
    public SlabArray(int maximum, int stride, IPacketMemory memory, int slab = LargestSlab)
    {
        _memory = memory;
        Stride = stride;
        Shift = ShiftOf(stride, slab);
        Mask = (1 << Shift) - 1;
        _maximumSlabs = (int)(((long)maximum + Mask) >> Shift);
        // The only slab of a small array is no larger than it needs to be.
        _perSlab = _maximumSlabs > 1 ? 1 << Shift : maximum;
        Slabs = (byte**)NativeMemory.AllocZeroed((nuint)_maximumSlabs, (nuint)sizeof(byte*));
    }

    /// <summary>The slabs; as many as <see cref="Capacity"/> says are there.</summary>
    public byte** Slabs { get; private set; }

    /// <summary>Bytes from one element to the next.</summary>
    public int Stride { get; }

    /// <summary>An element's number shifted right by it is its slab's.</summary>
    public int Shift { get; }

    /// <summary>An element's number and it is its place in the slab.</summary>
    public int Mask { get; }

    /// <summary>Elements that there is memory for.</summary>
    public int Capacity => _slabCount * _perSlab;

    /// <summary>Bytes taken.</summary>
    public long Bytes => (long)Capacity * Stride;

    private nuint SlabBytes => (nuint)_perSlab * (nuint)Stride;

    /// <summary>How many elements of a size a slab has, as a power of two.</summary>
    public static int ShiftOf(int stride, int slab = LargestSlab) => BitOperations.Log2((uint)slab / (uint)Math.Min(stride, slab));

    /// <summary>An element. Its number must be below <see cref="Capacity"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* At(int number)
    {
        System.Diagnostics.Debug.Assert((uint)number < (uint)Capacity, "no such element");
        // Sound: numbers below the capacity have a slab, and lie within it.
        return Slabs[(uint)number >> Shift] + ((nuint)(uint)(number & Mask) * (nuint)Stride);
    }

    /// <summary>Takes one more slab, of zeros.</summary>
    /// <returns>False when there are as many as there may be, or no memory: nothing has changed.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public bool TryGrow()
    {
        if (_slabCount == _maximumSlabs)
            return false;
        // The acquiring read orders the provider's work before ours.
        var slab = (byte*)Volatile.Read(ref _spare);
        if (slab != null)
            Volatile.Write(ref _spare, 0);
        else if ((slab = Allocate()) == null)
            return false;
        Slabs[_slabCount] = slab;
        _slabCount++;
        return true;
    }

    /// <summary>Has the next slab ready, if there may be one. One thread other than the owner, until <see cref="Dispose"/>.</summary>
    /// <returns>Whether it took memory.</returns>
    public bool Provision()
    {
        if (Volatile.Read(ref _spare) != 0 || Volatile.Read(ref _slabCount) >= _maximumSlabs)
            return false;
        byte* slab = Allocate();
        Volatile.Write(ref _spare, (nint)slab);
        return slab != null;
    }

    /// <summary>Takes slabs until there is room for so many elements.</summary>
    /// <exception cref="OutOfMemoryException">There is no memory; the message of the provider says how to get it.</exception>
    public void Reserve(int elements)
    {
        while (Capacity < elements)
        {
            Slabs[_slabCount] = _memory.Allocate(SlabBytes, 64);
            _slabCount++;
        }
    }

    public void Dispose()
    {
        if (Slabs == null)
            return;
        for (int i = 0; i < _slabCount; i++)
            _memory.Free(Slabs[i], SlabBytes);
        if (_spare != 0)
            _memory.Free((byte*)_spare, SlabBytes);
        _spare = 0;
        NativeMemory.Free(Slabs);
        Slabs = null;
        _slabCount = 0;
    }

    /// <summary>A slab of zeros; null if there is no memory.</summary>
    private byte* Allocate()
    {
        try
        {
            return _memory.Allocate(SlabBytes, 64);
        }
        catch (OutOfMemoryException)
        {
            return null;
        }
    }
}
