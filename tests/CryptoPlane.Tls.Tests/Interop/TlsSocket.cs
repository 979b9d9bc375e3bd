using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Drives a connection over a blocking TCP socket; every wait has a limit.</summary>
internal sealed class TlsSocket : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private byte[] _received = new byte[2 * TlsConnection.MaxRecordSize];
    private int _receivedLength;

    public TlsSocket(TlsConnection connection, Socket socket)
    {
        Connection = connection;
        _socket = socket;
        _socket.NoDelay = true;
        _socket.ReceiveTimeout = _socket.SendTimeout = (int)s_limit.TotalMilliseconds;
    }

    public TlsConnection Connection { get; }

    /// <summary>Early data that came, on a server.</summary>
    public List<byte> EarlyData { get; } = [];

    /// <summary>Whether the peer ended its direction with close_notify.</summary>
    public bool IsClosedByPeer { get; private set; }

    /// <summary>Accepts one connection of a listener and does the handshake as the server.</summary>
    public static TlsSocket Accept(TcpListener listener, TlsServerOptions options)
    {
        if (!listener.Server.Poll(s_limit, SelectMode.SelectRead))
            throw new TimeoutException("Nobody connected.");
        var socket = new TlsSocket(new TlsServer(options), listener.AcceptSocket());
        socket.Handshake();
        return socket;
    }

    /// <summary>Connects to a port of the loopback interface, which a program may be about to open, and does the handshake as the client.</summary>
    /// <param name="port">The port.</param>
    /// <param name="options">Of the connection.</param>
    /// <param name="earlyData">Sent as early data, if the session permits it.</param>
    public static TlsSocket Connect(int port, TlsClientOptions options, byte[]? earlyData = null)
    {
        Socket? connected = null;
        TestKit.Eventually.True(() => TryConnect(port, out connected), $"somebody to listen on port {port}", s_limit);
        var socket = new TlsSocket(new TlsClient(options), connected!);
        socket.Handshake(earlyData);
        return socket;
    }

    /// <summary>Sends data.</summary>
    public void Write(ReadOnlySpan<byte> data)
    {
        byte[] wire = new byte[TlsConnection.MaxRecordSize];
        TlsStatus status;
        do
        {
            status = Connection.Write(data, wire, out int consumed, out int written);
            data = data[consumed..];
            Send(wire.AsSpan(0, written));
            Check(status);
        }
        while (status == TlsStatus.DestinationTooSmall);
    }

    /// <summary>Reads what there is, at least one byte.</summary>
    /// <returns>Nothing once the peer has closed its direction.</returns>
    public byte[] Read()
    {
        byte[] data = new byte[TlsConnection.MaxPlaintextSize];
        byte[] answer = new byte[TlsConnection.MaxRecordSize];
        while (true)
        {
            TlsStatus status = Connection.Read(_received.AsSpan(0, _receivedLength), data, out int consumed, out int written);
            Consume(consumed);
            if (Connection.HasPendingOutput || status is TlsStatus.Complete or TlsStatus.NeedMoreData)
            {
                Connection.Flush(answer, out int pending);
                Send(answer.AsSpan(0, pending));
            }
            Check(status);
            if (status == TlsStatus.Complete)
                return data[..written];
            if (Connection.PendingWork is { IsDone: false } work)
            {
                work.Execute();
                continue;
            }
            IsClosedByPeer = status == TlsStatus.Closed;
            if (IsClosedByPeer)
                return [];
            Receive();
        }
    }

    /// <summary>Reads so many bytes.</summary>
    public byte[] ReadExactly(int length)
    {
        var all = new MemoryStream();
        while (all.Length < length)
        {
            byte[] data = Read();
            if (data.Length == 0)
                throw new InvalidOperationException($"The peer closed after {all.Length} of {length} bytes.");
            all.Write(data);
        }
        return all.ToArray();
    }

    /// <summary>Reads until the text that came contains something.</summary>
    public string ReadUntil(string text)
    {
        var all = new StringBuilder();
        while (!all.ToString().Contains(text, StringComparison.Ordinal))
        {
            byte[] data = Read();
            if (data.Length == 0)
                throw new InvalidOperationException($"The peer closed, and '{text}' had not come, but: {all}");
            all.Append(Encoding.ASCII.GetString(data));
        }
        return all.ToString();
    }

    /// <summary>Sends close_notify.</summary>
    public void Close()
    {
        byte[] wire = new byte[TlsConnection.MaxRecordSize];
        TlsStatus status;
        do
        {
            status = Connection.Close(wire, out int written);
            Send(wire.AsSpan(0, written));
        }
        while (status == TlsStatus.DestinationTooSmall);
    }

    /// <summary>Reads and drops data until the peer's close_notify.</summary>
    public void WaitForPeersClose()
    {
        while (!IsClosedByPeer)
            Read();
    }

    public void Dispose()
    {
        Connection.Dispose();
        _socket.Dispose();
    }

    private static bool TryConnect(int port, out Socket? connected)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            connected = socket;
            return true;
        }
        catch (SocketException)
        {
            // The program does not listen yet.
            socket.Dispose();
            connected = null;
            return false;
        }
    }

    private void Handshake(byte[]? earlyData = null)
    {
        byte[] wire = new byte[TlsConnection.MaxRecordSize];
        while (true)
        {
            TlsStatus status = Connection.Handshake(_received.AsSpan(0, _receivedLength), wire, out int consumed, out int written);
            Consume(consumed);
            Send(wire.AsSpan(0, written));
            Check(status);
            if (status == TlsStatus.Complete)
                return;
            if (Connection.PendingWork is { IsDone: false } work)
                work.Execute();
            else if (status == TlsStatus.EarlyData)
                EarlyData.AddRange(wire.AsSpan(0, ((TlsServer)Connection).ReadEarlyData(wire)));
            else if (earlyData is not null && Connection is TlsClient { CanWriteEarlyData: true } client)
                SendEarlyData(client, ref earlyData);
            else if (status == TlsStatus.NeedMoreData)
                Receive();
            else if (status == TlsStatus.Closed)
                throw new InvalidOperationException("The peer closed during the handshake.");
        }
    }

    private void SendEarlyData(TlsClient client, ref byte[]? earlyData)
    {
        byte[] wire = new byte[earlyData!.Length + 1000];
        Check(client.WriteEarlyData(earlyData, wire, out int consumed, out int written));
        Assert.Equal(earlyData.Length, consumed);
        Send(wire.AsSpan(0, written));
        earlyData = null;
    }

    private void Check(TlsStatus status)
    {
        if (status == TlsStatus.Failed)
            throw new InvalidOperationException($"{Connection.Error!.Kind}, {Connection.Error.Alert}: {Connection.Error.Message}");
    }

    private void Consume(int count)
    {
        _received.AsSpan(count, _receivedLength - count).CopyTo(_received);
        _receivedLength -= count;
    }

    private void Receive()
    {
        int count = _socket.Receive(_received, _receivedLength, _received.Length - _receivedLength, SocketFlags.None);
        if (count == 0)
            throw new EndOfStreamException("The peer ended the stream without close_notify.");
        _receivedLength += count;
    }

    private void Send(ReadOnlySpan<byte> wire)
    {
        while (!wire.IsEmpty)
            wire = wire[_socket.Send(wire)..];
    }
}
