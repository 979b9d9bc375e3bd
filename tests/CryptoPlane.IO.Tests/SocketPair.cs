using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.IO.Tests;

/// <summary>Two connected TCP sockets on the loopback interface.</summary>
internal sealed class SocketPair : IDisposable
{
    public SocketPair()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Client.Connect(listener.LocalEndpoint);
        Server = listener.AcceptSocket();
    }

    public Socket Client { get; }

    public Socket Server { get; }

    /// <summary>The server side's raw descriptor.</summary>
    public int File => (int)Server.Handle;

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }
}
