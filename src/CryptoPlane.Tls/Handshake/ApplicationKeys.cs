using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Handshake;

/// <summary>The secrets behind the server's Finished (RFC 8446 §7.1), until record protection and the connection have taken them.</summary>
internal sealed class ApplicationKeys(TrafficSecret client, TrafficSecret server, ExporterSecret exporter) : IDisposable
{
    private ExporterSecret? _exporter = exporter;

    /// <summary>client_application_traffic_secret_0.</summary>
    public TrafficSecret Client { get; } = client;

    /// <summary>server_application_traffic_secret_0.</summary>
    public TrafficSecret Server { get; } = server;

    /// <summary>Hands exporter_master_secret over; the caller disposes of it.</summary>
    public ExporterSecret? TakeExporter()
    {
        ExporterSecret? exporter = _exporter;
        _exporter = null;
        return exporter;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        _exporter?.Dispose();
    }
}
