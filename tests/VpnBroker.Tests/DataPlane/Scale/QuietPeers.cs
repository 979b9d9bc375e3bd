using System.Net;
using System.Runtime.InteropServices;

namespace VpnBroker.Tests.DataPlane.Scale;

/// <summary>
/// Peers of TCP connections that nobody accepts: the kernel holds their end in the listeners' queues, where it takes what is sent, so
/// that a quiet connection costs the test one descriptor, and nothing on the managed heap.
/// </summary>
internal sealed unsafe partial class QuietPeers : IDisposable
{
    private const int AfInet = 2, SockStream = 1, NonBlocking = 0x800, CloseOnExec = 0x80000, InProgress = 115;

    /// <summary>Connections that one listener holds: net.core.somaxconn has been 4096 since Linux 5.4.</summary>
    private const int Backlog = 4000;

    private readonly List<(int Socket, SocketAddress4 Address)> _listeners = [];
    private int _connections;

    /// <summary>Makes a connection.</summary>
    /// <returns>Its near end, non-blocking; whoever takes it closes it.</returns>
    public int Connect()
    {
        if (_connections++ % Backlog == 0)
            Listen();
        SocketAddress4 address = _listeners[^1].Address;
        int socket = Check(Socket(AfInet, SockStream | NonBlocking | CloseOnExec, 0), "socket");
        if (Connect(socket, &address, sizeof(SocketAddress4)) != 0 && Marshal.GetLastPInvokeError() != InProgress)
            Check(-1, "connect");
        return socket;
    }

    public void Dispose() => _listeners.ForEach(listener => CryptoPlane.IO.TcpSocket.Close(listener.Socket));

    private void Listen()
    {
        int socket = Check(Socket(AfInet, SockStream | CloseOnExec, 0), "socket");
        var address = new SocketAddress4 { Family = AfInet, Address = (uint)IPAddress.HostToNetworkOrder(0x7F000001) };
        uint length = (uint)sizeof(SocketAddress4);
        Check(Bind(socket, &address, length), "bind");
        Check(GetName(socket, &address, &length), "getsockname");
        Check(Listen(socket, Backlog + 50), "listen");
        _listeners.Add((socket, address));
    }

    private static int Check(int result, string call) => result >= 0
        ? result
        : throw new InvalidOperationException($"{call} failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int socket, SocketAddress4* address, uint length);

    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    private static partial int GetName(int socket, SocketAddress4* address, uint* length);

    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)]
    private static partial int Listen(int socket, int backlog);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(int socket, SocketAddress4* address, int length);

    /// <summary>struct sockaddr_in.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 16)]
    private struct SocketAddress4
    {
        public ushort Family;
        public ushort Port;
        public uint Address;
    }
}
