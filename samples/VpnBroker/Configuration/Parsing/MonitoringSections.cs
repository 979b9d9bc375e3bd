using System.Diagnostics.CodeAnalysis;
using System.Net;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The sections <c>metrics</c> and <c>web</c>.</summary>
internal static class MonitoringSections
{
    private const int DefaultInterval = 30;

    public static MetricsConfig Metrics(ConfigMap root)
    {
        var standard = new MetricsConfig();
        if (root.Section("metrics") is not { } map)
            return standard;
        var config = new MetricsConfig
        {
            Listen = map.Find("listen") is { } node && NetworkValues.Endpoint(node, out IPEndPoint? listen) ? listen : null,
            Hosts = map.List<string>("hosts", HostName) ?? [],
            Users = map.Flag("users", standard.Users),
            Otlp = Otlp(map),
        };
        map.RefuseUnknownKeys();
        return config;
    }

    public static WebConfig? Web(ConfigMap root)
    {
        if (root.Section("web") is not { } map)
            return null;
        IPEndPoint? listen = null;
        if (map.Require("listen") is { } node && NetworkValues.Endpoint(node, out listen) && !IPAddress.IsLoopback(listen.Address))
        {
            node.Fail($"the page has no log-in and no TLS, so {listen.Address} is refused: write 127.0.0.1 or [::1], and reach it from elsewhere "
                + "by SSH (ssh -L 9465:127.0.0.1:9465 HOST)");
        }
        map.RefuseUnknownKeys();
        return listen is null ? null : new WebConfig(listen);
    }

    private static OtlpConfig? Otlp(ConfigMap metrics)
    {
        if (metrics.Section("otlp") is not { } map)
            return null;
        ConfigNode? node = map.Require("endpoint");
        Uri? endpoint = null;
        if (node?.AsText() is { } text && (!Uri.TryCreate(text, UriKind.Absolute, out endpoint) || endpoint.Scheme is not ("http" or "https")))
        {
            node.Value.Fail($"\"{text}\" is no URL of a collector: write such as http://127.0.0.1:4318/v1/metrics (protocol: http) or http://127.0.0.1:4317 (protocol: grpc)");
            endpoint = null;
        }
        bool grpc = map.Find("protocol")?.AsChoice(("http", false), ("grpc", true)) ?? false;
        int interval = map.Seconds("interval", DefaultInterval, neverAllowed: false, maximum: 3600);
        map.RefuseUnknownKeys();
        return endpoint is null ? null : new OtlpConfig(endpoint, grpc, interval);
    }

    private static bool HostName(ConfigNode node, [NotNullWhen(true)] out string? value)
    {
        value = node.AsText();
        if (value is null)
            return false;
        if (Uri.CheckHostName(value) == UriHostNameType.Dns)
            return true;
        node.Fail($"\"{value}\" is no name of a host: write it without a port, such as broker.example.net (addresses need not be listed)");
        return false;
    }
}
