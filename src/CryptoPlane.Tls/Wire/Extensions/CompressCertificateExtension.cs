namespace CryptoPlane.Tls.Wire;

/// <summary>compress_certificate (RFC 8879 §3): how the peer may compress its certificates.</summary>
internal static class CompressCertificateExtension
{
    public static bool TryParse(ReadOnlySpan<byte> data, out CodePointList algorithms)
    {
        algorithms = default;
        var reader = new WireReader(data);
        return reader.TryReadVector8(out ReadOnlySpan<byte> list) && reader.IsAtEnd && CodePointList.TryParse(list, out algorithms);
    }

    /// <summary>The algorithm of a list that this side compresses with; none if it has none of them.</summary>
    public static TlsCertificateCompression Choose(CodePointList algorithms)
    {
        if (algorithms.Contains((ushort)TlsCertificateCompression.Brotli))
            return TlsCertificateCompression.Brotli;
        return algorithms.Contains((ushort)TlsCertificateCompression.Zlib) ? TlsCertificateCompression.Zlib : TlsCertificateCompression.None;
    }

    public static void Write(WireWriter writer, IReadOnlyList<TlsCertificateCompression> algorithms)
    {
        WireWriter.LengthScope extension = writer.BeginExtension(ExtensionType.CompressCertificate);
        WireWriter.LengthScope list = writer.Begin(1);
        foreach (TlsCertificateCompression algorithm in algorithms)
            writer.WriteUInt16((ushort)algorithm);
        writer.End(list);
        writer.End(extension);
    }
}
