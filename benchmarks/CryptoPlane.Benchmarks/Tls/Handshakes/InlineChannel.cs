namespace CryptoPlane.Benchmarks.Tls.Handshakes;

/// <summary>
/// One direction between two streams of one thread: a read that finds nothing waits, and whoever writes then goes on as the reader. So two
/// ends take turns without a second thread.
/// </summary>
internal sealed class InlineChannel
{
    private readonly byte[] _bytes = new byte[64 * 1024];
    private int _start, _end;
    private TaskCompletionSource<int>? _reader;
    private Memory<byte> _wanted;

    /// <summary>Bytes that went through.</summary>
    public long Total { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (_start == _end)
            _start = _end = 0;
        bytes.CopyTo(_bytes.AsSpan(_end));
        _end += bytes.Length;
        Total += bytes.Length;
        if (_reader is not { } reader)
            return;
        _reader = null;
        reader.SetResult(Take(_wanted.Span));
    }

    public ValueTask<int> ReadAsync(Memory<byte> destination)
    {
        if (_start < _end || destination.IsEmpty)
            return new ValueTask<int>(Take(destination.Span));
        _wanted = destination;
        _reader = new TaskCompletionSource<int>();
        return new ValueTask<int>(_reader.Task);
    }

    private int Take(Span<byte> destination)
    {
        int count = Math.Min(destination.Length, _end - _start);
        _bytes.AsSpan(_start, count).CopyTo(destination);
        _start += count;
        return count;
    }
}
