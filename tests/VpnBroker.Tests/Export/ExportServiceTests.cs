using System.Net;
using System.Text.Json;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.TestKit;
using VpnBroker.DataPlane.Counters;
using VpnBroker.Status;
using VpnBroker.Tests.Hosting;

namespace VpnBroker.Tests.Export;

/// <summary>Export of a running broker, with records that the test makes.</summary>
public sealed class ExportServiceTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly RingDataPlane _dataPlane = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Records_get_the_names_that_the_broker_knows_and_the_last_ones_are_exported_at_the_stop()
    {
        _dataPlane.Last = [Record(2) with { EndReason = FlowEndReason.Forced }];
        BrokerFixture fixture = await StartAsync("fileTime: 1h");
        await using (fixture)
        {
            Assert.True(_dataPlane.Rings[1].TryEnqueue(Record(1), 0));
            StatusReport report = await Until(fixture, sink => sink.Records + sink.Waiting == 1);
            Assert.Equal(("lines", 0, 0), (report.Export[0].Name, report.Export[0].Dropped, report.Export[0].Errors));
            Assert.Contains(StatusText.Write(report).Split('\n'), line => line.StartsWith($"lines   json {_directory.Path}", StringComparison.Ordinal));
        }
        JsonElement[] lines = Lines();
        Assert.Equal(["1", "2"], lines.Select(line => line.GetProperty("flowId").GetString()));
        Assert.Equal("dc1", lines[0].GetProperty("egress").GetProperty("name").GetString());
        Assert.Equal("dns", lines[0].GetProperty("ruleName").GetString());
        Assert.Equal("slow-reader", lines[0].GetProperty("dropReasonName").GetString());
        Assert.Equal("forced", lines[1].GetProperty("endReason").GetString());
    }

    [Fact]
    public async Task A_user_is_named_also_when_the_session_has_ended()
    {
        await using (BrokerFixture fixture = await StartAsync("fileTime: 1h"))
        {
            using (var client = new TestClient(fixture.Endpoint, fixture.Broker.Pin!))
                client.LogIn(BrokerFixture.User, BrokerFixture.Password);
            Assert.Equal(1, fixture.Broker.Disconnect(BrokerFixture.User));
            Assert.True(_dataPlane.Rings[0].TryEnqueue(Record(1) with { IngressKind = FlowTunnelKind.User, IngressId = 1 }, 0));
            await Until(fixture, sink => sink.Records + sink.Waiting == 1);
        }
        Assert.Equal(BrokerFixture.User, Lines().Single().GetProperty("user").GetString());
    }

    [Fact]
    public async Task A_reload_takes_other_sinks_and_leaves_those_that_stay()
    {
        await using BrokerFixture fixture = await StartAsync("fileTime: 1h");
        _dataPlane.Rings[0].TryEnqueue(Record(1), 0);
        await Until(fixture, sink => sink.Records + sink.Waiting == 1);
        string other = Directory.CreateDirectory(_directory.File("other")).FullName;
        await fixture.WriteConfigAsync(Section("fileTime: 1h", $", {{name: more, kind: file, directory: {other}}}"));
        Assert.Null(await fixture.Broker.ReloadAsync());
        _dataPlane.Rings[0].TryEnqueue(Record(2), 0);
        StatusReport report = await Until(fixture, sink => sink.Records + sink.Waiting == 2);
        Assert.Equal(["lines", "more"], report.Export.Select(sink => sink.Name));
        await fixture.WriteConfigAsync(Section("fileTime: 2h"));
        Assert.Null(await fixture.Broker.ReloadAsync());
        // What the sink of before had is in a complete file, and so is what the other one had.
        Eventually.True(() => Lines().Length == 2 && Directory.GetFiles(other, "*.ipfix").Length == 1, "the files of the sinks that have gone");
    }

    private Task<BrokerFixture> StartAsync(string keys) => BrokerFixture.StartAsync(Section(keys), startDataPlane: (_, _, _) => _dataPlane);

    private string Section(string keys, string more = "") =>
        $"export: {{sinks: [{{name: lines, kind: json, directory: {_directory.Path}, {keys}}}{more}]}}";

    private JsonElement[] Lines() => [.. Directory.GetFiles(_directory.Path, "*.jsonl").Order().SelectMany(File.ReadAllLines).Select(line => JsonDocument.Parse(line).RootElement)];

    private static async Task<StatusReport> Until(BrokerFixture fixture, Func<ExportReport, bool> condition)
    {
        StatusReport report = await fixture.Broker.GetStatusAsync(users: false);
        for (int i = 0; i < 2000 && !condition(report.Export[0]); i++)
        {
            await Task.Delay(10);
            report = await fixture.Broker.GetStatusAsync(users: false);
        }
        Assert.True(condition(report.Export[0]), report.Export[0].ToString());
        return report;
    }

    private static FlowRecord Record(ulong id) => new()
    {
        Start = 1_795_284_000_000_000_000,
        End = 1_795_284_001_000_000_000,
        Source = SessionAddress.From(IPAddress.Parse("10.77.0.2")),
        Destination = SessionAddress.From(IPAddress.Parse("10.20.0.1")),
        Protocol = 17,
        SourcePort = 5000,
        DestinationPort = 53,
        Forward = new FlowTraffic { Packets = 2, Octets = 100 },
        FlowId = id,
        EgressKind = FlowTunnelKind.Esp,
        EgressId = 1,
        RuleId = 5,
        DropReason = (ushort)DropReason.SlowReader,
        EndReason = FlowEndReason.IdleTimeout,
    };
}
