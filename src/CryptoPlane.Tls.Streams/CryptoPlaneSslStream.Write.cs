using System.Buffers;
using System.Runtime.CompilerServices;

namespace CryptoPlane.Tls.Streams;

/// <summary>Writing, and what is owed to the peer: answers to KeyUpdates, alerts.</summary>
public sealed partial class CryptoPlaneSslStream
{
    /// <summary>Records that go to the inner stream in one call: four of full size, all but a few bytes.</summary>
    private const int SendSize = 64 * 1024;

    /// <summary>More than what each record adds to its content, and a KeyUpdate in front.</summary>
    private const int SendOverhead = 64;

    private bool _writing;
    private volatile bool _closed;

    /// <summary>Whether records were sealed that have not gone out whole: nothing can follow them.</summary>
    private volatile bool _isBroken;

    /// <summary>Whether there may be something to send that is no data.</summary>
    private volatile bool _isInDebt;

    /// <inheritdoc/>
    /// <remarks>If it is cancelled or fails half-way, nothing more can be written.</remarks>
    /// <exception cref="IOException">The connection has failed, or an earlier write has.</exception>
    /// <exception cref="NotSupportedException">Another write is under way.</exception>
    /// <exception cref="InvalidOperationException">The handshake is not complete, or <see cref="ShutdownAsync"/> was called.</exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        WriteAsync<AsynchronousCalls>(buffer, cancellationToken);

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync<AsynchronousCalls>(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>
    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        WriteAsync<BlockingCalls>(buffer.AsMemory(offset, count), default).GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    /// <summary>Flushes the inner stream: nothing is held back here.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    public override Task FlushAsync(CancellationToken cancellationToken) => InnerStream.FlushAsync(cancellationToken);

    /// <inheritdoc cref="FlushAsync"/>
    public override void Flush() => InnerStream.Flush();

    /// <summary>
    /// Sends close_notify: this side will send no more, and the peer can tell that from a cut (RFC 8446 §6.1). Data may still be read.
    /// Waits for a write that is under way. Does nothing the second time.
    /// </summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">The connection has failed, or an earlier write has.</exception>
    /// <exception cref="InvalidOperationException">The handshake is not complete.</exception>
    public Task ShutdownAsync(CancellationToken cancellationToken = default) =>
        SendControlAsync<AsynchronousCalls>(close: true, requestPeer: false, cancellationToken);

    /// <summary>Changes the keys of this side's direction with a KeyUpdate (RFC 8446 §4.6.3). Before a key's limit that happens by itself.</summary>
    /// <param name="requestPeer">Whether the peer is to change its keys as well.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)" path="/exception"/>
    public Task UpdateKeysAsync(bool requestPeer = false, CancellationToken cancellationToken = default) =>
        SendControlAsync<AsynchronousCalls>(close: false, requestPeer, cancellationToken);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteAsync<TCalls>(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        where TCalls : struct, IStreamCalls
    {
        TlsConnection connection = Authenticated;
        if (Interlocked.Exchange(ref _writing, true))
            throw new NotSupportedException("Another write is under way: a stream has one writer at a time.");
        try
        {
            await TCalls.WaitAsync(_turn, cancellationToken).ConfigureAwait(false);
            try
            {
                ThrowIfNotWritable(connection);
                if (!data.IsEmpty)
                    await SendAsync<TCalls>(connection, data, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _turn.Release();
            }
        }
        finally
        {
            Volatile.Write(ref _writing, false);
        }
        PayDebts<TCalls>();
    }

    /// <summary>Sends data in records, up to <see cref="SendSize"/> at a time. It is this method's turn.</summary>
    private async ValueTask SendAsync<TCalls>(TlsConnection connection, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        where TCalls : struct, IStreamCalls
    {
        byte[] records = ArrayPool<byte>.Shared.Rent((int)Math.Min(data.Length + (long)SendOverhead, SendSize));
        try
        {
            TlsStatus status;
            do
            {
                int written;
                lock (_gate)
                {
                    ObjectDisposedException.ThrowIf(_disposed, this);
                    status = connection.Write(data.Span, records, out int consumed, out written);
                    data = data[consumed..];
                }
                await SendRecordsAsync<TCalls>(records.AsMemory(0, written), cancellationToken).ConfigureAwait(false);
            }
            while (status == TlsStatus.DestinationTooSmall);
            if (status == TlsStatus.Failed)
                throw new IOException(connection.Error!.ToString());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(records);
        }
    }

    private async Task SendControlAsync<TCalls>(bool close, bool requestPeer, CancellationToken cancellationToken)
        where TCalls : struct, IStreamCalls
    {
        TlsConnection connection = Authenticated;
        await TCalls.WaitAsync(_turn, cancellationToken).ConfigureAwait(false);
        try
        {
            if (close && _closed)
                return;
            ThrowIfNotWritable(connection);
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (close)
                    connection.Close([], out _);
                else
                    connection.UpdateKeys(requestPeer);
            }
            _closed = close;
            await SendPendingAsync<TCalls>(connection, cancellationToken).ConfigureAwait(false);
            await TCalls.FlushAsync(InnerStream, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
        PayDebts<TCalls>();
    }

    /// <summary>
    /// Sends what is owed to the peer, if somebody else does not do so with his data. Nobody waits for it: a reader who did could wait for a
    /// peer that waits for him.
    /// </summary>
    private void PayDebts<TCalls>()
        where TCalls : struct, IStreamCalls
    {
        if (_isInDebt && !_isBroken && !_disposed && _turn.Wait(0, CancellationToken.None))
            _ = PayDebtsAsync<TCalls>();
    }

    private async Task PayDebtsAsync<TCalls>()
        where TCalls : struct, IStreamCalls
    {
        try
        {
            await SendPendingAsync<TCalls>(_connection!, CancellationToken.None).ConfigureAwait(false);
            await TCalls.FlushAsync(InnerStream, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Whatever the inner stream threw: it is not this reader's business, and the next write finds the stream broken.
            _isBroken = true;
        }
        finally
        {
            _turn.Release();
        }
        // More may have come while it was this method's turn.
        PayDebts<TCalls>();
    }

    /// <summary>Sends what the connection has to say. It is this method's turn.</summary>
    private async ValueTask SendPendingAsync<TCalls>(TlsConnection connection, CancellationToken cancellationToken)
        where TCalls : struct, IStreamCalls
    {
        byte[] records = ArrayPool<byte>.Shared.Rent(SendOverhead);
        try
        {
            TlsStatus status;
            do
            {
                int written;
                lock (_gate)
                {
                    ObjectDisposedException.ThrowIf(_disposed, this);
                    _isInDebt = false;
                    status = connection.Flush(records, out written);
                }
                if (written > 0)
                    await SendRecordsAsync<TCalls>(records.AsMemory(0, written), cancellationToken).ConfigureAwait(false);
            }
            while (status == TlsStatus.DestinationTooSmall);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(records);
        }
    }

    private async ValueTask SendRecordsAsync<TCalls>(ReadOnlyMemory<byte> records, CancellationToken cancellationToken)
        where TCalls : struct, IStreamCalls
    {
        bool done = false;
        try
        {
            await TCalls.WriteAsync(InnerStream, records, cancellationToken).ConfigureAwait(false);
            done = true;
        }
        finally
        {
            if (!done)
                _isBroken = true;
        }
    }

    private void ThrowIfNotWritable(TlsConnection connection)
    {
        if (_isBroken)
            throw new IOException("An earlier write was not finished: the peer could not make sense of another.");
        if (connection.Error is { } error)
            throw new IOException(error.ToString());
        if (_closed)
            throw new InvalidOperationException("Nothing can be written behind ShutdownAsync.");
    }
}
