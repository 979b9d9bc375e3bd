using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using VpnBroker.Configuration;

namespace VpnBroker.Monitoring.Metrics;

/// <summary>
/// Pushes the meter to a collector with OpenTelemetry's SDK, on its own thread; a collector that does not answer costs its metrics only.
/// </summary>
internal static class OtlpPush
{
    private static readonly string? s_version = typeof(OtlpPush).Assembly.GetName().Version?.ToString(3);

    /// <summary>Begins to push; ends, with a last push, when it is disposed of.</summary>
    public static IDisposable Start(OtlpConfig config) => Sdk.CreateMeterProviderBuilder()
        .ConfigureResource(resource => resource.AddService("cryptoplane-broker", serviceVersion: s_version))
        .AddMeter(BrokerMeter.Name)
        .AddOtlpExporter((exporter, reader) =>
        {
            exporter.Endpoint = config.Endpoint;
            exporter.Protocol = config.Grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
            reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = config.IntervalSeconds * 1000;
        })
        .Build();
}
