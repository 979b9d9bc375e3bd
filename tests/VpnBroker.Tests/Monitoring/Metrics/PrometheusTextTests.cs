using System.Diagnostics.Metrics;
using System.Text.Json;
using CryptoPlane.TestKit;
using VpnBroker.Monitoring.Metrics;
using VpnBroker.Status;
using VpnBroker.Tests.Control;

namespace VpnBroker.Tests.Monitoring.Metrics;

/// <summary>What Prometheus' own tool and its Python library read out of the text.</summary>
public class PrometheusTextTests
{
    /// <summary>All that has a meaning in the formats, in HTML and in JSON.</summary>
    public const string HostileName = "a\\b\"c\nd\re{f=\"g\"} 1 # <img src=x onerror=alert(1)> é\u2028\0";

    private const string Parse = """
        import json, sys
        if sys.argv[1] == 'open':
            from prometheus_client.openmetrics.parser import text_string_to_metric_families
        else:
            from prometheus_client.parser import text_string_to_metric_families
        text = sys.stdin.buffer.read().decode()
        families = list(text_string_to_metric_families(text))
        print(json.dumps([[f.name, f.type, f.documentation, [[s.name, s.labels, s.value] for s in f.samples]] for f in families]))
        """;

    [Fact]
    public void Promtool_has_nothing_to_say()
    {
        string promtool = Requirement.Program("promtool", "prometheus");
        ProgramResult result = ExternalProgram.Run(promtool, ["check", "metrics"], input: Written(openMetrics: false));
        Assert.Equal((0, ""), (result.ExitCode, result.AllOutput));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Prometheus_library_reads_back_what_was_written(bool openMetrics)
    {
        string python = Requirement.PythonModule("prometheus_client", "python3-prometheus-client");
        ProgramResult result = ExternalProgram.Run(python, ["-c", Parse, openMetrics ? "open" : "plain"], input: Written(openMetrics)).EnsureSuccess();
        Dictionary<string, JsonElement> families = JsonDocument.Parse(result.Output).RootElement.EnumerateArray().ToDictionary(family => family[0].GetString()!);
        Assert.Equal("counter", families["cryptoplane_user_packets"][1].GetString());
        Assert.Equal("gauge", families["cryptoplane_sessions"][1].GetString());
        Assert.Equal("Users who are logged in, with or without a tunnel.", families["cryptoplane_sessions"][2].GetString());
        JsonElement hostile = families["cryptoplane_user_packets"][3].EnumerateArray().First(sample => sample[1].GetProperty("network_io_direction").GetString() == "transmit");
        Assert.Equal("cryptoplane_user_packets_total", hostile[0].GetString());
        Assert.Equal(HostileName, hostile[1].GetProperty("user").GetString());
        Assert.Equal(20, hostile[2].GetDouble());
    }

    [Fact]
    public void Only_the_meter_that_is_meant_is_written()
    {
        using var meter = new BrokerMeter(users: false);
        using var text = new PrometheusText(meter.Meter);
        using var other = new Meter(BrokerMeter.Name);
        other.CreateObservableGauge("cryptoplane.other", () => 1);
        meter.Take(StatusSamples.Report());
        string written = text.Write(openMetrics: true);
        Assert.DoesNotContain("other", written, StringComparison.Ordinal);
        Assert.EndsWith("\n# EOF\n", written, StringComparison.Ordinal);
        Assert.Contains("# UNIT cryptoplane_inner_io_bytes bytes\n", written, StringComparison.Ordinal);
    }

    [Fact]
    public void Equal_labels_are_one_series()
    {
        using var meter = new Meter("test");
        meter.CreateObservableCounter("twice", () => new Measurement<long>[] { new(1, Tag("a")), new(2, Tag("a")), new(4, Tag("b")) }, "By", "Help with \"quotes\", a \\ and\na line.");
        using var text = new PrometheusText(meter);
        Assert.Equal("# HELP twice_bytes_total Help with \"quotes\", a \\\\ and\\na line.\n# TYPE twice_bytes_total counter\n"
            + "twice_bytes_total{tag=\"a\"} 3\ntwice_bytes_total{tag=\"b\"} 4\n", text.Write(openMetrics: false));

        static KeyValuePair<string, object?> Tag(string value) => new("tag", value);
    }

    private static string Written(bool openMetrics)
    {
        using var meter = new BrokerMeter(users: true);
        using var text = new PrometheusText(meter.Meter);
        StatusReport report = StatusSamples.Report();
        meter.Take(report with { Users = [report.Users[0] with { User = HostileName }], Ipsec = [BrokerMeterTests.Peer("dc2", "established")] });
        return text.Write(openMetrics);
    }
}
