namespace CryptoPlane.Tls.Wire;

/// <summary>signature_algorithms and signature_algorithms_cert (RFC 8446 §4.2.3).</summary>
internal static class SignatureAlgorithmsExtension
{
    public static bool TryParse(ReadOnlySpan<byte> data, out CodePointList schemes)
    {
        schemes = default;
        var reader = new WireReader(data);
        return reader.TryReadVector16(out ReadOnlySpan<byte> list) && reader.IsAtEnd && CodePointList.TryParse(list, out schemes);
    }

    public static void Write(WireWriter writer, ExtensionType type, IReadOnlyList<TlsSignatureScheme> schemes, ReadOnlySpan<ushort> more)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(type);
        WireWriter.LengthScope list = writer.Begin(2);
        foreach (TlsSignatureScheme scheme in schemes)
            writer.WriteUInt16((ushort)scheme);
        foreach (ushort scheme in more)
            writer.WriteUInt16(scheme);
        writer.End(list);
        writer.End(extension);
    }
}
