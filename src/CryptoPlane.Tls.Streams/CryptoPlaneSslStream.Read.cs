using System.Runtime.CompilerServices;

namespace CryptoPlane.Tls.Streams;

/// <summary>Reading.</summary>
public sealed partial class CryptoPlaneSslStream
{
    /// <summary>Room for what is received: a whole record, and what comes along behind it.</summary>
    private const int ReceiveSize = 32 * 1024;

    // The reader's: whoever has set _reading, as the handshake does too.
    private PooledBuffer _received;
    private PooledBuffer _plaintext;
    private bool _reading;

    /// <inheritdoc/>
    /// <exception cref="EndOfStreamException">The stream ended without the peer's close_notify: it was cut off.</exception>
    /// <exception cref="IOException">The peer broke the protocol, or sent an alert.</exception>
    /// <exception cref="NotSupportedException">Another read is under way.</exception>
    /// <exception cref="InvalidOperationException">The handshake is not complete.</exception>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        ReadAsync<AsynchronousCalls>(buffer, cancellationToken);

    /// <inheritdoc cref="ReadAsync(Memory{byte}, CancellationToken)"/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync<AsynchronousCalls>(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <inheritdoc cref="ReadAsync(Memory{byte}, CancellationToken)"/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync<BlockingCalls>(buffer.AsMemory(offset, count), default).GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadAsync<TCalls>(Memory<byte> destination, CancellationToken cancellationToken)
        where TCalls : struct, IStreamCalls
    {
        TlsConnection connection = Authenticated;
        if (Interlocked.Exchange(ref _reading, true))
            throw new NotSupportedException("Another read is under way: a stream has one reader at a time.");
        try
        {
            while (true)
            {
                TlsStatus status = Open(connection, destination.Span, out int count);
                PayDebts<TCalls>();
                if (status is TlsStatus.Complete or TlsStatus.Closed)
                    return count;
                if (status == TlsStatus.Failed)
                    throw new IOException(connection.Error!.ToString());
                if (status != TlsStatus.NeedMoreData)
                {
                    await AnswerAsync<TCalls>(connection).ConfigureAwait(false);
                    continue;
                }
                // An idle connection holds no buffer while its reader waits with a read of zero bytes.
                if (destination.IsEmpty && _received.IsEmpty)
                    await TCalls.ReadAsync(InnerStream, Memory<byte>.Empty, cancellationToken).ConfigureAwait(false);
                if (await FillAsync<TCalls>(cancellationToken).ConfigureAwait(false))
                    continue;
                // RFC 8446 §6.1: without close_notify the end may be an attacker's doing.
                return AllowsTruncation ? 0 : throw new EndOfStreamException("The stream ended without close_notify: it was cut off.");
            }
        }
        finally
        {
            EndReading();
        }
    }

    /// <summary>Opens records in bursts, until the destination is full or there are no more.</summary>
    /// <returns>
    /// <see cref="TlsStatus.Complete"/> with data, or with none if the destination is empty and there is some; else
    /// <see cref="TlsStatus.NeedMoreData"/>, <see cref="TlsStatus.NeedsSignature"/>, <see cref="TlsStatus.Closed"/>, or <see cref="TlsStatus.Failed"/>.
    /// </returns>
    private TlsStatus Open(TlsConnection connection, Span<byte> destination, out int count)
    {
        count = 0;
        if (!_plaintext.IsEmpty)
        {
            count = _plaintext.MoveTo(destination);
            return TlsStatus.Complete;
        }
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            uint updates = connection.KeyUpdatesReceived;
            TlsStatus status = connection.ReadBurst(_received.Filled, destination, out int consumed, out count);
            _received.Consume(consumed);
            if (status == TlsStatus.DestinationTooSmall)
            {
                // A record is opened as a whole: what is too much for the caller waits here.
                status = connection.ReadBurst(_received.Filled, _plaintext.Reserve(TlsConnection.MaxPlaintextSize).Span, out consumed, out int written);
                _received.Consume(consumed);
                _plaintext.Commit(written);
                count = _plaintext.MoveTo(destination);
                _plaintext.ReleaseIfEmpty();
            }
            _isInDebt |= connection.HasPendingOutput || connection.KeyUpdatesReceived != updates;
            return status;
        }
    }

    /// <summary>Signs for a server that asks for a certificate behind the handshake (RFC 8446 §4.6.2); the next call of Read goes on with it.</summary>
    private async ValueTask AnswerAsync<TCalls>(TlsConnection connection)
        where TCalls : struct, IStreamCalls
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _hasWork = true;
        }
        try
        {
            await TCalls.ExecuteAsync(connection.PendingWork!).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _hasWork = false;
                if (_disposed)
                    connection.Dispose();
            }
        }
    }

    /// <returns>False at the end of the inner stream.</returns>
    private async ValueTask<bool> FillAsync<TCalls>(CancellationToken cancellationToken)
        where TCalls : struct, IStreamCalls
    {
        int count = await TCalls.ReadAsync(InnerStream, _received.Reserve(ReceiveSize), cancellationToken).ConfigureAwait(false);
        _received.Commit(count);
        return count > 0;
    }

    private void EndReading()
    {
        _received.ReleaseIfEmpty();
        Volatile.Write(ref _reading, false);
        if (_disposed)
            ReleaseReadBuffers();
    }

    /// <summary>Gives the buffers back, unless a read is under way: then that does, when it ends.</summary>
    private void ReleaseReadBuffers()
    {
        if (Interlocked.Exchange(ref _reading, true))
            return;
        _received.Release();
        _plaintext.Release();
    }
}
