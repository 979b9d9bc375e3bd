using System.Net;
using System.Net.Sockets;
using CryptoPlane.Tls.Dtls;
using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.Sessions;

namespace VpnBroker.Listening;

/// <summary>
/// DTLS handshakes on one UDP socket, on a thread of its own: they cost a few hashes each. What comes from a client whose keys are with an
/// lcore goes to the lcore's socket, except its last flight, sent again, which is answered here.
/// </summary>
internal sealed partial class DtlsListener : IDisposable
{
    private const int DatagramsInARow = 256, LongestDatagram = 2048;

    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a client that has missed the last flight can ask for it, in milliseconds.</summary>
    private const long KeptForRetransmission = 60_000;

    private readonly Socket _socket;
    private readonly int _port;
    private readonly IDataPlane _dataPlane;
    private readonly SessionTable _sessions;
    private readonly Func<LimitsConfig> _limits;
    private readonly ILogger _logger;
    private readonly DtlsServerOptions _options = new() { Identity = "psk"u8.ToArray() };
    private readonly DtlsHelloGate _gate = new();
    private readonly Dictionary<SocketAddress, Association> _associations = [];
    private readonly byte[] _datagram = new byte[LongestDatagram];
    private readonly byte[] _answer = new byte[LongestDatagram];
    private readonly Thread _thread;
    private long _nextSweep;
    private long _failed, _refused, _cookieRequests, _dropped;
    private int _halfOpen;
    private volatile bool _stop;

