namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a CertificateRequest's body (RFC 8446 §4.3.2), and how to write one.</summary>
internal readonly ref struct CertificateRequestMessage
{
    private CertificateRequestMessage(
        ReadOnlySpan<byte> context, CodePointList schemes, CodePointList certificateSchemes, CertificateAuthoritiesExtension.NameList authorities,
        OidFiltersExtension.FilterList filters, CertificateForm form)
    {
        Filters = filters;
        Form = form;
        Context = context;
        Schemes = schemes;
        CertificateSchemes = certificateSchemes;
        Authorities = authorities;
    }

    /// <summary>To be echoed in the Certificate; empty during the handshake.</summary>
    public ReadOnlySpan<byte> Context { get; }

    /// <summary>signature_algorithms: what the CertificateVerify may be signed with.</summary>
    public CodePointList Schemes { get; }

    /// <summary>What the certificates may be signed with: signature_algorithms_cert, or else signature_algorithms (RFC 8446 §4.2.3).</summary>
    public CodePointList CertificateSchemes { get; }

    /// <summary>certificate_authorities; empty if every one will do.</summary>
    public CertificateAuthoritiesExtension.NameList Authorities { get; }

    /// <summary>oid_filters; empty if nothing more is asked of the certificate.</summary>
    public OidFiltersExtension.FilterList Filters { get; }

    /// <summary>How the certificate is wanted.</summary>
    public CertificateForm Form { get; }

    public static TlsError? Parse(ReadOnlySpan<byte> body, out CertificateRequestMessage request)
    {
        request = default;
        var reader = new WireReader(body);
        if (!reader.TryReadVector8(out ReadOnlySpan<byte> context) || !reader.TryReadVector16(out ReadOnlySpan<byte> vector) || !reader.IsAtEnd)
            return TlsError.Decode("The CertificateRequest is malformed.");
        if (ExtensionList.Parse(vector, out ExtensionList extensions) is { } error)
            return error;
        foreach (ExtensionList.Extension extension in extensions)
        {
            // RFC 8446 §4.2: one that is recognized and has no place in this message; §4.3.2: those that are not recognized are ignored.
            if (BelongsElsewhere(extension.Type))
                return TlsError.Illegal($"The CertificateRequest has the extension {extension.Type}, which has no place there.");
        }
        if (SignatureAlgorithmsExtension.Parse(extensions, "CertificateRequest", out CodePointList schemes, out CodePointList certificateSchemes) is { } schemeError)
            return schemeError;
        CertificateAuthoritiesExtension.NameList authorities = default;
        if (extensions.TryGet(ExtensionType.CertificateAuthorities, out ReadOnlySpan<byte> data) && !CertificateAuthoritiesExtension.TryParse(data, out authorities))
            return TlsError.Decode("The CertificateRequest's certificate_authorities are malformed.");
        OidFiltersExtension.FilterList filters = default;
        if (extensions.TryGet(ExtensionType.OidFilters, out data) && OidFiltersExtension.Parse(data, out filters) is { } filterError)
            return filterError;
        if (CertificateForm.Parse(extensions, isServers: true, out CertificateForm form) is { } formError)
            return formError;
        request = new CertificateRequestMessage(context, schemes, certificateSchemes, authorities, filters, form);
        return null;
    }

    /// <summary>Writes the message.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="requestContext">Empty during the handshake.</param>
    /// <param name="schemes">What this side verifies a CertificateVerify with.</param>
    /// <param name="authorities">Names in DER; empty for every authority.</param>
    /// <param name="compression">How the certificate may be compressed; none for not at all.</param>
    /// <param name="oidFilters">The data of oid_filters; null for none.</param>
    public static void Write(
        WireWriter writer, ReadOnlySpan<byte> requestContext, IReadOnlyList<TlsSignatureScheme> schemes, IReadOnlyList<byte[]> authorities,
        IReadOnlyList<TlsCertificateCompression>? compression = null, byte[]? oidFilters = null)
    {
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.CertificateRequest);
        writer.WriteVector8(requestContext);
        WireWriter.LengthScope extensions = writer.Begin(2);
        SignatureAlgorithmsExtension.Write(writer, ExtensionType.SignatureAlgorithms, schemes, []);
        SignatureAlgorithmsExtension.Write(writer, ExtensionType.SignatureAlgorithmsCert, schemes, TlsSignatureSchemes.CertificatesOnly);
        if (authorities.Count != 0)
            CertificateAuthoritiesExtension.Write(writer, authorities);
        if (oidFilters is not null)
        {
            WireWriter.LengthScope filters = writer.BeginExtension(ExtensionType.OidFilters);
            writer.WriteBytes(oidFilters);
            writer.End(filters);
        }
        if (compression is { Count: > 0 })
            CompressCertificateExtension.Write(writer, compression);
        writer.End(extensions);
        writer.End(message);
    }

    private static bool BelongsElsewhere(ExtensionType type) => type is ExtensionType.ServerName or ExtensionType.SupportedGroups
        or ExtensionType.ApplicationProtocols or ExtensionType.PreSharedKey or ExtensionType.EarlyData or ExtensionType.SupportedVersions
        or ExtensionType.Cookie or ExtensionType.PskKeyExchangeModes or ExtensionType.PostHandshakeAuth or ExtensionType.KeyShare;
}
