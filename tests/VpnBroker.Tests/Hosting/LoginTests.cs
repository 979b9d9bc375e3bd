using System.Net;
using System.Text.Json;
using CryptoPlane.TestKit;
using VpnBroker.Control;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Tests.Hosting;

/// <summary>From TCP to a tunnel, and everything that must not become one, over real sockets and TLS.</summary>
public sealed class LoginTests : IAsyncLifetime
{
    private static readonly IPAddress s_elsewhere = IPAddress.Parse("127.0.0.2");

    private BrokerFixture _fixture = null!;

    public async ValueTask InitializeAsync() => _fixture = await BrokerFixture.StartAsync("limits: {loginTime: 20s, attemptsPerAddress: 1000}");

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public void A_log_in_becomes_a_tunnel_that_carries_packets_both_ways()
    {
        using TestClient client = Client();
        Reply form = client.Request(TestClient.Post("/", "<config-auth type=\"init\"/>"));
        Assert.Equal("HTTP/1.1 200 OK", form.Status);
        Assert.Contains("name=\"password\"", form.Body, StringComparison.Ordinal);
        string cookie = client.LogIn(BrokerFixture.User, BrokerFixture.Password)!;
        Reply connected = client.Connect(cookie);
        Assert.Equal("HTTP/1.1 200 CONNECTED", connected.Status);
        Assert.Contains("X-CSTP-MTU: 1300", connected.Head, StringComparison.Ordinal);
        Assert.Contains("X-CSTP-Split-Include: 10.20.0.0/255.255.0.0", connected.Head, StringComparison.Ordinal);

        byte[] packet = TestClient.Cstp(0, 1, 2, 3);
        client.Send(packet);
        Assert.Equal(packet, client.Receive());
        client.Send(TestClient.Cstp(3));
        Assert.Equal(TestClient.Cstp(4), client.Receive());

        UserTunnelRequest request = Assert.Single(_fixture.DataPlane.Attached);
        Assert.Contains($"X-CSTP-Address: {request.InnerIPv4}", connected.Head, StringComparison.Ordinal);
        Assert.Equal((BrokerFixture.User, 1300), (request.User, request.Mtu));
        Assert.False(_fixture.DataPlane.WasWatchedAtAttach, "an epoll set of the runtime or of the control plane still had the socket");

        client.Send(TestClient.Cstp(5, 0xb0));
        Eventually.True(() => Audit("end").Count == 1, "the end of the session in the audit log");
        Assert.Equal(["login", "connect", "end"], _fixture.Audit().Select(record => record.GetProperty("event").GetString()));
        Assert.DoesNotContain(cookie, File.ReadAllText(_fixture.AuditFile), StringComparison.Ordinal);
        Assert.DoesNotContain(BrokerFixture.Password, File.ReadAllText(_fixture.AuditFile), StringComparison.Ordinal);
        Assert.Equal("HTTP/1.1 401 Unauthorized", Client().Connect(cookie).Status);
    }

    [Fact]
    public void Records_sent_behind_connect_without_waiting_are_not_lost()
    {
        using TestClient client = Client();
        string cookie = client.LogIn(BrokerFixture.User, BrokerFixture.Password)!;
        byte[] first = TestClient.Cstp(0, 1);
        byte[] second = TestClient.Cstp(0, 2);
        client.SendRaw([.. client.Seal(System.Text.Encoding.ASCII.GetBytes(TestClient.ConnectRequest(cookie))), .. client.Seal(first), .. client.Seal(second)]);
        Assert.Equal("HTTP/1.1 200 CONNECTED", client.ReadReply().Status);
        Assert.Equal(first, client.Receive());
        Assert.Equal(second, client.Receive());
    }

    [Fact]
    public void Plaintext_behind_connect_in_the_same_record_is_refused()
    {
        using TestClient client = Client();
        string cookie = client.LogIn(BrokerFixture.User, BrokerFixture.Password)!;
        Assert.Equal("HTTP/1.1 400 Bad Request", client.Request(TestClient.ConnectRequest(cookie) + "STF").Status);
        Assert.Empty(_fixture.DataPlane.Attached);
    }

    [Fact]
    public void A_reconnect_with_the_cookie_has_the_same_address_and_ends_the_old_tunnel()
    {
        using TestClient first = Client();
        string cookie = first.LogIn(BrokerFixture.User, BrokerFixture.Password)!;
        first.Connect(cookie);
        using TestClient second = Client();
        Assert.Equal("HTTP/1.1 200 CONNECTED", second.Connect(cookie).Status);
        Eventually.True(() => _fixture.DataPlane.Attached.Count == 2, "the second tunnel");
        Assert.Equal(_fixture.DataPlane.Attached[0].InnerIPv4, _fixture.DataPlane.Attached[1].InnerIPv4);
        Assert.Null(first.Receive());
        second.Send(TestClient.Cstp(0, 9));
        Assert.Equal(TestClient.Cstp(0, 9), second.Receive());
        Assert.Empty(Audit("end"));
    }

    [Theory]
    [InlineData("alice", "wrong", "wrong password")]
    [InlineData("mallory", "correct horse", "unknown user")]
    [InlineData("", "", "unknown user")]
    public void A_wrong_password_gets_the_form_again_and_is_audited(string user, string password, string reason)
    {
        using TestClient client = Client();
        Assert.Null(client.LogIn(user, password));
        JsonElement record = Assert.Single(Audit("login"));
        Assert.Equal(("failure", reason, user), (record.GetProperty("result").GetString(), record.GetProperty("reason").GetString(), record.GetProperty("user").GetString()));
        Assert.NotNull(client.LogIn(BrokerFixture.User, BrokerFixture.Password));
    }

