namespace CryptoPlane.Tls.Wire;

/// <summary>record_size_limit (RFC 8449 §4): the longest record that a side is ready to open, in bytes of content, type and padding.</summary>
internal static class RecordSizeLimitExtension
{
    /// <summary>RFC 8449 §4: "Endpoints MUST NOT send a "record_size_limit" extension with a value smaller than 64."</summary>
    public const int Minimum = 64;

    /// <summary>Parses either side's limit, whatever its value.</summary>
    public static bool TryParse(ReadOnlySpan<byte> data, out int limit)
    {
        var reader = new WireReader(data);
        bool parsed = reader.TryReadUInt16(out ushort value) && reader.IsAtEnd;
        limit = value;
        return parsed;
    }

    public static void Write(WireWriter writer, int limit)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.RecordSizeLimit);
        writer.WriteUInt16((ushort)limit);
        writer.End(extension);
    }
}
