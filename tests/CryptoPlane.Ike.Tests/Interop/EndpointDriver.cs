using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CryptoPlane.Ike.Tests.Session;
using CryptoPlane.TestKit;

namespace CryptoPlane.Ike.Tests.Interop;

/// <summary>An endpoint on real UDP sockets, 500 and 4500, of a network namespace. It runs while a test waits for something.</summary>
internal sealed class EndpointDriver : IDisposable
{
    private readonly Dictionary<Socket, IPEndPoint> _sockets = [];
    private readonly byte[] _buffer = new byte[65_536];

    public EndpointDriver(NetworkNamespace space, IPAddress address, params IkeConnection[] connections)
    {
        Peer = new TestPeer("we", Environment.TickCount, options => new IkeEndpointOptions
        {
            ChildSpis = options.ChildSpis,
            Connections = options.Connections,
            // Faster than for the Internet: a datagram between two namespaces is not lost, but charon may still be starting.
            RetransmitDelay = 200,
            ReplacedChildLinger = 100,
        }, connections);
        foreach (int port in (int[])[500, 4500])
        {
            IPEndPoint local = new(address, port);
            _sockets.Add(space.Within(() =>
            {
                Socket socket = new(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
                socket.Bind(local);
                return socket;
            }), local);
        }
    }

    /// <summary>The endpoint, and what a data plane would have made of its events.</summary>
    public TestPeer Peer { get; }

    public static long Now => Environment.TickCount64;

    /// <summary>Runs until a condition holds.</summary>
    public void Until(Func<bool> condition, string what)
    {
        Stopwatch watch = Stopwatch.StartNew();
        do
        {
            Turn(5);
            Assert.True(watch.Elapsed < Eventually.DefaultTimeout, $"waited in vain for: {what}; events: {string.Join("; ", Peer.Events.TakeLast(4))}");
        }
        while (!condition());
    }

    /// <summary>Runs while a program runs to its end, which it must do well.</summary>
    public ProgramResult While(Func<ProgramResult> program)
    {
        Task<ProgramResult> task = Task.Factory.StartNew(program, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Until(() => task.IsCompleted, "the program's end");
        return task.GetAwaiter().GetResult().EnsureSuccess();
    }

    public void Dispose()
    {
        Peer.Dispose();
        foreach (Socket socket in _sockets.Keys)
            socket.Dispose();
    }

    private void Turn(int milliseconds)
    {
        Send();
        List<Socket> readable = [.. _sockets.Keys];
        Socket.Select(readable, null, null, milliseconds * 1_000);
        foreach (Socket socket in readable)
        {
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            int length = socket.ReceiveFrom(_buffer, ref from);
            ReadOnlySpan<byte> message = _buffer.AsSpan(0, length);
            if (_sockets[socket].Port == 4500)
            {
                // ESP and keepalives are not for IKE.
                if (length <= 4 || message[..4].ContainsAnyExcept((byte)0))
                    continue;
                message = message[4..];
            }
            Peer.Endpoint.HandleDatagram(_sockets[socket], (IPEndPoint)from, message, Now);
        }
        if (Peer.Endpoint.NextTimeout <= Now)
            Peer.Endpoint.HandleTimeout(Now);
        Send();
        Peer.TakeEvents();
    }

    private void Send()
    {
        while (Peer.Endpoint.TryPollTransmit(out IkeDatagram? datagram))
            _sockets.First(pair => pair.Value.Port == datagram.Local.Port).Key.SendTo(datagram.Payload.Span, datagram.Remote);
    }
}
