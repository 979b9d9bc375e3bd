using VpnBroker.Authentication;
using VpnBroker.Control;

namespace VpnBroker.Tests.Hosting;

public sealed class ReloadTests : IAsyncLifetime
{
    private BrokerFixture _fixture = null!;

    public async ValueTask InitializeAsync() => _fixture = await BrokerFixture.StartAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_new_configuration_counts_for_new_tunnels_and_old_ones_survive()
    {
        using TestClient before = Connect(out string cookie, out Reply first);
        Assert.DoesNotContain("X-CSTP-DNS", first.Head, StringComparison.Ordinal);
        await _fixture.WriteConfigAsync("groups: [{name: staff, dns: [10.20.0.53]}]");
        Assert.Null(ControlClient.Send(_fixture.ControlSocket, new ControlRequest("reload")).Error);
        Assert.Single(_fixture.DataPlane.Applied);

        before.Send(TestClient.Cstp(0, 7));
        Assert.Equal(TestClient.Cstp(0, 7), before.Receive());
        using TestClient after = Connect(out _, out Reply second);
        Assert.Contains("X-CSTP-DNS: 10.20.0.53", second.Head, StringComparison.Ordinal);
        using var again = new TestClient(_fixture.Endpoint, _fixture.Broker.Pin!);
        Assert.Equal("HTTP/1.1 200 CONNECTED", again.Connect(cookie).Status);
    }

    [Theory]
    [InlineData("limits: {halfOpen: none}", ":8: limits.halfOpen")]
    [InlineData("lcores: {count: 2}", "need a restart: lcores")]
    [InlineData("tun: {mtu: 1280}", "need a restart: tun")]
    public async Task A_wrong_configuration_changes_nothing(string sections, string message)
    {
        await _fixture.WriteConfigAsync(sections);
        string? error = await _fixture.Broker.ReloadAsync();
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Empty(_fixture.DataPlane.Applied);
        Connect(out _, out Reply reply).Dispose();
        Assert.Equal("HTTP/1.1 200 CONNECTED", reply.Status);
    }

    [Fact]
    public async Task A_user_who_was_removed_is_disconnected()
    {
        using TestClient client = Connect(out _, out _);
        UsersFile.Set(_fixture.UsersFilePath, new UserEntry("bob", [], PasswordHash.Create("bob's password", 1000)));
        UsersFile.Remove(_fixture.UsersFilePath, BrokerFixture.User);
        Assert.Null(await _fixture.Broker.ReloadAsync());
        Assert.Null(client.Receive());
    }

    [Fact]
    public async Task A_renewed_certificate_is_served_to_new_connections()
    {
        string old = _fixture.Broker.Pin!;
        File.Delete(Path.Combine(Path.GetDirectoryName(_fixture.ConfigFile)!, "server.crt"));
        File.Delete(Path.Combine(Path.GetDirectoryName(_fixture.ConfigFile)!, "server.key"));
        Assert.Null(await _fixture.Broker.ReloadAsync());
        Assert.NotEqual(old, _fixture.Broker.Pin);
        using var client = new TestClient(_fixture.Endpoint, _fixture.Broker.Pin!);
        Assert.NotNull(client.LogIn(BrokerFixture.User, BrokerFixture.Password));
    }

    private TestClient Connect(out string cookie, out Reply reply)
    {
        var client = new TestClient(_fixture.Endpoint, _fixture.Broker.Pin!);
        cookie = client.LogIn(BrokerFixture.User, BrokerFixture.Password)!;
        reply = client.Connect(cookie);
        return client;
    }
}