    /// <summary>Starts the thread.</summary>
    /// <param name="socket">The data plane's socket for handshakes; not blocking.</param>
    /// <param name="port">Its index.</param>
    /// <param name="dataPlane">Takes the keys.</param>
    /// <param name="sessions">Know App-IDs and their keys.</param>
    /// <param name="limits">Gives the limits of now.</param>
    /// <param name="logger">The log.</param>
    public DtlsListener(Socket socket, int port, IDataPlane dataPlane, SessionTable sessions, Func<LimitsConfig> limits, ILogger logger)
    {
        _socket = socket;
        _port = port;
        _dataPlane = dataPlane;
        _sessions = sessions;
        _limits = limits;
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = $"dtls {port}" };
        _thread.Start();
    }

    /// <summary>Handshakes that are not complete.</summary>
    public int HalfOpen => Volatile.Read(ref _halfOpen);

    /// <summary>Handshakes that failed.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Hellos of no session with a tunnel, or too many at a time.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Hellos that were answered with a cookie.</summary>
    public long CookieRequests => Interlocked.Read(ref _cookieRequests);

    /// <summary>Datagrams that were dropped.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        foreach (Association association in _associations.Values)
            association.Server.Dispose();
        _gate.Dispose();
    }

    private void Run()
    {
        var from = new SocketAddress(_socket.AddressFamily);
        while (!_stop)
        {
            try
            {
                if (_socket.Poll(s_tick, SelectMode.SelectRead))
                {
                    for (int i = 0; i < DatagramsInARow && _socket.Available > 0; i++)
                    {
                        int length = _socket.ReceiveFrom(_datagram, SocketFlags.None, from);
                        Process(_datagram.AsSpan(0, length), from, Environment.TickCount64);
                    }
                }
            }
            catch (SocketException)
            {
                // The network's answer to something that was sent before, or a datagram that is too long: the next one is another's.
                Interlocked.Increment(ref _dropped);
            }
            Sweep(Environment.TickCount64);
        }
    }

    private void Process(ReadOnlySpan<byte> datagram, SocketAddress from, long now)
    {
        Association? known = _associations.GetValueOrDefault(from);
        switch (_gate.Check(datagram, from.Buffer.Span[..from.Size], now, _answer, out DtlsClientHello? hello))
        {
            case DtlsHelloStatus.SendAnswer:
                Interlocked.Increment(ref _cookieRequests);
                Send(_answer.AsSpan(0, DtlsHelloGate.AnswerSize), from);
                break;
            case DtlsHelloStatus.Malformed:
                Interlocked.Increment(ref _dropped);
                break;
            case DtlsHelloStatus.Accepted when known is null || !known.Server.IsOf(hello!):
                Begin(hello!, from, now);
                break;
            default:
                if (known is null)
                    Interlocked.Increment(ref _dropped);
                else
                    Continue(known, datagram, now);
                break;
        }
    }

    private void Begin(DtlsClientHello hello, SocketAddress from, long now)
    {
        if (_halfOpen >= _limits().HalfOpen || _sessions.BeginDtls(_options, hello, now) is not { } begun)
        {
            Interlocked.Increment(ref _refused);
            return;
        }
        var address = new SocketAddress(from.Family, from.Size);
        from.Buffer[..from.Size].CopyTo(address.Buffer);
        // RFC 6347 §4.2.8: the keys of before stay with the lcore until the client has shown that it has the new ones.
        if (_associations.Remove(address, out Association? before))
            Forget(before);
        var association = new Association(begun.Server, begun.TunnelId, begun.User, address);
        _associations.Add(address, association);
        _halfOpen++;
        Flush(association);
    }

    private void Continue(Association association, ReadOnlySpan<byte> datagram, long now)
    {
        association.Server.Receive(datagram, now);
        if (association.Server.IsComplete && association.CompleteSince == 0)
            Complete(association, now);
        else if (association.CompleteSince == 0 || association.IsAttached)
            Flush(association);
    }

    /// <summary>The keys go to the lcore first: when the client hears that all is well, its data is awaited.</summary>
    private unsafe void Complete(Association association, long now)
    {
        association.CompleteSince = now;
        _halfOpen--;
        DtlsBinding* binding = DtlsBinding.Create();
        association.Server.DetachTraffic(DtlsBinding.StatesOf(binding), DtlsBinding.StatesOf(binding) + 1);
        var peer = (IPEndPoint)new IPEndPoint(association.Peer.Family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0)
            .Create(association.Peer);
        var lastFlight = new List<byte[]>();
        while (association.Server.TryTakeDatagram(_answer, out int length))
            lastFlight.Add(_answer[..length]);
        _ = AttachAsync(association, peer, (nint)binding, lastFlight);
    }

    private async Task AttachAsync(Association association, IPEndPoint peer, nint binding, List<byte[]> lastFlight)
    {
        try
        {
            var request = new DtlsChannelRequest { TunnelId = association.TunnelId, Peer = peer, Port = _port, Binding = binding };
            if (!await _dataPlane.AttachDtlsAsync(request))
                return;
            association.IsAttached = true;
            lastFlight.ForEach(datagram => Send(datagram, association.Peer));
            LogAttached(_logger, association.User, peer, association.Server.NegotiatedCipherSuite);
        }
        catch (InvalidOperationException)
        {
            // The data plane is stopping.
        }
    }

    private void Flush(Association association)
    {
        while (association.Server.TryTakeDatagram(_answer, out int length))
            Send(_answer.AsSpan(0, length), association.Peer);
    }

    private void Send(ReadOnlySpan<byte> datagram, SocketAddress to)
    {
        try
        {
            _socket.SendTo(datagram, SocketFlags.None, to);
        }
        catch (SocketException)
        {
            // Full, or the network says no: lost like any datagram.
            Interlocked.Increment(ref _dropped);
        }
        catch (ObjectDisposedException)
        {
            // The data plane has stopped.
        }
    }

    private void Sweep(long now)
    {
        if (now < _nextSweep)
            return;
        _nextSweep = now + (long)s_tick.TotalMilliseconds;
        foreach (Association association in _associations.Values)
        {
            if (association.CompleteSince == 0 && now >= association.Server.NextDeadline)
            {
                association.Server.Advance(now);
                Flush(association);
            }
            // Removing is allowed while a dictionary is walked.
            bool failed = association.Server.Error is not null;
            if (failed)
            {
                LogFailed(_logger, association.User, association.Server.Error!.ToString());
                Interlocked.Increment(ref _failed);
            }
            if (failed || (association.CompleteSince != 0 && now - association.CompleteSince >= KeptForRetransmission))
            {
                _associations.Remove(association.Peer);
                Forget(association);
            }
        }
    }

    private void Forget(Association association)
    {
        if (association.CompleteSince == 0)
            _halfOpen--;
        association.Server.Dispose();
    }

    [LoggerMessage(1, LogLevel.Debug, "{User} has a data channel over DTLS from {Peer}: {Suite}")]
    private static partial void LogAttached(ILogger logger, string user, IPEndPoint peer, DtlsCipherSuite suite);

    [LoggerMessage(2, LogLevel.Debug, "The DTLS handshake of {User} failed: {Reason}")]
    private static partial void LogFailed(ILogger logger, string user, string reason);

    /// <summary>A client's handshake, and for a while what is left of it.</summary>
    private sealed class Association(DtlsServer server, ulong tunnelId, string user, SocketAddress peer)
    {
        private volatile bool _isAttached;

        public DtlsServer Server => server;

        public ulong TunnelId => tunnelId;

        public string User => user;

        public SocketAddress Peer => peer;

        /// <summary>When the handshake was complete; 0 before.</summary>
        public long CompleteSince { get; set; }

        /// <summary>Whether the lcore has the keys. Set by another thread.</summary>
        public bool IsAttached
        {
            get => _isAttached;
            set => _isAttached = value;
        }
    }
}
