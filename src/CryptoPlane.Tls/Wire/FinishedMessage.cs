namespace CryptoPlane.Tls.Wire;

/// <summary>Finished (RFC 8446 §4.4.4): an HMAC over the transcript, whose length the cipher suite gives and nothing on the wire.</summary>
internal static class FinishedMessage
{
    public static TlsError? Check(ReadOnlySpan<byte> body, int hashSize) =>
        body.Length == hashSize ? null : TlsError.Decode("The Finished has the wrong length for the cipher suite's hash.");

    public static void Write(WireWriter writer, ReadOnlySpan<byte> verifyData)
    {
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.Finished);
        writer.WriteBytes(verifyData);
        writer.End(message);
    }
}
