using System.Net;
using System.Net.Sockets;

namespace VpnBroker.DataPlane.Devices;

/// <summary>A UDP socket of a control thread's in the SO_REUSEPORT group of the lcores' sockets, which a filter steers to.</summary>
internal static class GroupSocket
{
    private const int SolSocket = 1, SoReusePort = 15;

    /// <summary>Opens and binds one, not blocking. The group numbers its sockets in the order in which they are bound.</summary>
    /// <exception cref="SocketException">The address is not one of this machine's, or the port is taken.</exception>
    public static Socket Bind(IPEndPoint local)
    {
        var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            // As the group's others have it; the framework's own option would set more than that.
            socket.SetRawSocketOption(SolSocket, SoReusePort, BitConverter.GetBytes(1));
            if (local.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = false;
            socket.Bind(local);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }
}
