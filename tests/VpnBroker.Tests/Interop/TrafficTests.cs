using System.Text.Json;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop;

/// <summary>iperf3 behind real openconnect clients, against the limits of the broker's own program. Bounds are upper ones and proportions only.</summary>
[Trait("Speed", "slow")]
public sealed class TrafficTests : IDisposable
{
    private const double Megabit = 1e6;

    private readonly TemporaryDirectory _directory = new();
    private readonly NetworkNamespace _server = new("qosbroker"), _first = new("qosalice"), _second = new("qosbob");
    private readonly BrokerProcess _broker;
    private readonly string _pin;

    public TrafficTests()
    {
        Requirement.Program("openconnect");
        Requirement.Program("iperf3");
        Requirement.Tun();
        _server.Connect(_first, "v0", "10.99.0.1/24", "v1", "10.99.0.2/24");
        _server.Connect(_second, "v2", "10.98.0.1/24", "v1", "10.98.0.2/24");
        File.WriteAllText(_directory.File("broker.yaml"), """
            listen: ["10.99.0.1:443", "10.98.0.1:443"]
            certificate: {certificateFile: s.crt, keyFile: s.key, selfSigned: true, names: [10.99.0.1]}
            authentication: {usersFile: users}
            defaults: {pool: p, mtu: 1400, include: [10.77.0.0/16]}
            pools: [{name: p, ipv4: 10.77.0.0/16}]
            lcores: {count: 2}
            tun: {name: broker0, addresses: [10.77.0.1/16], routes: [10.77.0.1/32]}
            traffic:
              outside: 12M
              users:
                - {users: [alice], download: {shape: 4M}, upload: {police: 3M}}
                - {}
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
        foreach (string user in (string[])["alice", "bob"])
            BrokerProcess.Run(_directory, $"user add {user} --iterations 2000", $"{user}'s password\n").EnsureSuccess();
        _pin = BrokerProcess.Run(_directory, "certificate show").EnsureSuccess().Output.Trim();
        _broker = BrokerProcess.Start(_server, _directory);
    }

    public void Dispose()
    {
        _broker.Dispose();
        _first.Dispose();
        _second.Dispose();
        _server.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void A_user_gets_no_more_than_its_limits_and_a_heavy_one_does_not_starve_another()
    {
        using ExternalProgram alice = Connect(_first, "alice", "10.99.0.1"), bob = Connect(_second, "bob", "10.98.0.1");
        // openconnect says that it is configured before its script is through, and iperf3 would report no route and exit with 0.
        _first.WaitForRoute("10.77.0.1", "10.77.");
        _second.WaitForRoute("10.77.0.1", "10.77.");

        // UDP at four times the limit, down and up; TCP as well.
        Assert.InRange(Measure(_first, 5201, "--udp", "--bitrate", "16M", "--reverse").Rate, 0.1 * Megabit, 4 * Megabit * 1.05);
        Assert.InRange(Measure(_first, 5202, "--udp", "--bitrate", "12M").Rate, 0.1 * Megabit, 3 * Megabit * 1.08);
        Assert.InRange(Measure(_first, 5203, "--reverse").Rate, 0.1 * Megabit, 4 * Megabit * 1.05);

        // Bob asks for three times what the port has; Alice for far less than her share.
        using (ExternalProgram server = Serve(5204))
        {
            using ExternalProgram heavy = Start(_second, 5204, "8", "--udp", "--bitrate", "36M", "--reverse");
            (double rate, double lost) = Measure(_first, 5205, "--udp", "--bitrate", "2M", "--reverse");
            (double heavyRate, double heavyLost) = Result(heavy);
            Assert.InRange(heavyRate + rate, 0.2 * Megabit, 12 * Megabit * 1.1);
            Assert.True(heavyLost > 0.3, $"bob lost {heavyLost:P1}: there was no bottleneck");
            Assert.True(lost * 4 < heavyLost, $"alice lost {lost:P1}, bob {heavyLost:P1}");
        }

        JsonElement queues = _broker.Status().GetProperty("queues");
        Assert.Contains(queues.EnumerateArray(), queue => queue.GetProperty("kind").GetString() == "class" && queue.GetProperty("sentPackets").GetInt64() > 0
            && queue.GetProperty("drops").EnumerateObject().Any());
        ulong policed = _broker.Status().GetProperty("lcores").EnumerateArray().Select(lcore => lcore.GetProperty("drops"))
            .Aggregate(0UL, (sum, drops) => sum + (drops.TryGetProperty("policed", out JsonElement count) ? count.GetUInt64() : 0));
        Assert.True(policed > 0);
    }

    private ExternalProgram Connect(NetworkNamespace place, string user, string address)
    {
        ExternalProgram client = place.Start("openconnect",
            ["-u", user, "--passwd-on-stdin", "--non-inter", "--servercert", _pin, "--script", _directory.File("script"), "--no-dtls", $"https://{address}/"]);
        client.Write($"{user}'s password\n");
        client.CloseInput();
        return client;
    }

    private ExternalProgram Serve(int port)
    {
        ExternalProgram server = _server.Start("iperf3", ["--server", "--one-off", "--forceflush", "--bind", "10.77.0.1", "--port", $"{port}"]);
        server.WaitForOutput("Server listening");
        return server;
    }

    private static ExternalProgram Start(NetworkNamespace place, int port, string seconds, params string[] arguments) =>
        place.Start("iperf3", ["--client", "10.77.0.1", "--port", $"{port}", "--time", seconds, "--json", "--length", "1200", .. arguments]);

    private (double Rate, double Lost) Measure(NetworkNamespace place, int port, params string[] arguments)
    {
        using ExternalProgram server = Serve(port);
        using ExternalProgram client = Start(place, port, "4", arguments);
        return Result(client);
    }

    /// <summary>Bits per second that arrived, and the part of the datagrams that did not.</summary>
    private static (double Rate, double Lost) Result(ExternalProgram client)
    {
        JsonElement report = JsonDocument.Parse(client.WaitForExit(TimeSpan.FromSeconds(60)).EnsureSuccess().Output).RootElement;
        Assert.False(report.TryGetProperty("error", out JsonElement error), $"iperf3: {error}");
        JsonElement end = report.GetProperty("end");
        if (!end.TryGetProperty("sum", out JsonElement sum))
            return (end.GetProperty("sum_received").GetProperty("bits_per_second").GetDouble(), 0);
        double lost = sum.GetProperty("lost_packets").GetDouble() / Math.Max(1, sum.GetProperty("packets").GetDouble());
        // The rate of what arrived, over the receiver's time.
        JsonElement received = end.TryGetProperty("sum_received", out JsonElement own) ? own : sum;
        return (received.GetProperty("bits_per_second").GetDouble() * (end.TryGetProperty("sum_received", out _) ? 1 : 1 - lost), lost);
    }
}
