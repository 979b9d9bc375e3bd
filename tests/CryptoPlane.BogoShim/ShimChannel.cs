using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using CryptoPlane.Tls;

namespace CryptoPlane.BogoShim;

/// <summary>A connection of the engine's on a TCP connection to the runner.</summary>
internal sealed class ShimChannel : IDisposable
{
    /// <summary>Types of messages (RFC 8446 §4).</summary>
    private const int ServerHello = 2, EncryptedExtensions = 8;

    private readonly TlsConnection _connection;
    private readonly Socket _socket;
    private readonly bool _byByte;
    private readonly bool _refuses;
    private readonly bool _holdsEarlyDataBack;
    private readonly int _earlyWriteAfter;
    private readonly byte[] _received = new byte[2 * TlsConnection.MaxRecordSize];
    private readonly byte[] _output = new byte[2 * TlsConnection.MaxRecordSize];
    private readonly byte[] _data = new byte[TlsConnection.MaxPlaintextSize];
    private byte[] _heldBack = [];
    private int _length;
    private int _visible;

    public ShimChannel(TlsConnection connection, ShimSettings settings)
    {
        _connection = connection;
        _byByte = settings.Async;
        _refuses = settings.VerifyFail;
        _holdsEarlyDataBack = settings.ReadWithUnfinishedWrite;
        _earlyWriteAfter = settings.EarlyWriteAfterMessage;
        _socket = new Socket(settings.IPv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(settings.IPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, settings.Port);
        if (!settings.HasShimId)
            return;
        Span<byte> id = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(id, settings.ShimId);
        Send(id);
    }

    /// <summary>Bytes that went as early data.</summary>
    public int EarlyDataSent { get; private set; }

    /// <summary>Does the handshake, public-key work and all.</summary>
    /// <param name="early">What a client sends as early data, if it may.</param>
    public void Handshake(ReadOnlySpan<byte> early = default)
    {
        while (true)
        {
            Span<byte> destination = _byByte ? _output.AsSpan(0, 1) : _output;
            TlsStatus status = _connection.Handshake(_received.AsSpan(0, _visible), destination, out int consumed, out int written);
            Drop(consumed);
            if (written > 0)
                SendHeldBack();
            Send(destination[..written]);
            Check(status);
            if (status == TlsStatus.Complete)
                return;
            if (status == TlsStatus.EarlyData)
                EchoEarlyData((TlsServer)_connection);
            else if (_connection.PendingWork is TlsCertificateDecision { IsDone: false } decision)
                Decide(decision);
            else if (_connection.PendingWork is { IsDone: false } work)
                work.Execute();
            else if (!early.IsEmpty && _connection is TlsClient { CanWriteEarlyData: true } client && status == TlsStatus.NeedMoreData && IsTimeForEarlyData())
                WriteEarlyData(client, ref early);
            else if (status == TlsStatus.Closed || (status == TlsStatus.NeedMoreData && !Receive()))
                throw new ShimFailureException("The runner ended the connection during the handshake.");
        }
    }

    /// <summary>Reads the data of one record.</summary>
    /// <param name="isClean">Whether an end was announced by close_notify.</param>
    /// <returns>Empty at the end.</returns>
    public ReadOnlySpan<byte> Read(out bool isClean)
    {
        isClean = false;
        while (true)
        {
            TlsStatus status = _connection.Read(_received.AsSpan(0, _visible), _data, out int consumed, out int written);
            Drop(consumed);
            if (_heldBack.Length == 0)
                Flush();
            Check(status);
            if (status == TlsStatus.Complete)
                return _data.AsSpan(0, written);
            isClean = status == TlsStatus.Closed;
            if (isClean || !Receive())
                return [];
        }
    }

    /// <summary>Writes data, all of it.</summary>
    public void Write(ReadOnlySpan<byte> data)
    {
        SendHeldBack();
        TlsStatus status;
        do
        {
            status = _connection.Write(data, _output, out int consumed, out int written);
            data = data[consumed..];
            Send(_output.AsSpan(0, written));
            Check(status);
        }
        while (status == TlsStatus.DestinationTooSmall);
    }

    /// <summary>Writes data, of which only the first byte gets onto the wire for now.</summary>
    public void WriteOneByteOf(ReadOnlySpan<byte> data)
    {
        Check(_connection.Write(data, _output, out _, out int written));
        Send(_output.AsSpan(0, 1));
        _heldBack = _output.AsSpan(1, written - 1).ToArray();
    }

    /// <summary>Lets the rest of an unfinished write out.</summary>
    public void SendHeldBack()
    {
        Send(_heldBack);
        _heldBack = [];
    }

    /// <summary>Sends close_notify.</summary>
    public void Close()
    {
        SendHeldBack();
        TlsStatus status;
        do
        {
            status = _connection.Close(_output, out int written);
            Send(_output.AsSpan(0, written));
        }
        while (status == TlsStatus.DestinationTooSmall);
    }

    /// <summary>Half-closes, and waits for the runner to close: otherwise a reset could overtake what was sent.</summary>
    public void Dispose()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
            while (_socket.Receive(_received) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // The runner was faster.
        }
        _socket.Dispose();
    }

