namespace CryptoPlane.Benchmarks.Tls;

/// <summary>One end of a connection in memory, as the stream that SslStream wants below it.</summary>
internal sealed class MemoryStreamEnd(MemoryChannel incoming, MemoryChannel outgoing) : Stream
{
    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer) => incoming.Read(buffer);

    public override int Read(byte[] buffer, int offset, int count) => incoming.Read(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer) => outgoing.Write(buffer);

    public override void Write(byte[] buffer, int offset, int count) => outgoing.Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // What was written can be read at once.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
