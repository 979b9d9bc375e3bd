using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.TestKit;

public sealed class FreePortTests
{
    [Fact]
    public void No_port_is_given_twice_or_given_by_the_kernel_as_well()
    {
        int[] ports = new int[200];
        Parallel.For(0, ports.Length, i => ports[i] = i % 2 == 0 ? FreePort.Tcp() : FreePort.Udp());
        Assert.Equal(ports.Length, ports.Distinct().Count());
        using var chosen = new TcpListener(IPAddress.Loopback, 0);
        chosen.Start();
        Assert.All(ports, port => Assert.InRange(port, 1024, 32_767));
        Assert.DoesNotContain(((IPEndPoint)chosen.LocalEndpoint).Port, ports);
    }

    [Fact]
    public void A_port_stays_claimed_for_other_processes()
    {
        int port = FreePort.Tcp();
        using var other = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        string claim = string.Create(CultureInfo.InvariantCulture, $"\0cryptoplane-test-port-{port}");
        Assert.Throws<SocketException>(() => other.Bind(new UnixDomainSocketEndPoint(claim)));
        // The port itself is free for its server.
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
    }
}