    [Fact]
    public void Guessed_changed_revoked_and_missing_cookies_get_nothing()
    {
        using TestClient client = Client();
        string cookie = client.LogIn(BrokerFixture.User, BrokerFixture.Password)!;
        string changed = (cookie[0] == '0' ? '1' : '0') + cookie[1..];
        foreach (string bad in new[] { changed, cookie[..^1], "", new string('0', 64), cookie.ToUpperInvariant() + "x" })
            Assert.Equal("HTTP/1.1 401 Unauthorized", Client().Connect(bad).Status);
        Assert.Equal("HTTP/1.1 401 Unauthorized", Client().Request("CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: a\r\n\r\n").Status);
        Assert.Null(ControlClient.Send(_fixture.ControlSocket, new ControlRequest("disconnect", BrokerFixture.User)).Error);
        Assert.Equal("HTTP/1.1 401 Unauthorized", client.Connect(cookie).Status);
        Assert.Empty(_fixture.DataPlane.Attached);
    }

    [Fact]
    public void A_cookie_from_another_address_gets_nothing_and_leaves_its_owner_alone()
    {
        using TestClient owner = Client();
        string cookie = owner.LogIn(BrokerFixture.User, BrokerFixture.Password)!;
        owner.Connect(cookie);
        using (TestClient thief = Client(s_elsewhere))
            Assert.Equal("HTTP/1.1 401 Unauthorized", thief.Connect(cookie).Status);
        using (TestClient thief = Client(s_elsewhere))
            Assert.Equal("HTTP/1.1 200 OK", thief.LogOut(cookie).Status);

        owner.Send(TestClient.Cstp(0, 7));
        Assert.Equal(TestClient.Cstp(0, 7), owner.Receive());
        foreach (JsonElement refused in new[] { Audit("connect")[1], Assert.Single(Audit("end")) })
        {
            Assert.Equal(("failure", "cookie-from-another-address", "127.0.0.2", BrokerFixture.User),
                (refused.GetProperty("result").GetString(), refused.GetProperty("reason").GetString(), refused.GetProperty("address").GetString(), refused.GetProperty("user").GetString()));
        }
        Assert.Equal(2, ControlClient.Send(_fixture.ControlSocket, new ControlRequest("status")).Status!.RefusedCookies);

        using TestClient again = Client();
        Assert.Equal("HTTP/1.1 200 CONNECTED", again.Connect(cookie).Status);
        Eventually.True(() => _fixture.DataPlane.Attached.Count == 2, "the owner's second tunnel");
        Assert.Equal(_fixture.DataPlane.Attached[0].SessionId, _fixture.DataPlane.Attached[1].SessionId);
    }

    [Fact]
    public async Task With_roaming_a_cookie_is_good_from_another_address()
    {
        await using BrokerFixture roaming = await BrokerFixture.StartAsync("groups: [{name: staff, roaming: true}]");
        using var home = new TestClient(roaming.Endpoint, roaming.Broker.Pin!);
        string cookie = home.LogIn(BrokerFixture.User, BrokerFixture.Password)!;
        home.Connect(cookie);
        using var away = new TestClient(roaming.Endpoint, roaming.Broker.Pin!, s_elsewhere);
        Assert.Equal("HTTP/1.1 200 CONNECTED", away.Connect(cookie).Status);
        away.Send(TestClient.Cstp(0, 8));
        Assert.Equal(TestClient.Cstp(0, 8), away.Receive());
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK")]
    [InlineData("GET /etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404 Not Found")]
    [InlineData("PUT / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 Method Not Allowed")]
    [InlineData("nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxml", "HTTP/1.1 400 Bad Request")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n", "HTTP/1.1 413 Content Too Large")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 501 Not Implemented")]
    public void Requests_are_answered_as_they_deserve(string request, string status)
    {
        using TestClient client = Client();
        Assert.Equal(status, client.Request(request).Status);
    }

    [Fact]
    public void Endless_headers_end_with_431()
    {
        using TestClient client = Client();
        client.Send("GET / HTTP/1.1\r\nHost: a\r\n" + new string('x', 16000));
        client.Send(new string('x', 1000));
        Assert.Equal("HTTP/1.1 431 Request Header Fields Too Large", client.ReadReply().Status);
        Assert.Null(client.Receive());
    }

    [Fact]
    public void Status_over_the_control_socket_lists_the_user()
    {
        using TestClient client = Client();
        client.Connect(client.LogIn(BrokerFixture.User, BrokerFixture.Password)!);
        var status = ControlClient.Send(_fixture.ControlSocket, new ControlRequest("status")).Status!;
        Assert.Equal(1, status.Sessions);
        Assert.Equal(BrokerFixture.User, Assert.Single(status.Users).User);
        Eventually.True(() => ControlClient.Send(_fixture.ControlSocket, new ControlRequest("status")).Status!.HalfOpen == 0, "the connection to count as a tunnel");
    }

    private TestClient Client(IPAddress? from = null) => new(_fixture.Endpoint, _fixture.Broker.Pin!, from);

    private List<JsonElement> Audit(string name) => [.. _fixture.Audit().Where(record => record.GetProperty("event").GetString() == name)];
}
