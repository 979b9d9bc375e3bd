namespace CryptoPlane.Benchmarks.Tls;

/// <summary>
/// One direction of a connection in memory. During the handshake two threads use it; afterwards, when <see cref="IsSingleThreaded"/>
/// is set, it is a plain buffer without a lock, so that what is measured is the TLS implementation.
/// </summary>
internal sealed class MemoryChannel(int capacity)
{
    private readonly byte[] _bytes = new byte[capacity];
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _written = new(0);
    private int _start, _end;

    public bool IsSingleThreaded { get; set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (IsSingleThreaded)
        {
            Append(bytes);
            return;
        }
        lock (_lock)
            Append(bytes);
        _written.Release();
    }

    public int Read(Span<byte> destination)
    {
        if (IsSingleThreaded)
            return Take(destination);
        while (true)
        {
            lock (_lock)
            {
                if (_start < _end)
                    return Take(destination);
            }
            _written.Wait();
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_start == _end)
            _start = _end = 0;
        bytes.CopyTo(_bytes.AsSpan(_end));
        _end += bytes.Length;
    }

    private int Take(Span<byte> destination)
    {
        int count = Math.Min(destination.Length, _end - _start);
        _bytes.AsSpan(_start, count).CopyTo(destination);
        _start += count;
        return count;
    }
}
