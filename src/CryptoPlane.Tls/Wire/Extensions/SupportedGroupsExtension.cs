namespace CryptoPlane.Tls.Wire;

/// <summary>supported_groups (RFC 8446 §4.2.7).</summary>
internal static class SupportedGroupsExtension
{
    public static bool TryParse(ReadOnlySpan<byte> data, out CodePointList groups)
    {
        groups = default;
        var reader = new WireReader(data);
        return reader.TryReadVector16(out ReadOnlySpan<byte> list) && reader.IsAtEnd && CodePointList.TryParse(list, out groups);
    }

    public static void Write(WireWriter writer, IReadOnlyList<TlsNamedGroup> groups)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.SupportedGroups);
        WireWriter.LengthScope list = writer.Begin(2);
        foreach (TlsNamedGroup group in groups)
            writer.WriteUInt16((ushort)group);
        writer.End(list);
        writer.End(extension);
    }
}
