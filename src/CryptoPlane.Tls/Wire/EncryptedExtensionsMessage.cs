namespace CryptoPlane.Tls.Wire;

/// <summary>EncryptedExtensions (RFC 8446 §4.3.1).</summary>
internal static class EncryptedExtensionsMessage
{
    public static TlsError? Parse(ReadOnlySpan<byte> body, out ExtensionList extensions)
    {
        extensions = default;
        var reader = new WireReader(body);
        if (!reader.TryReadVector16(out ReadOnlySpan<byte> vector) || !reader.IsAtEnd)
            return TlsError.Decode("The EncryptedExtensions are malformed.");
        return ExtensionList.Parse(vector, out extensions);
    }

    /// <summary>Writes the message.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="applicationProtocol">The chosen protocol; empty for none.</param>
    /// <param name="acknowledgeServerName">RFC 6066 §3: an empty server_name says that the name was used.</param>
    /// <param name="recordSizeLimit">This side's limit, for a client that has sent its own (RFC 8449 §4); 0 for no answer.</param>
    /// <param name="acceptEarlyData">Whether the client's early data is taken (RFC 8446 §4.2.10).</param>
    public static void Write(WireWriter writer, ReadOnlySpan<byte> applicationProtocol, bool acknowledgeServerName, int recordSizeLimit, bool acceptEarlyData)
    {
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.EncryptedExtensions);
        WireWriter.LengthScope extensions = writer.Begin(2);
        if (acknowledgeServerName)
            writer.End(writer.BeginExtension(ExtensionType.ServerName));
        if (!applicationProtocol.IsEmpty)
            ApplicationProtocolsExtension.WriteSelected(writer, applicationProtocol);
        if (recordSizeLimit != 0)
            RecordSizeLimitExtension.Write(writer, recordSizeLimit);
        if (acceptEarlyData)
            EarlyDataExtension.Write(writer);
        writer.End(extensions);
        writer.End(message);
    }
}
