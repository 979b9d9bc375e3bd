namespace CryptoPlane.Tls.Wire;

/// <summary>certificate_authorities (RFC 8446 §4.2.4): distinguished names in DER.</summary>
internal static class CertificateAuthoritiesExtension
{
    /// <summary>Most bytes of names that are sent; further ones are left out.</summary>
    private const int MaxSize = 8192;

    /// <summary>Checks a list: at least one name, none of them empty.</summary>
    public static bool TryParse(ReadOnlySpan<byte> data, out NameList names)
    {
        names = default;
        var reader = new WireReader(data);
        if (!reader.TryReadVector16(out ReadOnlySpan<byte> list) || !reader.IsAtEnd || list.IsEmpty)
            return false;
        var entries = new WireReader(list);
        while (!entries.IsAtEnd)
        {
            if (!entries.TryReadVector16(out ReadOnlySpan<byte> name) || name.IsEmpty)
                return false;
        }
        names = new NameList(list);
        return true;
    }

    /// <summary>Writes a list of at least one name, as far as it is of use: a long one costs every client a long message.</summary>
    public static void Write(WireWriter writer, IReadOnlyList<byte[]> names)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.CertificateAuthorities);
        WireWriter.LengthScope list = writer.Begin(2);
        int size = 0;
        foreach (byte[] name in names)
        {
            size += name.Length;
            if (size > MaxSize)
                break;
            writer.WriteVector16(name);
        }
        writer.End(list);
        writer.End(extension);
    }

    /// <summary>A checked list of names; the default is empty.</summary>
    public readonly ref struct NameList(ReadOnlySpan<byte> list)
    {
        private readonly ReadOnlySpan<byte> _list = list;

        public bool IsEmpty => _list.IsEmpty;

        public bool Contains(ReadOnlySpan<byte> wanted)
        {
            var reader = new WireReader(_list);
            while (reader.TryReadVector16(out ReadOnlySpan<byte> name))
            {
                if (name.SequenceEqual(wanted))
                    return true;
            }
            return false;
        }
    }
}
