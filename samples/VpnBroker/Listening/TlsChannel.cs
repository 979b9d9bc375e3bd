using System.Runtime.InteropServices;
using CryptoPlane.Tls;
using CryptoPlane.Tls.Record;
using VpnBroker.OpenConnect;
using VpnBroker.OpenConnect.Strap;

namespace VpnBroker.Listening;

/// <summary>A TLS server connection on a <see cref="ClientSocket"/>: handshake, reads and writes, and the move of its keys to an lcore.</summary>
/// <remarks>
/// It never opens a record behind the one that it was asked for: what the client sends behind its CONNECT stays sealed, for the lcore.
/// </remarks>
internal sealed class TlsChannel : IDisposable
{
    private readonly ClientSocket _socket;
    private readonly TlsServer _tls;
    private readonly HandshakeWorkers _workers;
    private readonly byte[] _received = new byte[TlsConnection.MaxRecordSize];
    private readonly byte[] _sending = new byte[4096];
    private int _receivedCount;

    public TlsChannel(ClientSocket socket, TlsServerOptions options, HandshakeWorkers workers)
    {
        _socket = socket;
        _tls = new TlsServer(options);
        _workers = workers;
    }

    /// <summary>The name that the client asked for, or null.</summary>
    public string? ServerName => _tls.ServerName;

    /// <summary>The client's certificate (DER), once the handshake is done; null for none.</summary>
    public byte[]? ClientCertificate => _tls.RemoteCertificate?.RawData;

    /// <summary>What was negotiated, for the log.</summary>
    public string Description => $"{_tls.NegotiatedCipherSuite}, {_tls.NegotiatedGroup}";

    /// <summary>Why the connection failed, or null.</summary>
    public string? Failure => _tls.Error?.ToString();

    /// <summary>What names this connection, for clients that sign it; once the handshake is done.</summary>
    public ChannelBindings Bindings()
    {
        byte[] exporter = new byte[ChannelBindings.ExporterSize];
        _tls.ExportKeyingMaterial(ChannelBindings.ExporterLabel, [], exporter);
        return new ChannelBindings(_tls.ClientFinished.ToArray(), exporter);
    }

    /// <summary>What the client's data channel is told on this connection, once the handshake is done.</summary>
    /// <param name="port">Its UDP port; null where there is none.</param>
    public DtlsTerms? DtlsTerms(int? port) => port is null ? null : new DtlsTerms(port.Value, () =>
    {
        byte[] key = GC.AllocateArray<byte>(OpenConnect.DtlsTerms.KeySize, pinned: true);
        _tls.ExportKeyingMaterial(OpenConnect.DtlsTerms.ExporterLabel, [], key);
        return key;
    });

    /// <summary>Runs the handshake; public-key work runs on the workers.</summary>
    /// <returns>False when it failed or the client went away.</returns>
    public async ValueTask<bool> HandshakeAsync(CancellationToken cancellation)
    {
        while (true)
        {
            TlsStatus status = _tls.Handshake(_received.AsSpan(0, _receivedCount), _sending, out int consumed, out int written);
            Consume(consumed);
            if (written != 0 && !await _socket.SendAsync(_sending.AsMemory(0, written), cancellation))
                return false;
            switch (status)
            {
                case TlsStatus.Complete:
                    return true;
                case TlsStatus.DestinationTooSmall:
                    break;
                case TlsStatus.NeedMoreData:
                    if (!await ReceiveMoreAsync(cancellation))
                        return false;
                    break;
                case TlsStatus.NeedsKeyAgreement or TlsStatus.NeedsSignature or TlsStatus.NeedsCertificateVerification:
                    await _workers.RunAsync(_tls.PendingWork!, cancellation);
                    break;
                default:
                    return false;
            }
        }
    }

    /// <summary>Reads the plaintext of one record.</summary>
    /// <param name="plaintext">Room for <see cref="TlsConnection.MaxPlaintextSize"/> bytes.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The bytes; 0 when the client has closed, went away, or broke the protocol.</returns>
    public async ValueTask<int> ReadAsync(Memory<byte> plaintext, CancellationToken cancellation)
    {
        while (true)
        {
            TlsStatus status = _tls.Read(_received.AsSpan(0, _receivedCount), plaintext.Span, out int consumed, out int written);
            Consume(consumed);
            if (_tls.HasPendingOutput && !await FlushAsync(cancellation))
                return 0;
            if (status == TlsStatus.Complete)
                return written;
            if (status != TlsStatus.NeedMoreData || !await ReceiveMoreAsync(cancellation))
                return 0;
        }
    }

    /// <summary>Seals and sends everything.</summary>
    /// <returns>False when the connection broke.</returns>
    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> plaintext, CancellationToken cancellation)
    {
        TlsStatus status;
        do
        {
            status = _tls.Write(plaintext.Span, _sending, out int consumed, out int written);
            plaintext = plaintext[consumed..];
            if (written != 0 && !await _socket.SendAsync(_sending.AsMemory(0, written), cancellation))
                return false;
        }
        while (status == TlsStatus.DestinationTooSmall);
        return status == TlsStatus.Complete;
    }

    /// <summary>Sends close_notify, so that the client knows that nothing was cut off.</summary>
    public async ValueTask CloseAsync(CancellationToken cancellation)
    {
        TlsStatus status;
        do
        {
            status = _tls.Close(_sending, out int written);
            if (written != 0 && !await _socket.SendAsync(_sending.AsMemory(0, written), cancellation))
                return;
        }
        while (status == TlsStatus.DestinationTooSmall);
    }

    /// <summary>Sends what the connection still owes the client, so that its keys can move.</summary>
    /// <returns>False when the connection broke.</returns>
    public async ValueTask<bool> FlushAsync(CancellationToken cancellation)
    {
        TlsStatus status;
        do
        {
            status = _tls.Flush(_sending, out int written);
            if (written != 0 && !await _socket.SendAsync(_sending.AsMemory(0, written), cancellation))
                return false;
        }
        while (status == TlsStatus.DestinationTooSmall);
        return status == TlsStatus.Complete;
    }

    /// <summary>Moves the record keys into native memory, gives the descriptor up, and leaves what was received but not opened.</summary>
    /// <param name="traffic">Two <c>TlsTrafficState</c> in 64-byte aligned native memory, read before write; its taker frees it.</param>
    /// <param name="unread">Sealed bytes that were received.</param>
    /// <returns>The descriptor: non-blocking, in no epoll set.</returns>
    public unsafe int Detach(out nint traffic, out byte[] unread)
    {
        nuint size = (nuint)(2 * sizeof(TlsTrafficState));
        var states = (TlsTrafficState*)NativeMemory.AlignedAlloc(size, 64);
        NativeMemory.Clear(states, size);
        _tls.DetachTraffic(states, states + 1);
        traffic = (nint)states;
        unread = _received.AsSpan(0, _receivedCount).ToArray();
        return _socket.Release();
    }

    /// <summary>Erases the connection's secrets; the socket is its owner's.</summary>
    public void Dispose() => _tls.Dispose();

    private async ValueTask<bool> ReceiveMoreAsync(CancellationToken cancellation)
    {
        // A whole record always fits: a full buffer without one was refused as an overflow before.
        int count = await _socket.ReceiveAsync(_received.AsMemory(_receivedCount), cancellation);
        _receivedCount += count;
        return count != 0;
    }

    private void Consume(int count)
    {
        _received.AsSpan(count, _receivedCount - count).CopyTo(_received);
        _receivedCount -= count;
    }
}