    /// <summary>A server's answer that does not wait for the client's Finished.</summary>
    private void EchoEarlyData(TlsServer server)
    {
        byte[] answer = ShimRun.Inverted(_data.AsSpan(0, server.ReadEarlyData(_data)));
        if (!server.CanWrite)
            throw new ShimFailureException("Early data came before it can be answered.");
        Write(answer);
    }

    private void WriteEarlyData(TlsClient client, ref ReadOnlySpan<byte> early)
    {
        Check(client.WriteEarlyData(early, _output, out int sent, out int written));
        int first = _holdsEarlyDataBack ? 1 : written;
        Send(_output.AsSpan(0, first));
        _heldBack = _output.AsSpan(first, written - first).ToArray();
        EarlyDataSent = sent;
        early = [];
    }

    private bool IsTimeForEarlyData() => _earlyWriteAfter switch
    {
        ServerHello => _connection.NegotiatedCipherSuite != TlsCipherSuite.None,
        EncryptedExtensions => _connection.EarlyDataStatus == TlsEarlyDataStatus.Accepted,
        _ => true,
    };

    private void Decide(TlsCertificateDecision decision)
    {
        if (_refuses)
            decision.Refuse(TlsAlert.UnknownCa);
        else
            decision.Accept();
    }

    private void Check(TlsStatus status)
    {
        if (status == TlsStatus.Failed)
            throw new ShimFailureException($"{_connection.Error}");
    }

    private void Flush()
    {
        // An answer to a KeyUpdate waits for the next data, so that one is enough for several (RFC 8446 §4.6.3).
        while (_connection.HasPendingOutput)
        {
            _connection.Flush(_output, out int written);
            Send(_output.AsSpan(0, written));
        }
    }

    private void Drop(int count)
    {
        _received.AsSpan(count, _length - count).CopyTo(_received);
        _length -= count;
        _visible -= count;
    }

    /// <returns>False at the end of the stream.</returns>
    private bool Receive()
    {
        if (_visible == _length)
        {
            try
            {
                int count = _socket.Receive(_received, _length, _received.Length - _length, SocketFlags.None);
                if (count == 0)
                    return false;
                _length += count;
            }
            catch (SocketException e)
            {
                throw new ShimFailureException($"Receiving failed: {e.SocketErrorCode}");
            }
        }
        _visible = _byByte ? _visible + 1 : _length;
        return true;
    }

    private void Send(ReadOnlySpan<byte> wire)
    {
        try
        {
            while (!wire.IsEmpty)
                wire = wire[_socket.Send(wire)..];
        }
        catch (SocketException e)
        {
            throw new ShimFailureException($"Sending failed: {e.SocketErrorCode}");
        }
    }
}
