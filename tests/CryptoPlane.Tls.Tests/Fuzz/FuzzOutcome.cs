namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>How a case ended.</summary>
/// <param name="Summary">For people: which kind of error, or whether the handshake is complete.</param>
/// <param name="Detail">For the corpus: also which check it was that said so, by its sentence, and what was behind it by then.</param>
internal sealed record FuzzOutcome(string Summary, string Detail)
{
    /// <summary>Of a connection.</summary>
    public static FuzzOutcome Of(TlsConnection connection)
    {
        string summary = connection.Error is { } error
            ? $"{error.Kind} {(Enum.IsDefined(error.Alert) ? error.Alert : "of no name")}"
            : connection.IsHandshakeComplete ? "complete" : "waits";
        string way = $"{connection.IsResumed} {connection.WasRetried} {connection.EarlyDataStatus} {connection.CertificateCompression} "
            + $"{connection.NegotiatedCipherSuite} {connection.PreSharedKeyIdentity.Length} {connection.KeyUpdatesReceived != 0} {connection.NegotiatedSignatureScheme}";
        return new FuzzOutcome(summary, $"{summary} {connection.Error?.Message} {way}");
    }

    /// <summary>Of two, one after the other.</summary>
    public FuzzOutcome And(FuzzOutcome other) => new($"{Summary}, {other.Summary}", $"{Detail}, {other.Detail}");
}
