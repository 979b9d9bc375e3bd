using System.Buffers;

namespace CryptoPlane.Tls.Handshake;

/// <summary>Records that are made and not yet given to the application. Holds a pooled buffer only while there is something in it.</summary>
internal sealed class OutgoingBuffer
{
    private byte[] _buffer = [];
    private int _start;
    private int _end;

    public bool IsEmpty => _start == _end;

    /// <summary>Room for a record of up to <paramref name="size"/> bytes; tell its true size with <see cref="Commit"/>.</summary>
    public Span<byte> Reserve(int size)
    {
        if (_buffer.Length - _end < size)
        {
            int length = _end - _start;
            byte[] larger = ArrayPool<byte>.Shared.Rent(length + size);
            _buffer.AsSpan(_start, length).CopyTo(larger);
            Release();
            _buffer = larger;
            _end = length;
        }
        return _buffer.AsSpan(_end, size);
    }

    /// <summary>Keeps the first <paramref name="size"/> bytes of what was reserved.</summary>
    public void Commit(int size) => _end += size;

    /// <summary>Moves as much as fits.</summary>
    /// <returns>How many bytes were moved.</returns>
    public int MoveTo(Span<byte> destination)
    {
        int count = Math.Min(destination.Length, _end - _start);
        _buffer.AsSpan(_start, count).CopyTo(destination);
        _start += count;
        if (IsEmpty)
            Release();
        return count;
    }

    /// <summary>Gives the buffer back.</summary>
    public void Release()
    {
        if (_buffer.Length != 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _start = _end = 0;
    }
}
