using System.Net.Sockets;
using CryptoPlane.TestKit;
using VpnBroker.Control;
using VpnBroker.Status;

namespace VpnBroker.Tests.Hosting;

public class LimitTests
{
    [Fact]
    public async Task Half_open_connections_are_bounded_and_slow_ones_are_closed()
    {
        await using BrokerFixture fixture = await BrokerFixture.StartAsync("limits: {halfOpenPerAddress: 3, loginTime: 2s}");
        List<Socket> silent = [.. Enumerable.Range(0, 3).Select(_ => Open(fixture))];
        Eventually.True(() => Status(fixture).HalfOpen == 3, "three half-open connections");
        using (Socket refused = Open(fixture))
            Assert.Equal(0, Receive(refused));
        Eventually.True(() => Status(fixture).RefusedConnections == 1, "a refused connection");
        foreach (Socket socket in silent)
        {
            Assert.Equal(0, Receive(socket));
            socket.Dispose();
        }
        Eventually.True(() => Status(fixture).HalfOpen == 0, "no half-open connection");
        using var client = new TestClient(fixture.Endpoint, fixture.Broker.Pin!);
        Assert.NotNull(client.LogIn(BrokerFixture.User, BrokerFixture.Password));
    }

    [Fact]
    public async Task A_client_that_trickles_its_header_is_closed_in_time()
    {
        await using BrokerFixture fixture = await BrokerFixture.StartAsync("limits: {loginTime: 1s}");
        using var client = new TestClient(fixture.Endpoint, fixture.Broker.Pin!);
        client.Send("GET / HTTP/1.1\r\nHost:");
        Assert.Null(client.Receive());
    }

    [Fact]
    public async Task An_address_with_too_many_failures_is_refused_even_with_the_right_password()
    {
        await using BrokerFixture fixture = await BrokerFixture.StartAsync("limits: {attemptsPerAddress: 2, backoff: 1h}");
        using var client = new TestClient(fixture.Endpoint, fixture.Broker.Pin!);
        Assert.Null(client.LogIn("alice", "wrong"));
        Assert.Null(client.LogIn("alice", "wrong"));
        Reply reply = client.Request(TestClient.Post("/auth", "<config-auth type=\"auth-reply\"><auth><username>alice</username><password>correct horse</password></auth></config-auth>"));
        Assert.Equal("HTTP/1.1 429 Too Many Requests", reply.Status);
        Assert.Contains("Retry-After: 3", reply.Head, StringComparison.Ordinal);
        Assert.Equal("too many attempts from this address", fixture.Audit()[^1].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Guesses_on_many_connections_at_once_get_no_more_answers_than_the_bound()
    {
        await using BrokerFixture fixture = await BrokerFixture.StartAsync("limits: {attemptsPerAddress: 3, backoff: 1h, halfOpenPerAddress: 32}");
        List<TestClient> clients = [.. Enumerable.Range(0, 12).Select(_ => new TestClient(fixture.Endpoint, fixture.Broker.Pin!))];
        foreach (TestClient client in clients)
            client.Send(TestClient.Post("/auth", "<config-auth type=\"auth-reply\"><auth><username>alice</username><password>wrong</password></auth></config-auth>"));
        string[] answers = [.. clients.Select(client => client.ReadReply().Status)];
        clients.ForEach(client => client.Dispose());
        Assert.Equal(3, answers.Count(status => status == "HTTP/1.1 200 OK"));
        Assert.Equal(9, answers.Count(status => status == "HTTP/1.1 429 Too Many Requests"));
    }

    [Fact]
    public async Task Garbage_instead_of_tls_is_closed()
    {
        await using BrokerFixture fixture = await BrokerFixture.StartAsync();
        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            byte[] garbage = new byte[random.Next(1, 600)];
            random.NextBytes(garbage);
            // Half of them look like a handshake record at first.
            if (i % 2 == 0 && garbage.Length > 5)
                new byte[] { 22, 3, 1, 0, (byte)Math.Min(255, garbage.Length - 5) }.CopyTo(garbage, 0);
            using Socket socket = Open(fixture);
            socket.Send(garbage);
            socket.Shutdown(SocketShutdown.Send);
            while (Receive(socket) != 0)
            {
            }
        }
        Eventually.True(() => Status(fixture).HalfOpen == 0, "no half-open connection");
    }

    [Fact]
    public async Task A_full_pool_is_answered_with_503_and_has_room_when_a_session_ends()
    {
        // 10.78.0.0/30 has two addresses beside the network's own and the broadcast.
        await using BrokerFixture fixture = await BrokerFixture.StartAsync("groups: [{name: staff, pool: tiny}]", "{name: tiny, ipv4: 10.78.0.0/30}");
        using var first = new TestClient(fixture.Endpoint, fixture.Broker.Pin!);
        using var second = new TestClient(fixture.Endpoint, fixture.Broker.Pin!);
        using var third = new TestClient(fixture.Endpoint, fixture.Broker.Pin!);
        Assert.Equal("HTTP/1.1 200 CONNECTED", first.Connect(first.LogIn(BrokerFixture.User, BrokerFixture.Password)!).Status);
        Assert.Equal("HTTP/1.1 200 CONNECTED", second.Connect(second.LogIn(BrokerFixture.User, BrokerFixture.Password)!).Status);
        string cookie = third.LogIn(BrokerFixture.User, BrokerFixture.Password)!;
        Reply refused = third.Connect(cookie);
        Assert.Equal("HTTP/1.1 503 Service Unavailable", refused.Status);
        Assert.Contains("X-Reason: No address is free", refused.Head, StringComparison.Ordinal);

        first.Send(TestClient.Cstp(5, 0xb0));
        Eventually.True(() => Status(fixture).Sessions == 2, "the end of the first session");
        using var again = new TestClient(fixture.Endpoint, fixture.Broker.Pin!);
        Assert.Equal("HTTP/1.1 200 CONNECTED", again.Connect(cookie).Status);
    }

    private static StatusReport Status(BrokerFixture fixture) => ControlClient.Send(fixture.ControlSocket, new ControlRequest("status")).Status!;

    private static Socket Open(BrokerFixture fixture)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        socket.Connect(fixture.Endpoint);
        return socket;
    }

    /// <summary>Bytes received; 0 when the server has closed.</summary>
    private static int Receive(Socket socket)
    {
        try
        {
            return socket.Receive(new byte[1000]);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }
}
