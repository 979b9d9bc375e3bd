using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CryptoPlane.TestKit;

namespace CryptoPlane.Ike.Tests.Interop;

/// <summary>
/// An endpoint on UDP ports 500 and 4500 of an address in a network namespace, driven by a thread of its own. It takes every event, and
/// keeps every datagram for tshark; ESP is not its business.
/// </summary>
internal sealed class UdpPeer : IDisposable
{
    private const int NonEspMarkerSize = 4;

    private readonly IIkeEndpoint _endpoint;
    private readonly IPAddress _address;
    private readonly Socket[] _sockets;
    private readonly List<IkeEvent> _events = [];
    private readonly List<(IPEndPoint From, IPEndPoint To, byte[] Payload)> _datagrams = [];
    private readonly Lock _lock = new();
    private readonly Thread _thread;
    private Exception? _failure;
    private volatile bool _stopped;

    /// <summary>Starts it.</summary>
    /// <param name="place">Where its sockets are.</param>
    /// <param name="address">Their address, which a device of the namespace has.</param>
    /// <param name="endpoint">Owned from now on.</param>
    public UdpPeer(NetworkNamespace place, IPAddress address, IIkeEndpoint endpoint)
    {
        _endpoint = endpoint;
        _address = address;
        _sockets = place.Within<Socket[]>(() => [Bind(500), Bind(4500)]);
        _thread = new Thread(Run) { IsBackground = true, Name = "ike" };
        _thread.Start();
    }

    /// <summary>Every event so far.</summary>
    public IReadOnlyList<IkeEvent> Events
    {
        get
        {
            lock (_lock)
                return [.. _events];
        }
    }

    /// <summary>Every datagram so far, in both directions.</summary>
    public IReadOnlyList<(IPEndPoint From, IPEndPoint To, byte[] Payload)> Datagrams
    {
        get
        {
            lock (_lock)
                return [.. _datagrams];
        }
    }

    /// <summary>Milliseconds of the endpoint's clock.</summary>
    private static long Now => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000);

    /// <summary>Calls the endpoint, between two turns of its thread.</summary>
    public T Call<T>(Func<IIkeEndpoint, long, T> call)
    {
        lock (_lock)
        {
            T result = call(_endpoint, Now);
            Flush();
            return result;
        }
    }

    /// <summary>Calls the endpoint, between two turns of its thread.</summary>
    public void Call(Action<IIkeEndpoint, long> call) => Call((endpoint, now) =>
    {
        call(endpoint, now);
        return true;
    });

    /// <summary>Waits until so many events of a kind have come.</summary>
    /// <param name="count">How many.</param>
    /// <param name="peerLog">What the other side has to say if they do not.</param>
    /// <returns>The last of them.</returns>
    public T Await<T>(int count, Func<string> peerLog)
        where T : IkeEvent
    {
        bool came = Eventually.Becomes(() => _failure is not null || Events.OfType<T>().Count() >= count, TimeSpan.FromSeconds(30));
        Assert.True(_failure is null, _failure?.ToString());
        Assert.True(came, $"there is no {typeof(T).Name} number {count}; events: {string.Join("; ", Events)}{Environment.NewLine}{peerLog()}");
        return Events.OfType<T>().ElementAt(count - 1);
    }

    public void Dispose()
    {
        _stopped = true;
        _thread.Join();
        foreach (Socket socket in _sockets)
            socket.Dispose();
        _endpoint.Dispose();
        foreach (ChildSaInstalled installed in _events.OfType<ChildSaInstalled>())
            installed.Keys.Dispose();
    }

    private Socket Bind(int port)
    {
        Socket socket = new(_address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(_address, port));
        return socket;
    }

    private void Run()
    {
        byte[] buffer = new byte[65_536];
        try
        {
            while (!_stopped)
            {
                List<Socket> readable = [.. _sockets];
                Socket.Select(readable, null, null, microSeconds: 10_000);
                lock (_lock)
                {
                    foreach (Socket socket in readable)
                        Receive(socket, buffer);
                    if (_endpoint.NextTimeout <= Now)
                        _endpoint.HandleTimeout(Now);
                    Flush();
                }
            }
        }
        catch (Exception exception)
        {
            _failure = exception;
        }
    }

    private void Receive(Socket socket, byte[] buffer)
    {
        EndPoint from = new IPEndPoint(_address, 0);
        int length;
        try
        {
            length = socket.ReceiveFrom(buffer, ref from);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // ICMP's answer to what was sent: the peer does not run yet, or not any more.
            return;
        }
        IPEndPoint local = (IPEndPoint)socket.LocalEndPoint!;
        _datagrams.Add(((IPEndPoint)from, local, buffer[..length]));
        ReadOnlySpan<byte> message = buffer.AsSpan(0, length);
        if (local.Port == 4500)
        {
            // RFC 3948 §2: four zero bytes are IKE, a lone byte is a keepalive, anything else is ESP.
            if (length <= NonEspMarkerSize || message[..NonEspMarkerSize].ContainsAnyExcept((byte)0))
                return;
            message = message[NonEspMarkerSize..];
        }
        _endpoint.HandleDatagram(local, (IPEndPoint)from, message, Now);
    }

    private void Flush()
    {
        while (_endpoint.TryPollTransmit(out IkeDatagram? datagram))
        {
            _datagrams.Add((datagram.Local, datagram.Remote, datagram.Payload.ToArray()));
            _sockets[datagram.Local.Port == 4500 ? 1 : 0].SendTo(datagram.Payload.Span, datagram.Remote);
        }
        while (_endpoint.TryPollEvent(out IkeEvent? e))
            _events.Add(e);
    }
}
