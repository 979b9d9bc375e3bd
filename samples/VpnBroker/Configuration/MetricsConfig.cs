using System.Net;

namespace VpnBroker.Configuration;

/// <summary>What programs read of the broker's counters.</summary>
public sealed record MetricsConfig
{
    /// <summary>Where Prometheus may scrape <c>/metrics</c>, over plain HTTP; null for nowhere.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>Names by which scrapers may ask (the Host header); addresses and <c>localhost</c> are always taken.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Whether each user has series of their own.</summary>
    public bool Users { get; init; }

    /// <summary>Where metrics are pushed; null for nowhere.</summary>
    public OtlpConfig? Otlp { get; init; }
}

/// <summary>A collector of OpenTelemetry's.</summary>
/// <param name="Endpoint">Its URL.</param>
/// <param name="Grpc">Whether it speaks gRPC, else protobuf over HTTP.</param>
/// <param name="IntervalSeconds">Seconds between two pushes.</param>
public sealed record OtlpConfig(Uri Endpoint, bool Grpc, int IntervalSeconds);

/// <summary>The web page for operators.</summary>
/// <param name="Listen">A loopback address and a port.</param>
public sealed record WebConfig(IPEndPoint Listen);
