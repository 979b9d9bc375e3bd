using System.Buffers;

namespace CryptoPlane.Tls.Streams;

/// <summary>Bytes that came and are not used yet. Holds an array of the pool only while there are some, or room was reserved.</summary>
internal struct PooledBuffer
{
    private byte[]? _array;
    private int _start;
    private int _end;

    /// <summary>Whether nothing is in it.</summary>
    public readonly bool IsEmpty => _start == _end;

    /// <summary>What is in it.</summary>
    public readonly ReadOnlySpan<byte> Filled => _array.AsSpan(_start, _end - _start);

    /// <summary>Room behind what is in it; tell how much was used with <see cref="Commit"/>.</summary>
    /// <param name="size">Bytes that the buffer has room for in all; the same at each call.</param>
    public Memory<byte> Reserve(int size)
    {
        if (_array is null)
        {
            _array = ArrayPool<byte>.Shared.Rent(size);
        }
        else if (_start > 0)
        {
            Filled.CopyTo(_array);
            _end -= _start;
            _start = 0;
        }
        return _array.AsMemory(_end);
    }

    /// <summary>Keeps the first <paramref name="count"/> bytes of what was reserved.</summary>
    public void Commit(int count) => _end += count;

    /// <summary>Drops bytes from the front.</summary>
    public void Consume(int count)
    {
        _start += count;
        ReleaseIfEmpty();
    }

    /// <summary>Moves as much as fits.</summary>
    /// <returns>How many bytes were moved.</returns>
    public int MoveTo(Span<byte> destination)
    {
        int count = Math.Min(destination.Length, _end - _start);
        Filled[..count].CopyTo(destination);
        Consume(count);
        return count;
    }

    /// <summary>Gives the array back if nothing is in it.</summary>
    public void ReleaseIfEmpty()
    {
        if (IsEmpty)
            Release();
    }

    /// <summary>Gives the array back.</summary>
    public void Release()
    {
        if (_array is not null)
            ArrayPool<byte>.Shared.Return(_array);
        _array = null;
        _start = _end = 0;
    }
}
