using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.TestKit;

/// <summary>Port numbers on the loopback interface that nobody uses at the moment.</summary>
public static class FreePort
{
    /// <summary>A TCP port for a server that cannot choose one itself.</summary>
    public static int Tcp()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>A UDP port.</summary>
    public static int Udp()
    {
        using var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)client.Client.LocalEndPoint!).Port;
    }
}
