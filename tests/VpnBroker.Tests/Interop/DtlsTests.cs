using System.Text.Json;
using System.Text.RegularExpressions;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop;

/// <summary>The real openconnect with its data channel over DTLS, on a network that lets UDP through, and one that does not.</summary>
[Trait("Speed", "slow")]
public sealed partial class DtlsTests : IDisposable
{
    private const string Password = "alice's password";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(150);

    private readonly TemporaryDirectory _directory = new();
    private readonly NetworkNamespace _user = new("dtlsuser"), _server = new("dtlsbroker");
    private readonly BrokerProcess _broker;
    private readonly string _pin;

    public DtlsTests()
    {
        Requirement.Program("openconnect");
        Requirement.Program("iperf3");
        Requirement.Program("nft", "nftables");
        Requirement.Tun();
        _server.Connect(_user, "v0", "10.99.0.1/24", "v1", "10.99.0.2/24");
        File.WriteAllText(_directory.File("broker.yaml"), """
            listen: ["10.99.0.1:443"]
            certificate: {certificateFile: s.crt, keyFile: s.key, selfSigned: true, names: [10.99.0.1]}
            authentication: {usersFile: users}
            defaults: {pool: p, mtu: 1400, include: [10.77.0.0/16], dpd: 3s}
            pools: [{name: p, ipv4: 10.77.0.0/16}]
            lcores: {count: 2}
            tun: {name: broker0, addresses: [10.77.0.1/16], routes: [10.77.0.1/32]}
            control: {socket: b.sock}
            log: {auditFile: audit.jsonl}
            """);
        File.WriteAllText(_directory.File("script"), """
            #!/bin/sh
            [ "$reason" = connect ] || exit 0
            ip link set dev "$TUNDEV" up mtu "$INTERNAL_IP4_MTU"
            ip addr add "$INTERNAL_IP4_ADDRESS/16" dev "$TUNDEV"
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
    public void Data_goes_by_DTLS_and_by_TLS_when_UDP_dies_without_an_end_of_the_session()
    {
        using ExternalProgram client = Connect();
        // A client that is too slow for its own time-out tries again after a minute.
        client.WaitForOutput("Established DTLS connection", s_patience);
        client.WaitForOutput("Initiating MTU detection", s_patience);
        Eventually.True(() => Ping("10.77.0.1"), "an answer");
        Eventually.True(() => Data() == "dtls", "data by DTLS", s_patience);
        // The longest packet of the tunnel fits a datagram.
        int mtu = int.Parse(Mtu().Match(_user.Ip("-o link show dev tun0").Output).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(mtu, 1280, 1400);
        Eventually.True(() => Ping("10.77.0.1", "-M", "do", "-s", $"{mtu - 28}"), $"an answer of {mtu} bytes");

        using (ExternalProgram server = _server.Start("iperf3", ["-s", "-B", "10.77.0.1", "--forceflush"]))
        {
            server.WaitForOutput("Server listening");
            foreach (string[] direction in new string[][] { [], ["-R"] })
                _user.Run("iperf3", ["-c", "10.77.0.1", "-n", "8M", .. direction]).EnsureSuccess();
        }
        // The bytes went by the UDP sockets, with the overhead of records, and not by the connection. (iperf3 does not wait for its last bytes.)
        Assert.Equal(1, Dtls("begun"));
        foreach (string direction in (string[])["receivedBytes", "sentBytes"])
        {
            long inner = _broker.Status().GetProperty("users")[0].GetProperty("traffic").GetProperty(direction).GetInt64();
            Assert.InRange(inner, 1_000_000, UdpBytes(direction));
        }

        BlockUdp();
        // By either side's probes.
        Eventually.True(() => Ping("10.77.0.1") && Data() == "tls", "data by TLS", s_patience);
        Assert.Equal(1, Sessions());
        Assert.Single(File.ReadAllLines(_directory.File("audit.jsonl")), line => line.Contains("\"login\"", StringComparison.Ordinal));
        Assert.InRange(Dtls("fallbacks"), 1, 9);
    }

    [Fact]
    public void Without_UDP_everything_goes_by_TLS_and_by_DTLS_once_it_is_let_through()
    {
        BlockUdp();
        using ExternalProgram client = Connect();
        client.WaitForOutput("Configured as");
        Eventually.True(() => Ping("10.77.0.1"), "an answer");
        Assert.Equal("tls", Data());
        _server.Run("nft", ["flush ruleset"]).EnsureSuccess();
        // openconnect tries again after a minute.
        Eventually.True(() => Data() == "dtls", "data by DTLS", s_patience);
        Assert.True(Ping("10.77.0.1"));
        Assert.Equal(1, Sessions());

        // New keys for the connection by the client: SIGUSR2 makes it come again, and DTLS with it.
        client.Signal(12);
        Eventually.True(() => Dtls("begun") >= 2 && Data() == "dtls", "a second data channel", s_patience);
        Assert.True(Ping("10.77.0.1"));
    }

    private ExternalProgram Connect()
    {
        ExternalProgram client = _user.Start("openconnect",
            ["-v", "-u", "alice", "--passwd-on-stdin", "--non-inter", "--servercert", _pin, "--script", _directory.File("script"), "https://10.99.0.1/"]);
        client.Write(Password + "\n");
        client.CloseInput();
        return client;
    }

    private void BlockUdp()
    {
        foreach (string rule in (string[])["add table inet cp", "add chain inet cp in { type filter hook input priority 0; }", "add rule inet cp in meta l4proto udp iif v0 drop"])
            _server.Run("nft", [rule]).EnsureSuccess();
    }

    private bool Ping(string address, params string[] options) => _user.Run("ping", ["-c", "1", "-W", "1", .. options, address]).ExitCode == 0;

    private string Data() => _broker.Status().GetProperty("users")[0].TryGetProperty("data", out JsonElement data) ? data.GetString()! : "none";

    private int Sessions() => _broker.Status().GetProperty("sessions").GetInt32();

    private long Dtls(string counter) => _broker.Status().GetProperty("dtls").GetProperty(counter).GetInt64();

    [GeneratedRegex(" mtu ([0-9]+) ")]
    private static partial Regex Mtu();

    private long UdpBytes(string counter) => _broker.Status().GetProperty("ports").EnumerateArray().Select(port => port.GetProperty("traffic"))
        .Where(traffic => traffic.GetProperty("name").GetString()!.StartsWith("dtls:", StringComparison.Ordinal)).Sum(traffic => traffic.GetProperty(counter).GetInt64());
}
