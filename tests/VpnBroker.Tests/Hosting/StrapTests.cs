using System.Net;
using CryptoPlane.TestKit;
using VpnBroker.OpenConnect.Strap;
using VpnBroker.Tests.OpenConnect.Strap;

namespace VpnBroker.Tests.Hosting;

/// <summary>Sessions whose client named a STRAP key: over real sockets and TLS, from two addresses.</summary>
public sealed class StrapTests : IAsyncLifetime
{
    private const string Refused = "HTTP/1.1 401 Unauthorized";
    private const string Connected = "HTTP/1.1 200 CONNECTED";

    private static readonly IPAddress s_elsewhere = IPAddress.Parse("127.0.0.2");

    private readonly StrapSigner _first = new();
    private readonly StrapSigner _second = new();
    private readonly StrapSigner _third = new();
    private BrokerFixture _fixture = null!;

    public async ValueTask InitializeAsync() => _fixture = await BrokerFixture.StartAsync("groups: [{name: staff, roaming: true}]");

    public async ValueTask DisposeAsync()
    {
        await _fixture.DisposeAsync();
        _first.Dispose();
        _second.Dispose();
        _third.Dispose();
    }

    [Fact]
    public void A_copied_cookie_is_worth_nothing_without_the_key_and_its_owner_may_roam()
    {
        using TestClient owner = Client();
        string cookie = LogIn(owner, _first.KeyHeader);
        byte[] elsewhere;
        using (TestClient thief = Client())
        {
            elsewhere = thief.ClientFinished;
            Assert.Equal(Refused, thief.Connect(cookie).Status);
        }
        Steal(cookie, _ => _first.KeyHeader);
        Steal(cookie, thief => _second.Headers(thief.ClientFinished, _second));
        Steal(cookie, _ => _first.Headers(elsewhere, _second));
        Steal(cookie, thief => $"{StrapKey.ProofHeader}: {_first.Sign(thief.ClientFinished, _second)}\r\n{_third.KeyHeader}");
        Assert.Empty(_fixture.DataPlane.Attached);
        Assert.Equal(Enumerable.Repeat("cookie-without-its-key", 5), Failures("connect"));

        Assert.Equal(Connected, owner.Connect(cookie, _first.Headers(owner.ClientFinished, _second)).Status);
        using (TestClient roaming = Client(s_elsewhere))
            Assert.Equal(Connected, roaming.Connect(cookie, _second.Headers(roaming.ClientFinished, _third)).Status);
        Eventually.True(() => _fixture.DataPlane.Attached.Count == 2, "the tunnel from the other address");
        Assert.Equal(_fixture.DataPlane.Attached[0].SessionId, _fixture.DataPlane.Attached[1].SessionId);
        // A key that was handed on is worth nothing any more.
        Steal(cookie, thief => _first.Headers(thief.ClientFinished, _first));
        Steal(cookie, thief => _second.Headers(thief.ClientFinished, _second));
    }

    [Fact]
    public void A_key_may_sign_for_itself_again_and_again()
    {
        using TestClient owner = Client();
        string cookie = LogIn(owner, _first.KeyHeader);
        for (int i = 0; i < 3; i++)
        {
            using TestClient again = Client();
            Assert.Equal(Connected, again.Connect(cookie, _first.Headers(again.ClientFinished, _first)).Status);
        }
    }

    [Fact]
    public void A_log_out_from_elsewhere_leaves_a_session_with_a_key_alone()
    {
        using TestClient owner = Client();
        string cookie = LogIn(owner, _first.KeyHeader);
        using (TestClient thief = Client(s_elsewhere))
            Assert.Equal("HTTP/1.1 200 OK", thief.LogOut(cookie).Status);
        Assert.Equal(["cookie-from-another-address"], Failures("end"));
        Assert.Equal(Connected, owner.Connect(cookie, _first.Headers(owner.ClientFinished, _second)).Status);
    }

    [Fact]
    public async Task A_key_of_an_unknown_kind_leaves_the_session_bound_to_its_address()
    {
        await using BrokerFixture strict = await BrokerFixture.StartAsync();
        using var owner = new TestClient(strict.Endpoint, strict.Broker.Pin!);
        string cookie = LogIn(owner, $"{StrapKey.KeyHeader}: bm8ga2V5\r\n");
        using (var thief = new TestClient(strict.Endpoint, strict.Broker.Pin!, s_elsewhere))
            Assert.Equal(Refused, thief.Connect(cookie).Status);
        Assert.Equal(Connected, owner.Connect(cookie).Status);
    }

    private TestClient Client(IPAddress? from = null) => new(_fixture.Endpoint, _fixture.Broker.Pin!, from);

    private static string LogIn(TestClient client, string headers) => client.LogIn(BrokerFixture.User, BrokerFixture.Password, headers)!;

    private void Steal(string cookie, Func<TestClient, string> headers)
    {
        using TestClient thief = Client();
        Assert.Equal(Refused, thief.Connect(cookie, headers(thief)).Status);
    }

    private IEnumerable<string?> Failures(string name) => _fixture.Audit()
        .Where(record => record.GetProperty("event").GetString() == name && record.GetProperty("result").GetString() == "failure")
        .Select(record => record.GetProperty("reason").GetString());
}
