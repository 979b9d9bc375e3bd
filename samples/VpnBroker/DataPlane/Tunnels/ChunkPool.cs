using System.Runtime.InteropServices;

namespace VpnBroker.DataPlane.Tunnels;

/// <summary>A piece of a connection's bytes that wait: in a list, taken from a <see cref="ChunkPool"/>.</summary>
[StructLayout(LayoutKind.Sequential, Size = ChunkPool.ChunkSize)]
internal unsafe struct Chunk
{
    /// <summary>Bytes of payload in a chunk.</summary>
    public const int Capacity = ChunkPool.ChunkSize - 16;

    public Chunk* Next;
    public int Start;
    public int End;
    public fixed byte Data[Capacity];
}

/// <summary>
/// Memory for bytes that wait on connections (unsent ones, the beginning of a record), in chunks, so that a connection holds no more
/// than it needs and an idle one nothing. One lcore's own; memory is touched only when it is first used.
/// </summary>
internal sealed unsafe class ChunkPool : IDisposable
{
    /// <summary>Bytes of a chunk with its header.</summary>
    public const int ChunkSize = 2048;

    private Chunk* _memory;
    private Chunk* _free;
    private int _untouched;

    /// <summary>Reserves address space for so many chunks.</summary>
    public ChunkPool(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        Count = Available = count;
        // A block of this size the C library maps, and the kernel gives it pages as they are touched.
        _memory = (Chunk*)NativeMemory.AlignedAlloc((nuint)count * ChunkSize, 4096);
    }

    /// <summary>Chunks of the pool.</summary>
    public int Count { get; }

    /// <summary>Chunks that nobody holds.</summary>
    public int Available { get; private set; }

    /// <summary>Takes an empty chunk.</summary>
    /// <returns>Null when there is none.</returns>
    public Chunk* Take()
    {
        Chunk* chunk = _free;
        if (chunk != null)
            _free = chunk->Next;
        else if (_untouched < Count)
            chunk = _memory + _untouched++;
        else
            return null;
        Available--;
        chunk->Next = null;
        chunk->Start = chunk->End = 0;
        return chunk;
    }

    /// <summary>Gives a chunk back.</summary>
    public void Return(Chunk* chunk)
    {
        chunk->Next = _free;
        _free = chunk;
        Available++;
    }

    /// <summary>Frees the memory, with what was used of it cleared.</summary>
    public void Dispose()
    {
        if (_memory == null)
            return;
        NativeMemory.Clear(_memory, (nuint)_untouched * ChunkSize);
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}

/// <summary>A first-in, first-out queue of bytes in chunks; all zero when empty.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ByteQueue
{
    private Chunk* _head;
    private Chunk* _tail;

    /// <summary>Bytes in the queue.</summary>
    public int Length { get; private set; }

    /// <summary>The oldest chunk, or null.</summary>
    public readonly Chunk* Head => _head;

    /// <summary>Chunks that must be free so that this many more bytes fit.</summary>
    public readonly int ChunksFor(int bytes)
    {
        int room = _tail == null ? 0 : Chunk.Capacity - _tail->End;
        return bytes <= room ? 0 : (bytes - room + Chunk.Capacity - 1) / Chunk.Capacity;
    }

    /// <summary>Appends bytes.</summary>
    /// <returns>False when the pool ran out; what fitted is in the queue then.</returns>
    public bool TryAppend(ChunkPool pool, byte* bytes, int count)
    {
        while (count > 0)
        {
            if (_tail == null || _tail->End == Chunk.Capacity)
            {
                Chunk* chunk = pool.Take();
                if (chunk == null)
                    return false;
                if (_tail == null)
                    _head = chunk;
                else
                    _tail->Next = chunk;
                _tail = chunk;
            }
            // Sound: End <= Capacity, and the copy is cut to what is left of the chunk.
            int part = Math.Min(count, Chunk.Capacity - _tail->End);
            Buffer.MemoryCopy(bytes, _tail->Data + _tail->End, part, part);
            _tail->End += part;
            Length += part;
            bytes += part;
            count -= part;
        }
        return true;
    }

    /// <summary>Takes bytes off the front, which are not more than <see cref="Length"/>.</summary>
    public void Consume(ChunkPool pool, int count)
    {
        Length -= count;
        while (count > 0)
        {
            int part = Math.Min(count, _head->End - _head->Start);
            _head->Start += part;
            count -= part;
            if (_head->Start < _head->End)
                break;
            Chunk* done = _head;
            _head = done->Next;
            if (_head == null)
                _tail = null;
            pool.Return(done);
        }
    }

    /// <summary>Copies everything out and empties the queue.</summary>
    /// <param name="pool">Where the chunks go.</param>
    /// <param name="destination">Room for <see cref="Length"/> bytes.</param>
    /// <returns>How many bytes.</returns>
    public int Drain(ChunkPool pool, byte* destination)
    {
        int total = Length;
        for (Chunk* chunk = _head; chunk != null; chunk = chunk->Next)
        {
            int part = chunk->End - chunk->Start;
            Buffer.MemoryCopy(chunk->Data + chunk->Start, destination, part, part);
            destination += part;
        }
        Clear(pool);
        return total;
    }

    /// <summary>Empties the queue.</summary>
    public void Clear(ChunkPool pool)
    {
        while (_head != null)
        {
            Chunk* next = _head->Next;
            pool.Return(_head);
            _head = next;
        }
        _tail = null;
        Length = 0;
    }
}
