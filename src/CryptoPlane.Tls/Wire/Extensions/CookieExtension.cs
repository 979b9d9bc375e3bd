namespace CryptoPlane.Tls.Wire;

/// <summary>cookie (RFC 8446 §4.2.2).</summary>
internal static class CookieExtension
{
    public static bool TryParse(ReadOnlySpan<byte> data, out ReadOnlySpan<byte> cookie)
    {
        var reader = new WireReader(data);
        return reader.TryReadVector16(out cookie) && !cookie.IsEmpty && reader.IsAtEnd;
    }

    public static void Write(WireWriter writer, ReadOnlySpan<byte> cookie)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.Cookie);
        writer.WriteVector16(cookie);
        writer.End(extension);
    }
}
