using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.TestKit;

/// <summary>
/// Port numbers on the loopback interface for servers that cannot choose one themselves. None is given twice, in this process or, while it
/// runs, in another one that tests: a client that came to another test's server would find its certificate wrong, under the right name.
/// Nor is it one that the kernel gives out itself, to sockets without a port of their own and to clients, who may even meet themselves there.
/// </summary>
public static class FreePort
{
    /// <summary>The first port; the last is the one before those that the kernel gives out.</summary>
    private const int First = 10_240;

    // A name in the kernel per port, which ends with the process: it has the ports' scope, the network namespace, and leaves no file behind.
    private static readonly ConcurrentBag<Socket> s_claims = [];

    /// <summary>A TCP port.</summary>
    public static int Tcp() => Claim(SocketType.Stream, ProtocolType.Tcp);

    /// <summary>A UDP port.</summary>
    public static int Udp() => Claim(SocketType.Dgram, ProtocolType.Udp);

    private static int Claim(SocketType type, ProtocolType protocol)
    {
        int count = FirstOfTheKernel() - First, start = Random.Shared.Next(count);
        for (int i = 0; i < count; i++)
        {
            int port = First + ((start + i) % count);
            string name = string.Create(CultureInfo.InvariantCulture, $"\0cryptoplane-test-port-{port}");
            if (TryBind(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified, new UnixDomainSocketEndPoint(name)) is not { } claim)
                continue;
            s_claims.Add(claim);
            // At no address may there be anybody: servers listen at one or at all of them.
            using Socket? probe = TryBind(AddressFamily.InterNetwork, type, protocol, new IPEndPoint(IPAddress.Any, port));
            if (probe != null)
                return port;
        }
        throw new InvalidOperationException($"No port from {First} to {First + count - 1} is free.");
    }

    private static Socket? TryBind(AddressFamily family, SocketType type, ProtocolType protocol, EndPoint address)
    {
        var socket = new Socket(family, type, protocol);
        try
        {
            socket.Bind(address);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    private static int FirstOfTheKernel()
    {
        string range = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range");
        int first = int.Parse(range.Split('\t', ' ')[0], CultureInfo.InvariantCulture);
        // Where the kernel gives out nearly everything, some of it must do.
        return first > First + 1000 ? first : 32_768;
    }
}
