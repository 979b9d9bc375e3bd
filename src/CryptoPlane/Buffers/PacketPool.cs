using System.Runtime.InteropServices;

namespace CryptoPlane.Buffers;

/// <summary>
/// A fixed number of packet buffers of one size, owned by one lcore.
/// </summary>
/// <remarks>
/// A stack: the buffer returned last, still in the cache, is rented next. Creation and disposal happen on a control thread while the
/// lcore is not running; everything else on the lcore. Nothing here locks, and nothing allocates after the constructor.
/// </remarks>
public sealed unsafe class PacketPool : IDisposable
{
    private const int Overhead = PacketBuffer.ForeignHeaderSize + PacketBuffer.HeaderSize;

    private readonly IPacketMemory? _memory;
    private readonly nuint _bytes;
    private byte* _block;
    private PacketStack* _free;

    // Every buffer of the pool lies from the first of these up to and without the second.
    private readonly byte* _first, _end;

    /// <summary>Carves a pool.</summary>
    /// <param name="count">Buffers in the pool.</param>
    /// <param name="bufferSize">Bytes of a buffer from the first of the headroom to the end of the tailroom; rounded up so that blocks stay aligned.</param>
    /// <param name="headroom">What <see cref="TryRent"/> leaves free before the packet.</param>
    /// <param name="memory">Where the memory comes from; null for the kernel's.</param>
    public PacketPool(int count, int bufferSize, int headroom = 192, IPacketMemory? memory = null)
        : this(count, bufferSize, headroom)
    {
        // An odd number of pairs of cache lines: at a distance of 2,048 bytes all headers would share two sets of the first cache.
        nuint stride = (((nuint)Overhead + (nuint)bufferSize + 127) & ~(nuint)127) | 128;
        _memory = memory ?? KernelPacketMemory.Instance;
        _bytes = stride * (nuint)count;
        BufferSize = (int)(stride - Overhead);
        try
        {
            _block = _memory.Allocate(_bytes, PacketBuffer.ForeignHeaderSize);
        }
        catch
        {
            FreeStack();
            throw;
        }
        // Sound: i < count, so the whole stride lies inside the block, and the stack has room for count buffers.
        for (int i = count - 1; i >= 0; i--)
            _free->Items[_free->Count++] = (PacketBuffer*)(_block + (stride * (nuint)i) + PacketBuffer.ForeignHeaderSize);
        InitializeBuffers(out _first, out _end);
    }

    /// <summary>Makes a pool of another framework's blocks.</summary>
    /// <param name="count">Buffers in the pool.</param>
    /// <param name="bufferSize">Bytes of a buffer from the first of the headroom to the end of the tailroom; rounded up so that blocks stay aligned.</param>
    /// <param name="headroom">What <see cref="TryRent"/> leaves free before the packet.</param>
    /// <param name="blocks">The framework; the pool keeps it as <see cref="Blocks"/>.</param>
    public PacketPool(int count, int bufferSize, int headroom, IPacketBlocks blocks)
        : this(count, bufferSize, headroom)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        Blocks = blocks;
        BufferSize = ((Overhead + bufferSize + 63) & ~63) - Overhead;
        try
        {
            BlocksHandle = blocks.Carve(_free, BufferSize);
        }
        catch
        {
            FreeStack();
            throw;
        }
        InitializeBuffers(out _first, out _end);
    }

    private PacketPool(int count, int bufferSize, int headroom)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bufferSize);
        ArgumentOutOfRangeException.ThrowIfNegative(headroom);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(headroom, bufferSize);
        Count = count;
        DefaultHeadroom = headroom;
        _free = (PacketStack*)NativeMemory.AlignedAlloc((nuint)sizeof(PacketStack), 64);
        *_free = new PacketStack { Items = (PacketBuffer**)NativeMemory.Alloc((nuint)count, (nuint)sizeof(PacketBuffer*)), Capacity = (uint)count };
    }

    /// <summary>Buffers in the pool.</summary>
    public int Count { get; }

    /// <summary>Bytes of a buffer, headroom and tailroom included.</summary>
    public int BufferSize { get; }

    /// <summary>What <see cref="TryRent"/> leaves free before the packet.</summary>
    public int DefaultHeadroom { get; }

    /// <summary>Whose blocks these are; null for ordinary memory.</summary>
    public IPacketBlocks? Blocks { get; }

    /// <summary>What <see cref="IPacketBlocks.Carve"/> returned; 0 for ordinary memory.</summary>
    public nint BlocksHandle { get; private set; }

    /// <summary>Buffers that nobody holds.</summary>
    public int Available => (int)_free->Count;

    /// <summary>How often <see cref="TryRent"/> found the pool empty.</summary>
    public long Exhausted { get; private set; }

    /// <summary>Takes an empty buffer; its bytes are whatever the last holder left.</summary>
    /// <returns>False, counted, when the pool is empty.</returns>
    public bool TryRent(out PacketBuffer* buffer)
    {
        if (_free->Count == 0)
        {
            Exhausted++;
            buffer = null;
            return false;
        }
        buffer = _free->Items[--_free->Count];
        buffer->TryReset(DefaultHeadroom);
        return true;
    }

    /// <summary>Gives a buffer back.</summary>
    /// <exception cref="InvalidOperationException">The buffer is of another pool, or the pool is full (it was returned twice).</exception>
    public void Return(PacketBuffer* buffer)
    {
        if ((byte*)buffer < _first || (byte*)buffer >= _end || _free->Count == _free->Capacity)
            ThrowForeign();
        _free->Items[_free->Count++] = buffer;
    }

    /// <summary>Gives a burst back.</summary>
    public void Return(PacketBuffer** burst, int count)
    {
        for (int i = 0; i < count; i++)
            Return(burst[i]);
    }

    /// <summary>Frees the memory, zeroed, whoever still holds buffers.</summary>
    public void Dispose()
    {
        if (_free == null)
            return;
        if (Blocks != null)
            Blocks.Free(BlocksHandle);
        else
            _memory!.Free(_block, _bytes);
        FreeStack();
        BlocksHandle = 0;
        _block = null;
    }

    private void InitializeBuffers(out byte* first, out byte* end)
    {
        first = (byte*)nuint.MaxValue;
        end = null;
        for (uint i = 0; i < _free->Count; i++)
        {
            PacketBuffer* buffer = _free->Items[i];
            buffer->Initialize((byte*)buffer + PacketBuffer.HeaderSize, (uint)BufferSize);
            first = (byte*)buffer < first ? (byte*)buffer : first;
            end = (byte*)buffer >= end ? (byte*)(buffer + 1) : end;
        }
    }

    private void FreeStack()
    {
        NativeMemory.Free(_free->Items);
        NativeMemory.AlignedFree(_free);
        _free = null;
    }

    private static void ThrowForeign() => throw new InvalidOperationException(
        "The buffer does not belong to this pool, or was returned twice: a buffer goes back once, to the pool it came from.");
}
