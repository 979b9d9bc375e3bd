using System.Globalization;
using System.Text.Json;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop;

/// <summary>A user's traffic by openconnect, through the broker, as flow records in nfcapd: the sums are those of iperf3 and of the broker's counters.</summary>
[Trait("Speed", "slow")]
public sealed class FlowExportTests : IDisposable
{
    private const int DatagramBytes = 1000, UdpBytes = 2_000_000, TcpBytes = 4_000_000, Headers = 28;

    private readonly TemporaryDirectory _directory = new();
    private readonly NetworkNamespace _user;
    private readonly NetworkNamespace _server;

    public FlowExportTests()
    {
        foreach (string program in (string[])["openconnect", "iperf3", "nfcapd", "nfdump"])
            Requirement.Program(program, program == "nfcapd" ? "nfdump" : program);
        Requirement.Tun();
        _user = new NetworkNamespace("user");
        _server = new NetworkNamespace("broker");
        _server.Connect(_user, "v0", "10.99.0.1/24", "v1", "10.99.0.2/24");
        File.WriteAllText(_directory.File("broker.yaml"), """
            listen: ["10.99.0.1:443"]
            certificate: {certificateFile: s.crt, keyFile: s.key, selfSigned: true, names: [10.99.0.1]}
            authentication: {usersFile: users}
            defaults: {pool: p, mtu: 1400, include: [10.77.0.0/16]}
            pools: [{name: p, ipv4: 10.77.0.0/16}]
            lcores: {count: 2}
            tun: {name: broker0, addresses: [10.77.0.1/16], routes: [10.77.0.1/32]}
            control: {socket: b.sock}
            policy: {default: allow, rules: [{name: closed, action: reject, protocols: [tcp], ports: [5202]}]}
            export:
              startRecords: true
              sinks:
                - {name: nfcapd, kind: udp, collector: "127.0.0.1:4739"}
                - {name: away, kind: tcp, collector: "127.0.0.1:4739"}
                - {name: lines, kind: json, directory: lines}
            """);
        File.WriteAllText(_directory.File("script"), """
            #!/bin/sh
            [ "$reason" = connect ] || exit 0
            sysctl -qw "net.ipv6.conf.$TUNDEV.disable_ipv6=1"
            ip link set dev "$TUNDEV" up mtu "$INTERNAL_IP4_MTU"
            ip addr add "$INTERNAL_IP4_ADDRESS/16" dev "$TUNDEV"
            """);
        File.SetUnixFileMode(_directory.File("script"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        BrokerProcess.Run(_directory, "user add alice --iterations 2000", "secret-secret\n").EnsureSuccess();
    }

    public void Dispose()
    {
        _user.Dispose();
        _server.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void What_nfcapd_has_adds_up_to_what_iperf3_and_the_counters_say()
    {
        Directory.CreateDirectory(_directory.File("nf"));
        using ExternalProgram collector = _server.Start("nfcapd", ["-b", "127.0.0.1", "-p", "4739", "-w", _directory.File("nf"), "-t", "3600"]);
        collector.WaitForOutput("Startup nfcapd");
        using BrokerProcess broker = BrokerProcess.Start(_server, _directory);
        JsonElement udp, tcp;
        using (ExternalProgram client = Connect())
        {
            // iperf3 would report no route and exit with 0.
            _user.WaitForRoute("10.77.0.1", "10.77.");
            using ExternalProgram server = _server.Start("iperf3", ["-s", "-B", "10.77.0.1", "--forceflush"]);
            server.WaitForOutput("Server listening");
            AssertRefusedByPolicy();
            udp = Iperf("-u", "-b", "20M", "-l", DatagramBytes.ToString(CultureInfo.InvariantCulture), "-n", UdpBytes.ToString(CultureInfo.InvariantCulture));
            tcp = Iperf("-R", "-n", TcpBytes.ToString(CultureInfo.InvariantCulture));
            // What the server sends to a user who is gone is answered by ICMP errors, which are in no session.
            Eventually.True(() => _server.Run("ss", ["-Htn", "dst", "10.77.0.0/16"]).EnsureSuccess().Output.Length == 0, "the connections' end");
            client.Signal(ExternalProgram.SigInt);
            client.WaitForExit();
        }
        Eventually.True(() => broker.Status().GetProperty("sessions").GetInt32() == 0, "the session's end");
        JsonElement status = Settled(broker);
        (long Packets, long Octets) toServer = Sent(status, "tun"), toUser = Sent(status, "users");
        // The lcores' last records leave when the broker stops.
        broker.Program.Signal(ExternalProgram.SigTerm);
        Assert.Equal(0, broker.Program.WaitForExit().ExitCode);
        // The socket's queue of received bytes is empty.
        Eventually.True(
            () => _server.Run("cat", ["/proc/net/udp"]).Output.Contains("0100007F:1283 00000000:0000 07 00000000:00000000", StringComparison.Ordinal),
            "nfcapd reads all");
        collector.Signal(ExternalProgram.SigTerm);
        Assert.Contains("Bad Packets: 0", collector.WaitForExit().AllOutput, StringComparison.Ordinal);

        List<Flow> flows = ReadFlows();
        Assert.NotEqual(0, toServer.Packets);
        Assert.Equal(toServer, (flows.Sum(flow => flow.Packets), flows.Sum(flow => flow.Octets)));
        // What a slow connection did not take is dropped there, and not passed on.
        // The one packet that is in no session is the broker's own RST, of 40 bytes.
        Assert.Equal(toUser, (flows.Sum(flow => flow.ReversePackets) + 1, flows.Sum(flow => flow.ReverseOctets) + 40));

        // iperf3 opens its UDP session by a datagram of four bytes.
        Flow datagrams = flows.Where(flow => flow.Protocol == 17).Aggregate((sum, next) => sum.Plus(next));
        JsonElement sums = udp.GetProperty("end").GetProperty("sum");
        long sent = sums.GetProperty("packets").GetInt64(), lost = sums.GetProperty("lost_packets").GetInt64();
        Assert.InRange(datagrams.Packets, sent - lost + 1, sent + 1);
        Assert.Equal(((datagrams.Packets - 1) * (DatagramBytes + Headers)) + 4 + Headers, datagrams.Octets);
        // What iperf3 has received over TCP is within what went to the user, and the rest are headers.
        long received = tcp.GetProperty("end").GetProperty("sum_received").GetProperty("bytes").GetInt64();
        Assert.InRange(flows.Where(flow => flow.Protocol == 6).Sum(flow => flow.ReverseOctets), received, received * 13 / 10);

        JsonElement[] lines = [.. Directory.GetFiles(_directory.File("lines"), "*.jsonl").SelectMany(File.ReadLines).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(flows.Count, lines.Length);
        Assert.Equal(
            Dropped(status, "slow-reader"),
            lines.Sum(line => line.TryGetProperty("reverse", out JsonElement reverse) && reverse.TryGetProperty("drops", out JsonElement drops) ? drops.GetInt64() : 0));
        // Each session is announced once, and what announces it is in no sum.
        Assert.Equal(
            lines.Select(FlowId).Distinct().Order(), lines.Where(line => line.TryGetProperty("event", out _)).Select(FlowId).Order());
        Assert.All(lines, line => Assert.Equal("alice", line.GetProperty("user").GetString()));
        Assert.All(lines, line => Assert.Equal("broker0", line.GetProperty("egress").GetProperty("name").GetString()));
        // The collector over TCP was never there: that has held up nobody.
        JsonElement away = status.GetProperty("export").EnumerateArray().Single(sink => sink.GetProperty("name").GetString() == "away");
        Assert.Equal(("not connected", 0), (away.GetProperty("state").GetString(), away.GetProperty("records").GetInt32()));
    }

    /// <summary>Somebody listens, and the policy's RST says that nobody does: at once, and without a packet to the server.</summary>
    private void AssertRefusedByPolicy()
    {
        using ExternalProgram closed = _server.Start("iperf3", ["-s", "-B", "10.77.0.1", "-p", "5202", "--forceflush"]);
        closed.WaitForOutput("Server listening");
        ProgramResult refused = _user.Run("bash", ["-c", "exec 3<>/dev/tcp/10.77.0.1/5202"]);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("Connection refused", refused.Error, StringComparison.Ordinal);
    }

    private static string FlowId(JsonElement line) => line.GetProperty("flowId").GetString()!;

    private ExternalProgram Connect()
    {
        string pin = BrokerProcess.Run(_directory, "certificate show").EnsureSuccess().Output.Trim();
        ExternalProgram client = _user.Start("openconnect",
            ["--user", "alice", "--passwd-on-stdin", "--servercert", pin, "--script", _directory.File("script"), "--no-dtls", "--non-inter", "https://10.99.0.1/"]);
        client.Write("secret-secret\n");
        client.CloseInput();
        return client;
    }

    private JsonElement Iperf(params string[] arguments) =>
        JsonDocument.Parse(_user.Run("iperf3", ["-c", "10.77.0.1", "-J", .. arguments], timeout: TimeSpan.FromSeconds(90)).EnsureSuccess().Output).RootElement;

    /// <summary>The counters when nothing moves any more.</summary>
    private static JsonElement Settled(BrokerProcess broker)
    {
        JsonElement last = broker.Status();
        Eventually.True(() =>
        {
            JsonElement next = broker.Status();
            bool same = Sent(next, "tun") == Sent(last, "tun") && Sent(next, "users") == Sent(last, "users");
            last = next;
            return same;
        }, "counters that do not change");
        return last;
    }

    private static (long Packets, long Octets) Sent(JsonElement status, string kind)
    {
        JsonElement[] parts =
        [
            .. status.GetProperty("lcores").EnumerateArray().SelectMany(lcore => lcore.GetProperty("traffic").EnumerateArray())
                .Where(traffic => traffic.GetProperty("name").GetString() == kind),
        ];
        return (parts.Sum(part => part.GetProperty("sentPackets").GetInt64()), parts.Sum(part => part.GetProperty("sentBytes").GetInt64()));
    }

    private static long Dropped(JsonElement status, string reason) => status.GetProperty("lcores").EnumerateArray()
        .Sum(lcore => lcore.GetProperty("drops").TryGetProperty(reason, out JsonElement count) ? count.GetInt64() : 0);

    private List<Flow> ReadFlows()
    {
        string file = Directory.GetFiles(_directory.File("nf"), "nfcapd.2*").Single();
        string text = ExternalProgram.Run("nfdump", ["-r", file, "-q", "-N", "-o", "fmt:%pr,%ipkt,%ibyt,%opkt,%obyt"]).EnsureSuccess().Output;
        return
        [
            .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(',').Select(part => long.Parse(part.Trim(), CultureInfo.InvariantCulture)).ToArray())
                .Select(numbers => new Flow((int)numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])),
        ];
    }

    private sealed record Flow(int Protocol, long Packets, long Octets, long ReversePackets, long ReverseOctets)
    {
        public Flow Plus(Flow other) => new(
            Protocol, Packets + other.Packets, Octets + other.Octets, ReversePackets + other.ReversePackets, ReverseOctets + other.ReverseOctets);
    }
}
