namespace VpnBroker.OpenConnect.Strap;

/// <summary>What names one TLS connection, on both of its ends and nowhere else: what a client signs to show that it is the one who speaks on it.</summary>
/// <param name="ClientFinished">The verify_data of the client's Finished (RFC 8446 §4.4.4); openconnect 9.01 signs it.</param>
/// <param name="Exporter">The exported <c>tls-exporter</c> binding (RFC 9266 §2); openconnect 9.20 signs it.</param>
public sealed record ChannelBindings(ReadOnlyMemory<byte> ClientFinished, ReadOnlyMemory<byte> Exporter)
{
    /// <summary>RFC 9266 §2: the exporter's label; its context is empty.</summary>
    public const string ExporterLabel = "EXPORTER-Channel-Binding";

    /// <summary>RFC 9266 §2: bytes of the exported binding.</summary>
    public const int ExporterSize = 32;
}
