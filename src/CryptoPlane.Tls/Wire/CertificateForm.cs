namespace CryptoPlane.Tls.Wire;

/// <summary>How the peer wants a Certificate.</summary>
/// <param name="Compression">RFC 8879; or not compressed.</param>
/// <param name="WithOcspResponse">With an OCSP response, if there is one (RFC 8446 §4.4.2.1).</param>
internal readonly record struct CertificateForm(TlsCertificateCompression Compression, bool WithOcspResponse)
{
    /// <summary>Reads the wishes of a ClientHello or a CertificateRequest.</summary>
    /// <param name="extensions">Of the message.</param>
    /// <param name="isServers">Whether it is a CertificateRequest: RFC 8446 §4.4.2.1 has "an empty "status_request" extension" there.</param>
    /// <param name="form">The wishes.</param>
    public static TlsError? Parse(ExtensionList extensions, bool isServers, out CertificateForm form)
    {
        form = default;
        var compression = TlsCertificateCompression.None;
        if (extensions.TryGet(ExtensionType.CompressCertificate, out ReadOnlySpan<byte> data))
        {
            if (!CompressCertificateExtension.TryParse(data, out CodePointList algorithms))
                return TlsError.Decode("The peer's compress_certificate is malformed.");
            compression = CompressCertificateExtension.Choose(algorithms);
        }
        bool withOcspResponse = false;
        if (extensions.TryGet(ExtensionType.StatusRequest, out data))
        {
            if (isServers && data.IsEmpty)
                withOcspResponse = true;
            else if (isServers || !StatusRequestExtension.TryParse(data, out withOcspResponse))
                return TlsError.Decode("The peer's status_request is malformed.");
        }
        form = new CertificateForm(compression, withOcspResponse);
        return null;
    }
}
