using System.Net;
using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;
using VpnBroker.DataPlane.Flows;
using VpnBroker.Hosting;

namespace VpnBroker.Tests.Configuration;

public class ExportConfigTests
{
    private const string Section = """

        export:
          observationDomain: 7
          enterprise: 4294967295
          templateRefresh: 5m
          startRecords: true
          sinks:
            - {name: noc, kind: udp, collector: "192.0.2.20:4739", messageBytes: 1200}
            - {name: siem, kind: tcp, collector: "[2001:db8::1]:4739", buffer: 2097152}
            - {name: archive, kind: file, directory: flows, fileBytes: 100000, fileTime: 1m, keep: 10}
            - {name: lines, kind: json, directory: /var/log/flows}
        """;

    [Fact]
    public void Every_key_is_read()
    {
        ExportConfig config = ConfigText.Parse(ConfigText.Valid + Section).Export!;
        Assert.Equal((7u, uint.MaxValue, 300, true), (config.ObservationDomain, config.Enterprise, config.TemplateRefreshSeconds, config.StartRecords));
        Assert.Equal(
            [
                new FlowSinkConfig { Name = "noc", Kind = FlowSinkKind.Udp, Collector = IPEndPoint.Parse("192.0.2.20:4739"), MessageBytes = 1200 },
                new FlowSinkConfig { Name = "siem", Kind = FlowSinkKind.Tcp, Collector = IPEndPoint.Parse("[2001:db8::1]:4739"), MessageBytes = 16384, Buffer = 2097152 },
                new FlowSinkConfig
                {
                    Name = "archive", Kind = FlowSinkKind.File, Directory = "/etc/test/flows", MessageBytes = 16384, FileBytes = 100_000, FileSeconds = 60, Keep = 10,
                },
                new FlowSinkConfig { Name = "lines", Kind = FlowSinkKind.Json, Directory = "/var/log/flows" },
            ],
            config.Sinks);
    }

    [Fact]
    public void Lcores_make_starts_where_they_are_wanted_and_begin_to_with_a_restart()
    {
        BrokerConfig with = ConfigText.Parse(ConfigText.Valid + Section);
        BrokerConfig without = ConfigText.Parse(ConfigText.Valid + Section.Replace("startRecords: true", "startRecords: false", StringComparison.Ordinal));
        Assert.True(FlowSettings.From(with)!.StartRecords);
        Assert.False(FlowSettings.From(without)!.StartRecords);
        Assert.Contains("startRecords", Assert.Single(RestartChecks.Differences(without, with)), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_section_nothing_is_exported() => Assert.Null(ConfigText.Parse(ConfigText.Valid).Export);

    [Theory]
    [InlineData("export: {}", "export.sinks", "missing")]
    [InlineData("export: {sinks: []}", "export.sinks", "at least one sink")]
    [InlineData("export: {enterprise: 29305, sinks: [{name: a, kind: json, directory: d}]}", "export.enterprise", "reverse direction")]
    [InlineData("export: {enterprise: 0, sinks: [{name: a, kind: json, directory: d}]}", "export.enterprise", "from 1 to 4294967295")]
    [InlineData("export: {templateRefresh: never, sinks: [{name: a, kind: json, directory: d}]}", "export.templateRefresh", "write a time")]
    [InlineData("export: {sinks: [{name: a, kind: sctp}]}", "export.sinks[0].kind", "udp, tcp, file, json")]
    [InlineData("export: {sinks: [{name: a, kind: udp}]}", "export.sinks[0].collector", "missing")]
    [InlineData("export: {sinks: [{name: a, kind: udp, collector: noc.example.net:4739}]}", "export.sinks[0].collector", "no endpoint")]
    [InlineData("export: {sinks: [{name: a, kind: udp, collector: \"192.0.2.1:1\", messageBytes: 512}]}", "export.sinks[0].messageBytes", "from 548 to 65507")]
    [InlineData("export: {sinks: [{name: a, kind: tcp, collector: \"192.0.2.1:1\", buffer: 1000}]}", "export.sinks[0].buffer", "from 1048576")]
    [InlineData("export: {sinks: [{name: a, kind: tcp, collector: \"192.0.2.1:1\", directory: d}]}", "export.sinks[0].directory", "no such key")]
    [InlineData("export: {sinks: [{name: a, kind: file}]}", "export.sinks[0].directory", "missing")]
    [InlineData("export: {sinks: [{name: ../a, kind: json, directory: d}]}", "export.sinks[0].name", "letters, digits")]
    [InlineData("export: {sinks: [{name: .a, kind: json, directory: d}]}", "export.sinks[0].name", "letters, digits")]
    [InlineData("export: {sinks: [{name: a, kind: json, directory: d}, {name: a, kind: file, directory: e}]}", "export", "twice")]
    [InlineData("export: {sinks: [{name: a, kind: udp, collector: \"192.0.2.1:1\"}, {name: b, kind: udp, collector: \"192.0.2.1:1\"}]}", "export", "a and b")]
    [InlineData("flows: {enabled: false}\nexport: {sinks: [{name: a, kind: json, directory: d}]}", "export", "no records without sessions")]
    [InlineData("export: [udp]", "export", "write keys with values")]
    public void What_is_wrong_is_said(string section, string key, string message)
    {
        ConfigException exception = Assert.Throws<ConfigException>(() => ConfigText.Parse(ConfigText.Valid + "\n" + section));
        Assert.Contains(exception.Errors, error => error.Key == key && error.Message.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void The_example_is_right_when_it_is_uncommented()
    {
        string[] lines = File.ReadAllLines(RepositoryRoot.PathOf("samples", "VpnBroker", "broker.example.yaml"));
        IEnumerable<string> section = lines.SkipWhile(line => line != "#export:").TakeWhile(line => line.StartsWith('#')).Select(line => line[1..]);
        Assert.Equal(["noc", "siem", "archive", "flows"], ConfigText.Parse(ConfigText.Valid + "\n" + string.Join('\n', section)).Export!.Sinks.Select(sink => sink.Name));
    }

    [Fact]
    public void Sinks_can_be_reloaded_but_export_begins_and_ends_with_a_restart()
    {
        BrokerConfig with = ConfigText.Parse(ConfigText.Valid + Section), without = ConfigText.Parse(ConfigText.Valid);
        Assert.Contains(RestartChecks.Differences(with, without), section => section.StartsWith("export", StringComparison.Ordinal));
        Assert.Empty(RestartChecks.Differences(with, ConfigText.Parse(ConfigText.Valid + Section.Replace("keep: 10", "keep: 11", StringComparison.Ordinal))));
    }
}
