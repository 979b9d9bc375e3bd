namespace CryptoPlane.Tls.KeySchedule;

/// <summary>The third secret of the schedule: application data and exporters come from it.</summary>
internal sealed class MasterSecret : ScheduleSecret
{
    /// <summary>Made by <see cref="HandshakeSecret.ToMasterSecret"/> only.</summary>
    internal MasterSecret(TlsHash hash, ReadOnlySpan<byte> salt) : base(hash)
    {
        Span<byte> zeros = stackalloc byte[TlsHashes.MaxLength];
        zeros.Clear();
        Hkdf.Extract(hash, salt, zeros[..hash.Length()], Bytes);
    }

    /// <summary>client_application_traffic_secret_0.</summary>
    /// <param name="transcriptHash">Of ClientHello to the server's Finished.</param>
    public TrafficSecret DeriveClientTraffic(ReadOnlySpan<byte> transcriptHash) => TrafficSecret.Derive(Hash, Bytes, "c ap traffic"u8, transcriptHash);

    /// <summary>server_application_traffic_secret_0.</summary>
    /// <param name="transcriptHash">Of ClientHello to the server's Finished.</param>
    public TrafficSecret DeriveServerTraffic(ReadOnlySpan<byte> transcriptHash) => TrafficSecret.Derive(Hash, Bytes, "s ap traffic"u8, transcriptHash);

    /// <summary>exporter_master_secret.</summary>
    /// <param name="transcriptHash">Of ClientHello to the server's Finished.</param>
    public ExporterSecret DeriveExporter(ReadOnlySpan<byte> transcriptHash) => new(Hash, Bytes, "exp master"u8, transcriptHash);

    /// <summary>resumption_master_secret.</summary>
    /// <param name="transcriptHash">Of ClientHello to the client's Finished.</param>
    public ResumptionSecret DeriveResumption(ReadOnlySpan<byte> transcriptHash) => new(Hash, Bytes, transcriptHash);
}
