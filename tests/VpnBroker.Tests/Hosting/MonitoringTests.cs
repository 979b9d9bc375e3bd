using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CryptoPlane.TestKit;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Status;

namespace VpnBroker.Tests.Hosting;

/// <summary>
/// What a whole broker shows of itself. By itself: OpenTelemetry takes meters by their name, and other tests of this process have the same.
/// </summary>
[Collection(nameof(MonitoringTests))]
public class MonitoringTests
{
    [Fact]
    public async Task Page_and_metrics_show_a_user_who_is_connected_and_none_of_their_secrets()
    {
        int web = FreePort.Tcp(), metrics = FreePort.Tcp();
        await using BrokerFixture fixture = await BrokerFixture.StartAsync($"web: {{listen: \"127.0.0.1:{web}\"}}\nmetrics: {{listen: \"127.0.0.1:{metrics}\", users: true}}");
        fixture.DataPlane.Status = () => Counted(fixture.DataPlane);
        using var client = new TestClient(fixture.Endpoint, fixture.Broker.Pin!);
        string cookie = client.LogIn(BrokerFixture.User, BrokerFixture.Password)!;
        Assert.Equal("HTTP/1.1 200 CONNECTED", client.Connect(cookie).Status);

        using var http = new HttpClient();
        string series = "cryptoplane_user_packets_total{user=\"alice\",network_io_direction=\"receive\"} 7";
        string text = "";
        await UntilAsync(async () => (text = await GetAsync(metrics, "/metrics")).Contains(series, StringComparison.Ordinal), "alice's series");
        Assert.Contains("cryptoplane_lcore_dropped_packets_total{lcore=\"0\",reason=\"no-route\"} 3", text, StringComparison.Ordinal);
        Assert.Contains("cryptoplane_lcore_answered_packets_total{lcore=\"0\",answer=\"icmp-error\"} 4", text, StringComparison.Ordinal);
        Assert.Contains("cryptoplane_lcore_answered_packets_total{lcore=\"0\",answer=\"tcp-reset\"} 5", text, StringComparison.Ordinal);
        Assert.Contains("cryptoplane_ipsec_peer_share{tunnel=\"dc1/net\",prefix=\"10.40.0.0/16\"} 0.75", text, StringComparison.Ordinal);
        string users = await GetAsync(web, "/api/users"), status = await GetAsync(web, "/api/status");
        using JsonDocument found = JsonDocument.Parse(users);
        Assert.Equal("alice", found.RootElement.GetProperty("users")[0].GetProperty("user").GetString());
        Assert.Equal(7, found.RootElement.GetProperty("users")[0].GetProperty("traffic").GetProperty("receivedPackets").GetInt32());
        string everything = text + users + status + await GetAsync(web, "/api/history") + await GetAsync(web, "/");
        // The cookie, the part of it that no other client has, and the password.
        foreach (string secret in (string[])[cookie, cookie[..16], cookie[^16..], BrokerFixture.Password])
            Assert.DoesNotContain(secret, everything, StringComparison.Ordinal);

        async Task<string> GetAsync(int port, string path) => await http.GetStringAsync($"http://127.0.0.1:{port}{path}", TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Status_has_rates_as_soon_as_there_are_two_readings()
    {
        await using BrokerFixture fixture = await BrokerFixture.StartAsync();
        ulong packets = 0;
        fixture.DataPlane.Status = () => Counted(fixture.DataPlane, packets += 1000);
        StatusReport report = await fixture.Broker.GetStatusAsync(users: true);
        await UntilAsync(async () => (report = await fixture.Broker.GetStatusAsync(users: true)).RateSeconds is not null, "rates");
        Assert.True(Assert.Single(Assert.Single(report.Lcores).Traffic).Rate!.Value.ReceivedPackets > 0);
        Assert.Equal(0.75, report.Lcores[0].Busy);
    }

    [Fact]
    public async Task A_prometheus_server_scrapes_the_broker()
    {
        string prometheus = Requirement.Program("prometheus");
        int metrics = FreePort.Tcp(), server = FreePort.Tcp();
        await using BrokerFixture fixture = await BrokerFixture.StartAsync($"metrics: {{listen: \"127.0.0.1:{metrics}\"}}");
        fixture.DataPlane.Status = () => Counted(fixture.DataPlane);
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory.File("prometheus.yml"), $$"""
            scrape_configs:
              - job_name: cryptoplane
                scrape_interval: 1s
                static_configs: [{targets: ["localhost:{{metrics}}"]}]
            """, TestContext.Current.CancellationToken);
        using ExternalProgram running = ExternalProgram.Start(prometheus,
            [$"--config.file={directory.File("prometheus.yml")}", $"--storage.tsdb.path={directory.File("data")}", $"--web.listen-address=127.0.0.1:{server}"]);
        using var http = new HttpClient();
        JsonElement result = default;
        await UntilAsync(async () =>
        {
            result = await QueryAsync("cryptoplane_inner_io_bytes_total{side=\"users\",network_io_direction=\"receive\"}");
            return result.ValueKind == JsonValueKind.Array && result.GetArrayLength() == 1;
        }, "the broker's series in Prometheus");
        Assert.Equal("700", result[0].GetProperty("value")[1].GetString());
        Assert.Equal("0", result[0].GetProperty("metric").GetProperty("lcore").GetString());
        Assert.Equal("1", (await QueryAsync("up"))[0].GetProperty("value")[1].GetString());
        running.Signal(ExternalProgram.SigTerm);
        running.WaitForExit();

        async Task<JsonElement> QueryAsync(string query)
        {
            try
            {
                string answer = await http.GetStringAsync($"http://127.0.0.1:{server}/api/v1/query?query={Uri.EscapeDataString(query)}", TestContext.Current.CancellationToken);
                return JsonDocument.Parse(answer).RootElement.GetProperty("data").GetProperty("result");
            }
            catch (HttpRequestException)
            {
                // It is starting.
                return default;
            }
        }
    }

    [Fact]
    public async Task A_collector_gets_the_metrics_by_otlp()
    {
        using var collector = new TcpListener(IPAddress.Loopback, 0);
        collector.Start();
        int port = ((IPEndPoint)collector.LocalEndpoint).Port;
        await using BrokerFixture fixture = await BrokerFixture.StartAsync($"metrics: {{otlp: {{endpoint: \"http://127.0.0.1:{port}/v1/metrics\", interval: 1s}}}}");
        fixture.DataPlane.Status = () => Counted(fixture.DataPlane);
        string request = "";
        // The first push may come before the first reading with an lcore in it.
        await UntilAsync(async () => (request = await TakeAsync(collector)).Contains("cryptoplane.inner.io", StringComparison.Ordinal), "the metrics");
        Assert.StartsWith("POST /v1/metrics HTTP/1.1\r\n", request, StringComparison.Ordinal);
        Assert.Contains("application/x-protobuf", request, StringComparison.OrdinalIgnoreCase);
        foreach (string part in (string[])["CryptoPlane", "cryptoplane-broker", "network.io.direction", "cryptoplane.lcore.time"])
            Assert.Contains(part, request, StringComparison.Ordinal);
    }

    /// <summary>Takes one request, answers it, and gives it as it came.</summary>
    private static async Task<string> TakeAsync(TcpListener collector)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Eventually.DefaultTimeout);
        CancellationToken cancellation = deadline.Token;
        using TcpClient client = await collector.AcceptTcpClientAsync(cancellation);
        NetworkStream stream = client.GetStream();
        var text = new StringBuilder();
        byte[] buffer = new byte[65536];
        while (!IsComplete(text.ToString()))
        {
            int count = await stream.ReadAsync(buffer, cancellation);
            if (count == 0)
                break;
            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
        await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), cancellation);
        return text.ToString();
    }

    private static bool IsComplete(string request)
    {
        int end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        const string length = "Content-Length: ";
        int at = request.IndexOf(length, StringComparison.OrdinalIgnoreCase);
        return end > 0 && at > 0 && at < end
            && request.Length >= end + 4 + int.Parse(request.AsSpan(at + length.Length, request.IndexOf('\r', at) - at - length.Length), CultureInfo.InvariantCulture);
    }

    private static DataPlaneStatus Counted(EchoDataPlane dataPlane, ulong packets = 7) => new()
    {
        Lcores =
        [
            new LcoreStatus
            {
                Index = 0, Cpu = -1, Tunnels = dataPlane.Attached.Count, BusyNanoseconds = 3 * packets, IdleNanoseconds = packets,
                Ports = [new PortStatus("users", packets, 100 * packets, 0, 0)], Drops = [new DropStatus("no-route", 3)],
                IcmpSent = 4, ResetsSent = 5,
            },
        ],
        PeerShares = [new PeerShareStatus("dc1/net", 3, 0.75, [IPNetwork.Parse("10.40.0.0/16"), IPNetwork.Parse("10.41.0.0/16")])],
        Tunnels = [.. dataPlane.Attached.ToArray().Select(tunnel => new UserTunnelStatus
        {
            TunnelId = tunnel.TunnelId, SessionId = tunnel.SessionId, Lcore = 0, Traffic = new PortStatus("users", packets, 100 * packets, 0, 0), Drops = 0, UnsentBytes = 0,
        })],
    };

    private static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Eventually.DefaultTimeout, $"waited in vain for: {what}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }
}

/// <summary>Nothing else runs beside them.</summary>
[CollectionDefinition(nameof(MonitoringTests), DisableParallelization = true)]
public sealed class MonitoringTestsAlone;
