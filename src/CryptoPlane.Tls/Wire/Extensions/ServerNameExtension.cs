using System.Text;

namespace CryptoPlane.Tls.Wire;

/// <summary>server_name (RFC 6066 §3): a DNS name in ASCII, without a trailing dot.</summary>
internal static class ServerNameExtension
{
    private const byte HostName = 0;
    private const int MaxNameSize = 255;

    /// <summary>Parses the client's list, which has one host_name.</summary>
    public static TlsError? Parse(ReadOnlySpan<byte> data, out string name)
    {
        name = "";
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out ReadOnlySpan<byte> list) || !reader.IsAtEnd)
            return TlsError.Decode("The server_name is malformed.");
        var entries = new WireReader(list);
        if (!entries.TryReadByte(out byte type) || type != HostName || !entries.TryReadVector16(out ReadOnlySpan<byte> host)
            || host.IsEmpty || host.Length > MaxNameSize || !entries.IsAtEnd)
            return TlsError.Decode("The server_name is not a list of one host_name.");
        // RFC 6066 §3: ASCII, with internationalised names as A-labels. A selector or a log must never meet a control character.
        if (host.ContainsAnyExceptInRange((byte)'!', (byte)'~'))
            return TlsError.Illegal("The server_name has characters that no DNS name has.");
        name = Encoding.ASCII.GetString(host);
        return null;
    }

    public static void Write(WireWriter writer, string name)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.ServerName);
        WireWriter.LengthScope list = writer.Begin(2);
        writer.WriteByte(HostName);
        writer.WriteVector16(Encoding.ASCII.GetBytes(name));
        writer.End(list);
        writer.End(extension);
    }
}
