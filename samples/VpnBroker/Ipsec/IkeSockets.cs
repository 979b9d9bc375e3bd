using System.Net;
using System.Net.Sockets;
using CryptoPlane.IO;
using VpnBroker.Configuration;

namespace VpnBroker.Ipsec;

/// <summary>Takes a datagram: local and remote end, and the IKE message in it.</summary>
internal delegate void IkeReceiver(IPEndPoint local, IPEndPoint remote, ReadOnlySpan<byte> message);

/// <summary>
/// IKE's sockets: port 500 of each address, which are its own, and port 4500, which the data plane has opened beside the lcores'. IKE's thread.
/// </summary>
internal sealed class IkeSockets : IDisposable
{
    /// <summary>Datagrams of one socket in one turn: the others are to have theirs, and what time brings its own.</summary>
    private const int Burst = 64;

    private const int MarkerSize = 4;

    private readonly List<(Socket Socket, IPEndPoint Local)> _sockets = [];
    private readonly List<Socket> _own = [];
    private readonly byte[] _buffer = new byte[65536];

    /// <summary>Opens the sockets of port 500.</summary>
    /// <param name="addresses">The broker's outer addresses.</param>
    /// <param name="shared">The data plane's, on port 4500.</param>
    /// <exception cref="IpsecException">The kernel refused; the message says what to do.</exception>
    public IkeSockets(IReadOnlyList<IPAddress> addresses, IReadOnlyList<Socket> shared)
    {
        foreach (Socket socket in shared)
            _sockets.Add((socket, (IPEndPoint)socket.LocalEndPoint!));
        foreach (IPAddress address in addresses)
        {
            var local = new IPEndPoint(address, IpsecConfig.IkePort);
            var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
            _own.Add(socket);
            try
            {
                if (address.AddressFamily == AddressFamily.InterNetworkV6)
                    socket.DualMode = false;
                socket.Bind(local);
            }
            catch (SocketException e)
            {
                Dispose();
                throw new IpsecException(
                    $"IKE cannot bind to {local}: {e.Message}. Is the address one of this machine's, does no other IKE daemon run, and may the process use ports below 1024 (CAP_NET_BIND_SERVICE)?");
            }
            _sockets.Add((socket, local));
        }
    }

    /// <summary>Datagrams that could not be sent; a peer asks again, or we do.</summary>
    public long Unsent { get; private set; }

    /// <summary>Watches the sockets.</summary>
    public void Watch(EpollSet epoll)
    {
        for (int i = 0; i < _sockets.Count; i++)
        {
            if (!epoll.TryAdd((int)_sockets[i].Socket.Handle, EpollEvents.Readable, (ulong)i))
                throw new IpsecException($"the kernel does not watch IKE's socket {_sockets[i].Local}");
        }
    }

    /// <summary>Takes what has come on a socket.</summary>
    /// <param name="index">As the epoll set gives it.</param>
    /// <param name="receiver">Takes the messages.</param>
    public void Receive(int index, IkeReceiver receiver)
    {
        (Socket socket, IPEndPoint local) = _sockets[index];
        for (int i = 0; i < Burst && socket.Poll(0, SelectMode.SelectRead); i++)
        {
            int length;
            EndPoint remote = local.AddressFamily == AddressFamily.InterNetwork ? new IPEndPoint(IPAddress.Any, 0) : new IPEndPoint(IPAddress.IPv6Any, 0);
            try
            {
                length = socket.ReceiveFrom(_buffer, ref remote);
            }
            catch (SocketException)
            {
                // The network's answer to something that was sent (port unreachable): IKE does not believe what is not authentic (RFC 7296 §2.4).
                continue;
            }
            ReadOnlySpan<byte> message = _buffer.AsSpan(0, length);
            if (local.Port == IpsecConfig.NatPort)
            {
                // RFC 3948 §2.2: four zero bytes, where ESP has its SPI.
                if (length <= MarkerSize || message[..MarkerSize].ContainsAnyExcept((byte)0))
                    continue;
                message = message[MarkerSize..];
            }
            receiver(local, (IPEndPoint)remote, message);
        }
    }

    /// <summary>Sends a datagram from one of the local ends; what the kernel does not take is lost, as on the way.</summary>
    public void Send(IPEndPoint local, IPEndPoint remote, ReadOnlySpan<byte> payload)
    {
        foreach ((Socket socket, IPEndPoint end) in _sockets)
        {
            if (!end.Equals(local))
                continue;
            try
            {
                socket.SendTo(payload, SocketFlags.None, remote);
                return;
            }
            catch (SocketException)
            {
                break;
            }
        }
        Unsent++;
    }

    /// <summary>Closes port 500; the data plane closes what it has opened.</summary>
    public void Dispose() => _own.ForEach(socket => socket.Dispose());
}
