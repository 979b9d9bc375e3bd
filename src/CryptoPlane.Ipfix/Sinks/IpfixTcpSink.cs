#pragma warning disable RS0030 // Sockets: sinks belong to the exporter's thread, which is no lcore, and theirs never block.
using System.Net;
using System.Net.Sockets;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Messages;
using CryptoPlane.Ipfix.Names;

namespace CryptoPlane.Ipfix.Sinks;

/// <summary>What an <see cref="IpfixTcpSink"/> is made with.</summary>
/// <param name="Name">What it is called in reports.</param>
/// <param name="Collector">The collector's address and port; IANA's port is 4739.</param>
public sealed record IpfixTcpSinkOptions(string Name, IPEndPoint Collector)
{
    /// <summary>How messages are made.</summary>
    public IpfixSessionOptions Session { get; init; } = new() { MessageSize = 16_384 };

    /// <summary>Bytes that may wait for the collector; records behind that are dropped.</summary>
    public int Buffer { get; init; } = 4 * 1024 * 1024;

    /// <summary>Nanoseconds until the first attempt to connect again; each failure doubles it.</summary>
    public long MinimumRetry { get; init; } = 1_000_000_000;

    /// <summary>Nanoseconds between attempts at most.</summary>
    public long MaximumRetry { get; init; } = 60_000_000_000;

    /// <summary>After how many nanoseconds in which a collector took nothing of what waits its connection is given up.</summary>
    public long StallTime { get; init; } = 60_000_000_000;
}

/// <summary>
/// Sends to a collector over TCP (RFC 7011 §10.4), and connects again when the connection is lost. What waits in the meantime is bounded.
/// </summary>
/// <remarks>
/// Each connection is a transport session of its own: with templates first, and sequence numbers from 0. IPFIX has no acknowledgement:
/// what the kernel has taken counts as written, and is lost with a connection that breaks.
/// </remarks>
public sealed class IpfixTcpSink : FlowSink, IIpfixOutput
{
    private const long CloseTime = 500;

    private readonly IpfixTcpSinkOptions _options;
    private readonly IpfixSession _session;
    private readonly SinkCounters _counters = new();
    private readonly SendBuffer _buffer;
    private readonly int _reserve;
    private Socket? _socket;
    private bool _isConnected, _wasConnected, _started;
    private long _attemptAt = long.MinValue, _progressAt, _retry;
    private FlowTime _now;

    /// <summary>Makes one; it connects at the first <see cref="Tick"/>.</summary>
    public IpfixTcpSink(IpfixTcpSinkOptions options)
        : base((options ?? throw new ArgumentNullException(nameof(options))).Name)
    {
        // A record may finish a message, and its names another one; templates take a few messages where those are small.
        _reserve = (2 * options.Session.MessageSize) + (8 * IpfixMessage.MaximumRecord);
        if (options.Buffer < 2 * _reserve)
            throw new ArgumentException($"The buffer must have at least {2 * _reserve} bytes for messages of {options.Session.MessageSize}.", nameof(options));
        _options = options;
        // RFC 7011 §8.4 is for UDP alone: a stream has each template once.
        _session = new IpfixSession(options.Session with { TemplateRefresh = 0 }, this);
        _buffer = new SendBuffer(options.Buffer);
        _retry = options.MinimumRetry;
    }

    /// <inheritdoc/>
    public override FlowSinkStatistics Statistics => _counters.Snapshot;

    /// <inheritdoc/>
    public override string State => Volatile.Read(ref _isConnected) ? "connected" : "not connected";

    /// <inheritdoc/>
    public override void Add(in FlowRecord flow, in FlowRecordNames names, FlowTime now)
    {
        _now = now;
        _counters.Take();
        if (_buffer.Room < _reserve)
        {
            Send();
            if (_buffer.Room < _reserve)
            {
                _counters.Drop(default(FlowTotals).With(flow), now.Unix);
                return;
            }
        }
        StartOnce();
        _session.Add(flow, names, now);
    }

