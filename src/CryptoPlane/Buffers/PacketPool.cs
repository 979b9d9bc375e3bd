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
    private readonly IPacketMemory _memory;
    private readonly nuint _bytes;
    private byte* _block;
    private PacketBuffer** _free;
    private int _freeCount;

    /// <summary>Carves a pool.</summary>
    /// <param name="count">Buffers in the pool.</param>
    /// <param name="bufferSize">Bytes of a buffer from the first of the headroom to the end of the tailroom; rounded up so that blocks stay aligned.</param>
    /// <param name="headroom">What <see cref="TryRent"/> leaves free before the packet.</param>
    /// <param name="memory">Where the memory comes from; null for the kernel's.</param>
    public PacketPool(int count, int bufferSize, int headroom = 192, IPacketMemory? memory = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bufferSize);
        ArgumentOutOfRangeException.ThrowIfNegative(headroom);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(headroom, bufferSize);

        const int overhead = PacketBuffer.ForeignHeaderSize + PacketBuffer.HeaderSize;
        nuint stride = ((nuint)overhead + (nuint)bufferSize + 127) & ~(nuint)127;
        _memory = memory ?? KernelPacketMemory.Instance;
        _bytes = stride * (nuint)count;
        Count = count;
        BufferSize = (int)(stride - overhead);
        DefaultHeadroom = headroom;

        _block = _memory.Allocate(_bytes, PacketBuffer.ForeignHeaderSize);
        _free = (PacketBuffer**)NativeMemory.Alloc((nuint)count, (nuint)sizeof(PacketBuffer*));
        for (int i = count - 1; i >= 0; i--)
        {
            // Sound: i < count, so the whole stride lies inside the block.
            byte* element = _block + (stride * (nuint)i);
            var buffer = (PacketBuffer*)(element + PacketBuffer.ForeignHeaderSize);
            buffer->Initialize(element + overhead, (uint)BufferSize);
            _free[_freeCount++] = buffer;
        }
    }

    /// <summary>Buffers in the pool.</summary>
    public int Count { get; }

    /// <summary>Bytes of a buffer, headroom and tailroom included.</summary>
    public int BufferSize { get; }

    /// <summary>What <see cref="TryRent"/> leaves free before the packet.</summary>
    public int DefaultHeadroom { get; }

    /// <summary>Buffers that nobody holds.</summary>
    public int Available => _freeCount;

    /// <summary>How often <see cref="TryRent"/> found the pool empty.</summary>
    public long Exhausted { get; private set; }

    /// <summary>Takes an empty buffer; its bytes are whatever the last holder left.</summary>
    /// <returns>False, counted, when the pool is empty.</returns>
    public bool TryRent(out PacketBuffer* buffer)
    {
        if (_freeCount == 0)
        {
            Exhausted++;
            buffer = null;
            return false;
        }
        buffer = _free[--_freeCount];
        buffer->TryReset(DefaultHeadroom);
        return true;
    }

    /// <summary>Gives a buffer back.</summary>
    /// <exception cref="InvalidOperationException">The buffer is of another pool, or the pool is full (it was returned twice).</exception>
    public void Return(PacketBuffer* buffer)
    {
        if ((byte*)buffer < _block || (byte*)buffer >= _block + _bytes || _freeCount == Count)
            ThrowForeign();
        _free[_freeCount++] = buffer;
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
        if (_block == null)
            return;
        _memory.Free(_block, _bytes);
        NativeMemory.Free(_free);
        _block = null;
        _free = null;
        _freeCount = 0;
    }

    private static void ThrowForeign() => throw new InvalidOperationException(
        "The buffer does not belong to this pool, or was returned twice: a buffer goes back once, to the pool it came from.");
}
