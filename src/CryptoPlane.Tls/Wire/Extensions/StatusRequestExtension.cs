namespace CryptoPlane.Tls.Wire;

/// <summary>status_request (RFC 6066 §8): a request for an OCSP response in a hello, and the response in a CertificateEntry (RFC 8446 §4.4.2.1).</summary>
internal static class StatusRequestExtension
{
    private const byte Ocsp = 1;

    /// <summary>Parses a request.</summary>
    /// <param name="data">The extension's data.</param>
    /// <param name="wantsOcsp">Whether it is for OCSP; others are passed over.</param>
    public static bool TryParse(ReadOnlySpan<byte> data, out bool wantsOcsp)
    {
        var reader = new WireReader(data);
        wantsOcsp = reader.TryReadByte(out byte type) && type == Ocsp;
        // What another type's request looks like nobody knows here.
        return !data.IsEmpty && (!wantsOcsp || (reader.TryReadVector16(out _) && reader.TryReadVector16(out _) && reader.IsAtEnd));
    }

    /// <summary>Writes a request without responder IDs and extensions: the server has one response for everybody.</summary>
    public static void Write(WireWriter writer)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.StatusRequest);
        writer.WriteByte(Ocsp);
        writer.WriteVector16([]);
        writer.WriteVector16([]);
        writer.End(extension);
    }

    /// <summary>Parses a response: CertificateStatus of RFC 6066 §8, with a type that was asked for.</summary>
    public static bool TryParseResponse(ReadOnlySpan<byte> data, out ReadOnlySpan<byte> response)
    {
        response = default;
        var reader = new WireReader(data);
        return reader.TryReadByte(out byte type) && type == Ocsp && reader.TryReadVector24(out response) && !response.IsEmpty && reader.IsAtEnd;
    }

    /// <summary>Writes a response.</summary>
    public static void WriteResponse(WireWriter writer, ReadOnlySpan<byte> response)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.StatusRequest);
        writer.WriteByte(Ocsp);
        WireWriter.LengthScope content = writer.Begin(3);
        writer.WriteBytes(response);
        writer.End(content);
        writer.End(extension);
    }
}
