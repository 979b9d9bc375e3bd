#pragma warning disable RS0030 // Sockets: sinks belong to the exporter's thread, which is no lcore, and theirs never block.
using System.Net;
using System.Net.Sockets;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Messages;
using CryptoPlane.Ipfix.Names;

namespace CryptoPlane.Ipfix.Sinks;

/// <summary>What an <see cref="IpfixUdpSink"/> is made with.</summary>
/// <param name="Name">What it is called in reports.</param>
/// <param name="Collector">The collector's address and port; IANA's port is 4739.</param>
public sealed record IpfixUdpSinkOptions(string Name, IPEndPoint Collector)
{
    /// <summary>How messages are made. Templates must be sent again over UDP, and a message must fit the path's MTU.</summary>
    public IpfixSessionOptions Session { get; init; } = new() { TemplateRefresh = 60_000_000_000 };

    /// <summary>Bytes of the socket's buffer.</summary>
    public int SocketBuffer { get; init; } = 1024 * 1024;
}

/// <summary>Sends to a collector over UDP (RFC 7011 §10.3). What the socket does not take at once is dropped.</summary>
public sealed class IpfixUdpSink : FlowSink, IIpfixOutput
{
    private const long RetryPeriod = 5_000_000_000;

    private readonly IpfixUdpSinkOptions _options;
    private readonly IpfixSession _session;
    private readonly SinkCounters _counters = new();
    private Socket? _socket;
    private FlowTime _now;
    private long _retryAt = long.MinValue;
    private bool _started, _failing;

    /// <summary>Makes one; the socket is opened when it is first needed.</summary>
    public IpfixUdpSink(IpfixUdpSinkOptions options)
        : base((options ?? throw new ArgumentNullException(nameof(options))).Name)
    {
        // RFC 7011 §8.4: a collector that starts later, or loses the datagram, must get the templates again.
        if (options.Session.TemplateRefresh <= 0)
            throw new ArgumentException("Over UDP templates must be sent again: set TemplateRefresh.", nameof(options));
        _options = options;
        _session = new IpfixSession(options.Session, this);
    }

    /// <inheritdoc/>
    public override FlowSinkStatistics Statistics => _counters.Snapshot;

    /// <inheritdoc/>
    public override string State => Volatile.Read(ref _failing) ? "failing" : "sending";

    /// <inheritdoc/>
    public override void Add(in FlowRecord flow, in FlowRecordNames names, FlowTime now)
    {
        _now = now;
        _counters.Take();
        StartOnce();
        _session.Add(flow, names, now);
    }

    /// <inheritdoc/>
    public override void Tick(FlowTime now)
    {
        _now = now;
        StartOnce();
        _session.Tick(now, _counters.Snapshot, Rings);
    }

    /// <inheritdoc/>
    public override void Close(FlowTime now)
    {
        _now = now;
        StartOnce();
        _session.Flush(now);
        _session.End(now, _counters.Snapshot, Rings);
    }

    /// <inheritdoc/>
    void IIpfixOutput.Write(ReadOnlySpan<byte> message, in FlowTotals flows)
    {
        if (OpenSocket() is not { } socket)
        {
            _counters.Drop(flows, _now.Unix);
            return;
        }
        socket.Send(message, SocketFlags.None, out SocketError error);
        // What an earlier datagram met is told to a later one, which was not sent: once more.
        if (error == SocketError.ConnectionRefused)
        {
            _counters.Fail();
            socket.Send(message, SocketFlags.None, out error);
        }
        if (error == SocketError.Success)
        {
            _counters.Write(flows, messages: 1, message.Length);
            Tell(failing: false, "");
            return;
        }
        _counters.Drop(flows, _now.Unix);
        if (error is SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable)
            return;
        _counters.Fail();
        Tell(failing: true, error == SocketError.MessageSize
            ? $"a message of {message.Length} bytes is too large for the path: make messages smaller"
            : error.ToString());
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _socket?.Dispose();

    private void StartOnce()
    {
        if (_started)
            return;
        _started = true;
        _session.Start(_now);
    }

    private Socket? OpenSocket()
    {
        if (_socket is not null || _now.Monotonic < _retryAt)
            return _socket;
        Socket? socket = null;
        try
        {
            socket = new Socket(_options.Collector.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Blocking = false;
            socket.SendBufferSize = _options.SocketBuffer;
            socket.Connect(_options.Collector);
            return _socket = socket;
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            _counters.Fail();
            _retryAt = _now.Monotonic + RetryPeriod;
            Tell(failing: true, e.Message);
            return null;
        }
    }

    private void Tell(bool failing, string why)
    {
        if (failing == _failing)
            return;
        Volatile.Write(ref _failing, failing);
        Notice?.Invoke(failing ? $"{_options.Collector} cannot be sent to: {why}" : $"{_options.Collector} is sent to again");
    }
}
