using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace CryptoPlane.Tls.AspNetCore;

/// <summary>A connection's pipes as a stream. A read of zero bytes waits for data; a write is flushed.</summary>
/// <param name="transport">The pipes.</param>
/// <param name="isResetTheEnd">
/// Whether a reset is an end like any other. The transport logs it, and tells Kestrel that the connection is lost a moment later: an exception
/// would reach the application before that, and be logged as its fault.
/// </param>
internal sealed class TransportStream(IDuplexPipe transport, bool isResetTheEnd) : Stream
{
    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            ReadResult result;
            try
            {
                result = await transport.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (ConnectionResetException) when (isResetTheEnd)
            {
                return 0;
            }
            SequencePosition consumed = result.Buffer.Start;
            try
            {
                if (result.IsCanceled)
                    throw new OperationCanceledException("The transport's read was cancelled.");
                if (!result.Buffer.IsEmpty)
                {
                    ReadOnlySequence<byte> part = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, buffer.Length));
                    part.CopyTo(buffer.Span);
                    consumed = part.End;
                    return (int)part.Length;
                }
                if (result.IsCompleted)
                    return 0;
            }
            finally
            {
                transport.Input.AdvanceTo(consumed);
            }
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Where the transport is done with its output, the reading side says why.
        FlushResult result = await transport.Output.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (result.IsCanceled)
            throw new OperationCanceledException("The transport's write was cancelled.");
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Kestrel's transport is asynchronous.");

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Kestrel's transport is asynchronous.");

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
