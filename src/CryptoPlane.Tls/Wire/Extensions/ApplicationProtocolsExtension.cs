namespace CryptoPlane.Tls.Wire;

/// <summary>application_layer_protocol_negotiation (RFC 7301 §3.1).</summary>
internal static class ApplicationProtocolsExtension
{
    /// <summary>Checks the client's list: at least one name, none of them empty.</summary>
    public static bool TryParse(ReadOnlySpan<byte> data, out ProtocolNameList names)
    {
        names = default;
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out ReadOnlySpan<byte> list) || !reader.IsAtEnd || list.IsEmpty)
            return false;
        var entries = new WireReader(list);
        while (!entries.IsAtEnd)
        {
            if (!entries.TryReadVector8(out ReadOnlySpan<byte> name) || name.IsEmpty)
                return false;
        }
        names = new ProtocolNameList(list);
        return true;
    }

    /// <summary>RFC 7301 §3.1: the server's list has exactly one name.</summary>
    public static bool TryParseSelected(ReadOnlySpan<byte> data, out ReadOnlySpan<byte> name)
    {
        name = default;
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out ReadOnlySpan<byte> list) || !reader.IsAtEnd)
            return false;
        var entries = new WireReader(list);
        return entries.TryReadVector8(out name) && !name.IsEmpty && entries.IsAtEnd;
    }

    public static void Write(WireWriter writer, IReadOnlyList<byte[]> names)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.ApplicationProtocols);
        WireWriter.LengthScope list = writer.Begin(2);
        foreach (byte[] name in names)
            writer.WriteVector8(name);
        writer.End(list);
        writer.End(extension);
    }

    public static void WriteSelected(WireWriter writer, ReadOnlySpan<byte> name)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.ApplicationProtocols);
        WireWriter.LengthScope list = writer.Begin(2);
        writer.WriteVector8(name);
        writer.End(list);
        writer.End(extension);
    }

    /// <summary>A checked list of names.</summary>
    public readonly ref struct ProtocolNameList(ReadOnlySpan<byte> list)
    {
        private readonly ReadOnlySpan<byte> _list = list;

        public bool Contains(ReadOnlySpan<byte> wanted)
        {
            var reader = new WireReader(_list);
            while (reader.TryReadVector8(out ReadOnlySpan<byte> name))
            {
                if (name.SequenceEqual(wanted))
                    return true;
            }
            return false;
        }
    }
}
