namespace VpnBroker.OpenConnect;

/// <summary>What a client is told of the data channel over DTLS, on one TLS connection.</summary>
/// <param name="Port">The UDP port.</param>
/// <param name="ExportKey">Gives the key that both sides have from the connection; the caller's own array each time.</param>
public sealed record DtlsTerms(int Port, Func<byte[]> ExportKey)
{
    /// <summary>The exporter's label; without a context.</summary>
    public const string ExporterLabel = "EXPORTER-openconnect-psk";

    /// <summary>Bytes of the key.</summary>
    public const int KeySize = 32;

    /// <summary>What the client's list of cipher suites has where it takes a key from the connection, and what the answer names then.</summary>
    public const string CipherSuite = "PSK-NEGOTIATE";

    /// <summary>The header of that list.</summary>
    public const string CipherSuiteHeader = "X-DTLS-CipherSuite";
}

/// <summary>The data channel that a client may begin.</summary>
/// <param name="Port">The UDP port.</param>
/// <param name="AppId">What the client's DTLS hello is to show as its session: 64 hexadecimal digits.</param>
public sealed record DtlsOffer(int Port, string AppId);