    /// <inheritdoc/>
    public override void Tick(FlowTime now)
    {
        _now = now;
        StartOnce();
        if (_buffer.Room >= _reserve)
            _session.Tick(now, _counters.Snapshot, Rings);
        if (_socket is null && now.Monotonic >= _attemptAt)
            Connect();
        if (_socket is not null && !_isConnected)
            CheckConnect();
        Send();
        if (_isConnected)
            CheckPeer();
    }

    /// <inheritdoc/>
    public override void Close(FlowTime now)
    {
        Tick(now);
        if (_buffer.Room >= _reserve)
        {
            _session.Flush(now);
            Send();
            _session.End(now, _counters.Snapshot, Rings);
        }
        long end = Environment.TickCount64 + CloseTime;
        while (_isConnected && !_buffer.Waiting.IsEmpty && Environment.TickCount64 < end)
        {
            Send();
            Thread.Sleep(1);
        }
        _buffer.Clear(_counters, now.Unix);
        _socket?.Close();
    }

    /// <inheritdoc/>
    void IIpfixOutput.Write(ReadOnlySpan<byte> message, in FlowTotals flows) => _buffer.Append(message, flows);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _socket?.Dispose();

    private void StartOnce()
    {
        if (_started)
            return;
        _started = true;
        _session.Start(_now);
    }

    private void Connect()
    {
        _progressAt = _now.Monotonic;
        try
        {
            _socket = new Socket(_options.Collector.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false, NoDelay = true };
            _socket.Connect(_options.Collector);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            // The normal case of a socket that does not block: CheckConnect sees how it ends.
        }
        catch (SocketException e)
        {
            Lose(e.SocketErrorCode.ToString());
        }
    }

    private void CheckConnect()
    {
        var error = (SocketError)(int)_socket!.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        if (error != SocketError.Success)
        {
            Lose(error.ToString());
            return;
        }
        if (!_socket.Poll(0, SelectMode.SelectWrite))
        {
            if (_now.Monotonic - _progressAt >= _options.StallTime)
                Lose("no answer");
            return;
        }
        Volatile.Write(ref _isConnected, true);
        _progressAt = _now.Monotonic;
        _retry = _options.MinimumRetry;
        if (_wasConnected)
            _counters.Reconnect();
        _wasConnected = true;
        Notice?.Invoke($"connected to {_options.Collector}");
    }

    private void Send()
    {
        while (_isConnected && !_buffer.Waiting.IsEmpty)
        {
            int sent = _socket!.Send(_buffer.Waiting, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success && sent > 0)
            {
                _buffer.Advance(sent, _counters);
                _progressAt = _now.Monotonic;
                continue;
            }
            if (error != SocketError.WouldBlock)
                Lose(error.ToString());
            else if (_now.Monotonic - _progressAt >= _options.StallTime)
                Lose($"it took nothing for {_options.StallTime / 1_000_000_000} s");
            return;
        }
        if (_isConnected)
            _progressAt = _now.Monotonic;
    }

    /// <summary>A collector says nothing (RFC 7011 §10.4.2): what can be read is the connection's end.</summary>
    private void CheckPeer()
    {
        Span<byte> ignored = stackalloc byte[256];
        int count = _socket!.Receive(ignored, SocketFlags.None, out SocketError error);
        if (error == SocketError.Success && count == 0)
            Lose("the collector closed it");
        else if (error is not (SocketError.Success or SocketError.WouldBlock))
            Lose(error.ToString());
    }

    private void Lose(string why)
    {
        bool was = _isConnected;
        _counters.Fail();
        _socket?.Dispose();
        _socket = null;
        Volatile.Write(ref _isConnected, false);
        _attemptAt = _now.Monotonic + _retry;
        // One notice for a loss, and one for each time that the wait has grown.
        if (was || _retry < _options.MaximumRetry)
            Notice?.Invoke($"{(was ? "lost the connection to" : "cannot connect to")} {_options.Collector}: {why}; the next attempt is in {_retry / 1_000_000} ms");
        _retry = Math.Min(_retry * 2, _options.MaximumRetry);
        if (!_buffer.HasSent)
            return;
        // What waits continues a stream of which the next connection has not the beginning. A new session begins with templates.
        _buffer.Clear(_counters, _now.Unix);
        _counters.Drop(_session.Start(_now), _now.Unix);
    }
}
