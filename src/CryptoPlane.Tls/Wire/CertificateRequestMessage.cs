namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a CertificateRequest's body (RFC 8446 §4.3.2).</summary>
internal readonly ref struct CertificateRequestMessage
{
    private CertificateRequestMessage(ReadOnlySpan<byte> context, ExtensionList extensions)
    {
        Context = context;
        Extensions = extensions;
    }

    public ReadOnlySpan<byte> Context { get; }

    public ExtensionList Extensions { get; }

    public static TlsError? Parse(ReadOnlySpan<byte> body, out CertificateRequestMessage request)
    {
        request = default;
        var reader = new WireReader(body);
        if (!reader.TryReadVector8(out ReadOnlySpan<byte> context) || !reader.TryReadVector16(out ReadOnlySpan<byte> vector) || !reader.IsAtEnd)
            return TlsError.Decode("The CertificateRequest is malformed.");
        if (ExtensionList.Parse(vector, out ExtensionList extensions) is { } error)
            return error;
        // RFC 8446 §4.3.2: "The signature_algorithms extension MUST be specified."
        if (!extensions.TryGet(ExtensionType.SignatureAlgorithms, out ReadOnlySpan<byte> schemes))
            return TlsError.Misbehaved(TlsAlert.MissingExtension, "The CertificateRequest has no signature_algorithms.");
        if (!SignatureAlgorithmsExtension.TryParse(schemes, out _))
            return TlsError.Decode("The CertificateRequest's signature_algorithms are malformed.");
        request = new CertificateRequestMessage(context, extensions);
        return null;
    }
}
