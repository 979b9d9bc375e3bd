using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Handshake;

/// <summary>The secrets behind the server's Finished (RFC 8446 §7.1), until record protection and the connection have taken them.</summary>
internal sealed class ApplicationKeys : IDisposable
{
    private readonly MasterSecret _master;
    private ExporterSecret? _exporter;

    /// <summary>Derives them.</summary>
    /// <param name="master">Belongs to this object from now on.</param>
    /// <param name="transcriptHash">Of ClientHello to the server's Finished.</param>
    public ApplicationKeys(MasterSecret master, ReadOnlySpan<byte> transcriptHash)
    {
        _master = master;
        Client = master.DeriveClientTraffic(transcriptHash);
        Server = master.DeriveServerTraffic(transcriptHash);
        _exporter = master.DeriveExporter(transcriptHash);
    }

    /// <summary>client_application_traffic_secret_0.</summary>
    public TrafficSecret Client { get; }

    /// <summary>server_application_traffic_secret_0.</summary>
    public TrafficSecret Server { get; }

    /// <summary>Hands exporter_master_secret over; the caller disposes of it.</summary>
    public ExporterSecret? TakeExporter()
    {
        ExporterSecret? exporter = _exporter;
        _exporter = null;
        return exporter;
    }

    /// <summary>resumption_master_secret; the caller disposes of it.</summary>
    /// <param name="transcriptHash">Of ClientHello to the client's Finished.</param>
    public ResumptionSecret DeriveResumption(ReadOnlySpan<byte> transcriptHash) => _master.DeriveResumption(transcriptHash);

    /// <inheritdoc/>
    public void Dispose()
    {
        _master.Dispose();
        Client.Dispose();
        Server.Dispose();
        _exporter?.Dispose();
    }
}
