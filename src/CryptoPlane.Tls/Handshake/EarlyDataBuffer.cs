using System.Buffers;

namespace CryptoPlane.Tls.Handshake;

/// <summary>Early data of one record, until the application takes it. Holds a pooled buffer only while there is something in it.</summary>
internal sealed class EarlyDataBuffer
{
    private byte[] _buffer = [];
    private int _start;
    private int _end;

    public bool IsEmpty => _start == _end;

    /// <summary>Keeps a record's content. Call it once what was there before is taken.</summary>
    public void Put(ReadOnlySpan<byte> content)
    {
        _buffer = ArrayPool<byte>.Shared.Rent(content.Length);
        content.CopyTo(_buffer);
        _end = content.Length;
    }

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

    /// <summary>Gives the buffer back, erased.</summary>
    public void Release()
    {
        if (_buffer.Length != 0)
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        _buffer = [];
        _start = _end = 0;
    }
}
