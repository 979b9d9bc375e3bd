namespace CryptoPlane.Tls.Wire;

/// <summary>EndOfEarlyData (RFC 8446 §4.5), which has no body.</summary>
internal static class EndOfEarlyDataMessage
{
    public static TlsError? Check(ReadOnlySpan<byte> body) => body.IsEmpty ? null : TlsError.Decode("The EndOfEarlyData is not empty.");

    public static void Write(WireWriter writer) => writer.End(writer.BeginMessage(HandshakeType.EndOfEarlyData));
}
