using System.Net;
using System.Net.Sockets;
using VpnBroker.Listening;

namespace VpnBroker.Tests.Listening;

public class ClientSocketTests
{
    [Fact]
    public void A_connection_that_the_kernel_will_not_watch_is_closed()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        client.Connect(listener.LocalEndPoint!);
        Socket accepted = listener.Accept();
        // An epoll set that is gone refuses every descriptor, as one beyond fs.epoll.max_user_watches does.
        var poller = new ReadinessPoller();
        poller.Dispose();
        Assert.Throws<InvalidOperationException>(() => ClientSocket.Take(accepted, poller));
        Assert.Equal(0, client.Receive(new byte[1]));
    }
}
