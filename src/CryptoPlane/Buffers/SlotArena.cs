using System.Runtime.InteropServices;

namespace CryptoPlane.Buffers;

/// <summary>
/// A fixed number of blocks of one size, side by side in huge pages where there are any: state of an lcore of which there is so much
/// (keys, security associations) that scattered over ordinary pages every look at it would miss the TLB.
/// </summary>
/// <remarks>
/// <para>Thread ownership: one thread at a time takes blocks, the control thread that fills the lcore's tables. Whoever holds a block
/// gives it back, on any thread (<see cref="Return"/>). Each block has a mark that says whether it is free, and at any time one side
/// alone may write it: the taker while it is free, its holder while it is not. So nothing is locked, and nobody waits.</para>
/// <para>A block's memory is zero when it is taken. Blocks are aligned to 128 bytes, since the CPU fetches cache lines in such
/// pairs.</para>
/// </remarks>
public sealed unsafe class SlotArena : IDisposable
{
    private const int Alignment = 128;

    private const byte Free = 0;
    private const byte Taken = 1;

    private readonly IPacketMemory _memory;
    private readonly nuint _bytes;
    private State* _state;

    /// <summary>Where the search for a free block goes on.</summary>
    private int _next;

    /// <summary>Reserves the memory.</summary>
    /// <param name="count">Blocks.</param>
    /// <param name="slotSize">Bytes of a block, rounded up to an odd number of pairs of cache lines.</param>
    /// <param name="memory">Where the memory comes from; null for the kernel's.</param>
    public SlotArena(int count, int slotSize, IPacketMemory? memory = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slotSize);
        _memory = memory ?? KernelPacketMemory.Instance;
        // An odd number of pairs: at a distance that is a power of two the same part of all blocks would share few sets of the caches.
        SlotSize = ((slotSize + Alignment - 1) & -Alignment) | Alignment;
        Capacity = count;
        _bytes = (nuint)SlotSize * (nuint)count;
        byte* first = _memory.Allocate(_bytes, Alignment);
        _state = (State*)NativeMemory.Alloc((nuint)sizeof(State));
        *_state = new State { First = first, SlotSize = (nuint)SlotSize, Marks = (byte*)NativeMemory.AllocZeroed((nuint)count) };
    }

    /// <summary>Blocks of the arena.</summary>
    public int Capacity { get; }

    /// <summary>Bytes from one block to the next.</summary>
    public int SlotSize { get; }

    /// <summary>Blocks taken and not given back. Counted one by one: not for a data path.</summary>
    public int InUse => new ReadOnlySpan<byte>(_state->Marks, Capacity).Count(Taken);

    /// <summary>Whom a block is given back to: for the block's own notes.</summary>
    public State* Handle => _state;

    /// <summary>Takes a zeroed block.</summary>
    /// <returns>Null if all are taken.</returns>
    public void* Take()
    {
        int slot = Search(_next, Capacity);
        if (slot < 0)
            slot = Search(0, _next);
        if (slot < 0)
            return null;
        // The acquiring read orders what the last holder zeroed before what the next one writes.
        _ = Volatile.Read(ref _state->Marks[slot]);
        _state->Marks[slot] = Taken;
        _next = slot + 1;
        return _state->First + ((nuint)slot * (nuint)SlotSize);
    }

    /// <summary>Zeroes a block and gives it back. Any thread, for the block's holder.</summary>
    /// <param name="arena">The <see cref="Handle"/> of the arena that it came from, which has not been disposed of.</param>
    /// <param name="slot">The block.</param>
    public static void Return(State* arena, void* slot)
    {
        NativeMemory.Clear(slot, arena->SlotSize);
        // Sound: the block came from this arena, and so its number is below the capacity.
        nuint number = (nuint)((byte*)slot - arena->First) / arena->SlotSize;
        Volatile.Write(ref arena->Marks[number], Free);
    }

    /// <summary>Frees the memory, zeroed.</summary>
    /// <exception cref="InvalidOperationException">Blocks are in use.</exception>
    public void Dispose()
    {
        if (_state == null)
            return;
        if (InUse is not 0 and int used)
            throw new InvalidOperationException($"{used} blocks of this arena are in use: free what lies in them first.");
        _memory.Free(_state->First, _bytes);
        NativeMemory.Free(_state->Marks);
        NativeMemory.Free(_state);
        _state = null;
    }

    /// <summary>The first free block within [from, to), or -1.</summary>
    private int Search(int from, int to)
    {
        int found = new ReadOnlySpan<byte>(_state->Marks + from, to - from).IndexOf(Free);
        return found < 0 ? -1 : from + found;
    }

    /// <summary>What a block needs to find its way home, in native memory as it is itself.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct State
    {
        internal byte* First;
        internal nuint SlotSize;
        internal byte* Marks;
    }
}
