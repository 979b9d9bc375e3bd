namespace CryptoPlane.Tls.Wire;

/// <summary>supported_versions (RFC 8446 §4.2.1).</summary>
internal static class SupportedVersionsExtension
{
    /// <summary>Parses the client's list.</summary>
    public static bool TryParse(ReadOnlySpan<byte> data, out CodePointList versions)
    {
        versions = default;
        var reader = new WireReader(data);
        return reader.TryReadVector8(out ReadOnlySpan<byte> list) && reader.IsAtEnd && CodePointList.TryParse(list, out versions);
    }

    /// <summary>Parses the server's choice.</summary>
    public static bool TryParseSelected(ReadOnlySpan<byte> data, out ushort version)
    {
        var reader = new WireReader(data);
        return reader.TryReadUInt16(out version) && reader.IsAtEnd;
    }

    /// <summary>Writes the client's list: TLS 1.3 alone.</summary>
    public static void Write(WireWriter writer)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.SupportedVersions);
        WireWriter.LengthScope list = writer.Begin(1);
        writer.WriteUInt16(ProtocolVersions.Tls13);
        writer.End(list);
        writer.End(extension);
    }
}
