using System.Diagnostics.CodeAnalysis;
using System.Net;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Messages;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The section <c>export</c>.</summary>
internal static class ExportSection
{
    private const int MaxNameLength = 32;
    private const int DatagramBytes = 1400, StreamBytes = 16_384;

    public static ExportConfig? Read(ConfigMap root)
    {
        if (root.Section("export") is not { } map)
            return null;
        ConfigNode? enterprise = map.Find("enterprise");
        var config = new ExportConfig
        {
            ObservationDomain = (uint)(map.Find("observationDomain")?.AsNumber(0, uint.MaxValue) ?? 1),
            Enterprise = (uint)(enterprise?.AsNumber(1, uint.MaxValue) ?? FlowElements.ExampleEnterprise),
            TemplateRefreshSeconds = map.Seconds("templateRefresh", 60, neverAllowed: false, maximum: 86400),
            StartRecords = map.Flag("startRecords", false),
            Sinks = (map.Require("sinks") is null ? null : map.List<FlowSinkConfig>("sinks", Sink)) ?? [],
        };
        // RFC 5103 §6.1: an element under that number is IANA's of the other direction.
        if (config.Enterprise == IpfixElement.ReverseEnterprise)
            enterprise!.Value.Fail($"{IpfixElement.ReverseEnterprise} stands for the reverse direction: write the private enterprise number of your organisation");
        if (map.Find("sinks") is { } sinks && sinks.AsList().Count == 0)
            sinks.Fail("write at least one sink, or leave the export section out");
        foreach (IGrouping<string, FlowSinkConfig> same in config.Sinks.GroupBy(sink => sink.Name).Where(group => group.Count() > 1))
            map.Fail($"the sink \"{same.Key}\" is there twice: rename one");
        foreach (IGrouping<IPEndPoint, FlowSinkConfig> same in config.Sinks.Where(sink => sink is { Kind: FlowSinkKind.Udp, Collector: not null })
            .GroupBy(sink => sink.Collector!).Where(group => group.Count() > 1))
        {
            map.Fail($"{same.Key} gets every record over UDP from {string.Join(" and ", same.Select(sink => sink.Name))}: remove one");
        }
        map.RefuseUnknownKeys();
        return config;
    }

    private static bool Sink(ConfigNode node, [NotNullWhen(true)] out FlowSinkConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        string? name = Name(map);
        FlowSinkKind? kind = map.Require("kind")?.AsChoice(
            ("udp", FlowSinkKind.Udp), ("tcp", FlowSinkKind.Tcp), ("file", FlowSinkKind.File), ("json", FlowSinkKind.Json));
        if (kind is null)
            return false;
        value = new FlowSinkConfig { Name = name ?? "", Kind = kind.Value };
        bool isNetwork = kind is FlowSinkKind.Udp or FlowSinkKind.Tcp;
        if (isNetwork)
        {
            value = value with { Collector = map.Require("collector") is { } collector && NetworkValues.Endpoint(collector, out IPEndPoint? endpoint) ? endpoint : null };
        }
        else
        {
            value = value with
            {
                Directory = map.Require("directory")?.AsPath(),
                FileBytes = map.Number("fileBytes", value.FileBytes, 65_536, 2_000_000_000),
                FileSeconds = map.Seconds("fileTime", value.FileSeconds, neverAllowed: false, maximum: 86400),
                Keep = map.Number("keep", 0, 0, 1_000_000),
            };
        }
        // A stream's messages are bounded by the format, a datagram's by the path: 65535 with the headers of IPv4 and UDP.
        if (kind == FlowSinkKind.Udp)
            value = value with { MessageBytes = map.Number("messageBytes", DatagramBytes, IpfixSessionOptions.MinimumMessageSize, 65_507) };
        else if (kind != FlowSinkKind.Json)
            value = value with { MessageBytes = StreamBytes };
        if (kind != FlowSinkKind.Udp)
            value = value with { Buffer = map.Number("buffer", value.Buffer, 1_048_576, 1_073_741_824) };
        map.RefuseUnknownKeys();
        return true;
    }

    private static string? Name(ConfigMap map)
    {
        if (map.Require("name") is not { } node || node.AsText() is not { } name)
            return null;
        // It begins names of files.
        if (name.Length <= MaxNameLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') && name[0] != '.')
            return name;
        node.Fail($"write 1 to {MaxNameLength} letters, digits, hyphens, underscores and dots, without a dot at the beginning");
        return null;
    }
}
