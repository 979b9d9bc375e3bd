using System.Text.Json;
using System.Text.RegularExpressions;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop;

/// <summary>The real openconnect against the broker's own program: one namespace for the user, one for the broker with its TUN port.</summary>
public sealed partial class OpenConnectTests : IDisposable
{
    private const string Password = "alice's password";

    private readonly TemporaryDirectory _directory = new();
    private readonly NetworkNamespace _user;
    private readonly NetworkNamespace _server;
    private readonly BrokerProcess _broker;
    private readonly string _pin;

    public OpenConnectTests()
    {
        Requirement.Program("openconnect");
        Requirement.Tun();
        _user = new NetworkNamespace("user");
        _server = new NetworkNamespace("broker");
        _server.Connect(_user, "v0", "10.99.0.1/24", "v1", "10.99.0.2/24");
        File.WriteAllText(_directory.File("broker.yaml"), """
            listen: ["10.99.0.1:443"]
            certificate: {certificateFile: s.crt, keyFile: s.key, selfSigned: true, names: [10.99.0.1]}
            authentication: {usersFile: users}
            defaults: {pool: p, mtu: 1400, include: [10.77.0.0/16, "fd00:77::/64"]}
            pools: [{name: p, ipv4: 10.77.0.0/16, ipv6: "fd00:77::/64"}]
            lcores: {count: 2}
            tun: {name: broker0, addresses: [10.77.0.1/16, "fd00:77::1/64"], routes: [10.77.0.1/32, "fd00:77::1/128"]}
            control: {socket: b.sock}
            log: {auditFile: audit.jsonl}
            """);
        File.WriteAllText(_directory.File("script"), """
            #!/bin/sh
            [ "$reason" = connect ] || exit 0
            ip link set dev "$TUNDEV" up mtu "$INTERNAL_IP4_MTU"
            ip addr add "$INTERNAL_IP4_ADDRESS/16" dev "$TUNDEV"
            ip addr add "$INTERNAL_IP6_NETMASK" dev "$TUNDEV" nodad
            """);
        File.SetUnixFileMode(_directory.File("script"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        BrokerProcess.Run(_directory, "user add alice --iterations 2000", Password + "\n").EnsureSuccess();
        _pin = BrokerProcess.Run(_directory, "certificate show").EnsureSuccess().Output.Trim();
        _broker = BrokerProcess.Start(_server, _directory);
    }

    public void Dispose()
    {
        _broker.Dispose();
        _user.Dispose();
        _server.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void A_user_logs_in_reconnects_pings_and_is_disconnected()
    {
        using ExternalProgram client = Connect(Password);
        client.WaitForOutput("Configured as");
        Eventually.True(() => Ping("10.77.0.1"), "an answer over IPv4");
        Eventually.True(() => Ping("fd00:77::1"), "an answer over IPv6");
        string address = Address();

        // SIGUSR2 makes openconnect drop its connection and come again with the cookie.
        client.Signal(12);
        Eventually.True(() => Connected().Count > 1, "a second connection in the audit log");
        Eventually.True(() => Ping("10.77.0.1"), "an answer behind the reconnect");
        Assert.Equal(address, Address());
        Assert.Single(Records("login"));

        _broker.Program.Signal(ExternalProgram.SigHup);
        _broker.Program.WaitForOutput("was read again and is in use");
        Assert.True(Ping("10.77.0.1"));

        BrokerProcess.Run(_directory, "disconnect alice").EnsureSuccess();
        client.WaitForOutput("Received server disconnect");
        client.WaitForExit();
        Assert.Equal("Administrator", Assert.Single(Records("end")).GetProperty("reason").GetString());
    }

    [Fact]
    public void A_client_that_leaves_ends_its_session()
    {
        using ExternalProgram client = Connect(Password);
        client.WaitForOutput("Configured as");
        client.Signal(ExternalProgram.SigInt);
        client.WaitForExit();
        Eventually.True(() => _broker.Status().GetProperty("sessions").GetInt32() == 0, "no session");
        Assert.Equal("ClientDisconnected", Assert.Single(Records("end")).GetProperty("reason").GetString());
    }

    [Fact]
    public void A_wrong_password_and_a_wrong_cookie_get_nothing()
    {
        using (ExternalProgram client = Connect("wrong"))
        {
            client.WaitForOutput("Login failed.");
            Assert.NotEqual(0, client.WaitForExit().ExitCode);
        }
        ProgramResult stolen = _user.Run("openconnect",
            ["--cookie", new string('a', 64), "--servercert", _pin, "--script", _directory.File("script"), "--no-dtls", "https://10.99.0.1/"]);
        Assert.NotEqual(0, stolen.ExitCode);
        Assert.Contains("401", stolen.AllOutput, StringComparison.Ordinal);
        Assert.Equal(0, _broker.Status().GetProperty("sessions").GetInt32());
        Assert.Equal("wrong password", Records("login")[0].GetProperty("reason").GetString());
    }

    [Fact]
    public void A_copied_cookie_needs_the_clients_key_and_the_client_may_change_its_address()
    {
        string cookie;
        using (ExternalProgram login = Connect(Password, "--authenticate"))
            cookie = CookieLine().Match(login.WaitForExit().Output).Groups[1].Value;
        // openconnect keeps its STRAP key beside the cookie: whoever has only what goes over the wire has too little, from any address.
        ProgramResult stolen = ConnectWith(cookie[(cookie.IndexOf("webvpn=", StringComparison.Ordinal) + "webvpn=".Length)..]).WaitForExit();
        Assert.Contains("401", stolen.AllOutput, StringComparison.Ordinal);
        Assert.Equal("cookie-without-its-key", Assert.Single(Records("connect")).GetProperty("reason").GetString());

        using ExternalProgram client = ConnectWith(cookie);
        client.WaitForOutput("Configured as");
        Eventually.True(() => Ping("10.77.0.1"), "an answer with cookie and key");
        _user.Ip("addr del 10.99.0.2/24 dev v1").EnsureSuccess();
        _user.Ip("addr add 10.99.0.3/24 dev v1").EnsureSuccess();
        client.Signal(12);
        Eventually.True(() => Connected().Count > 1, "a second connection in the audit log");
        Eventually.True(() => Ping("10.77.0.1"), "an answer from the new address");
        Assert.Equal(["10.99.0.2", "10.99.0.3"], Connected().Select(record => record.GetProperty("address").GetString()));
        Assert.Single(Records("login"));
    }

    [Fact]
    public void Sigterm_tells_the_client_and_ends_with_exit_code_0()
    {
        using ExternalProgram client = Connect(Password);
        client.WaitForOutput("Configured as");
        _broker.Program.Signal(ExternalProgram.SigTerm);
        Assert.Equal(0, _broker.Program.WaitForExit(TimeSpan.FromSeconds(20)).ExitCode);
        client.WaitForOutput("Received server disconnect");
        Assert.False(File.Exists(_directory.File("b.sock")));
        Assert.Equal("Shutdown", Assert.Single(Records("end")).GetProperty("reason").GetString());
    }

    private ExternalProgram Connect(string password, params string[] options)
    {
        ExternalProgram client = _user.Start("openconnect",
            [.. options, "-u", "alice", "--passwd-on-stdin", "--non-inter", "--servercert", _pin, "--script", _directory.File("script"), "--no-dtls", "https://10.99.0.1/"]);
        client.Write(password + "\n");
        client.CloseInput();
        return client;
    }

    private ExternalProgram ConnectWith(string cookie) => _user.Start("openconnect",
        ["--cookie", cookie, "--non-inter", "--servercert", _pin, "--script", _directory.File("script"), "--no-dtls", "https://10.99.0.1/"]);

    private bool Ping(string address) => _user.Run("ping", ["-c", "1", "-W", "2", address]).ExitCode == 0;

    private string Address() => InnerAddress().Match(_user.Ip("-4 addr show dev tun0").Output).Groups[1].Value;

    private List<JsonElement> Connected() => [.. Records("connect").Where(record => record.GetProperty("result").GetString() == "success")];

    private List<JsonElement> Records(string name) =>
    [
        .. File.ReadAllLines(_directory.File("audit.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(record => record.GetProperty("event").GetString() == name),
    ];

    [GeneratedRegex("COOKIE='(.*)'")]
    private static partial Regex CookieLine();

    [GeneratedRegex("inet (10[.]77[.][0-9.]+)/")]
    private static partial Regex InnerAddress();
}
