namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a Certificate message's body (RFC 8446 §4.4.2): X.509 certificates in DER, the sender's own first.</summary>
internal readonly ref struct CertificateMessage
{
    /// <summary>Most certificates in a chain that is accepted.</summary>
    public const int MaxCount = 16;

    private readonly ReadOnlySpan<byte> _entries;

    private CertificateMessage(ReadOnlySpan<byte> requestContext, ReadOnlySpan<byte> entries, int count, ReadOnlySpan<byte> ocspResponse)
    {
        OcspResponse = ocspResponse;
        RequestContext = requestContext;
        _entries = entries;
        Count = count;
    }

    public ReadOnlySpan<byte> RequestContext { get; }

    public int Count { get; }

    /// <summary>The OCSP response for the sender's own certificate; empty for none.</summary>
    public ReadOnlySpan<byte> OcspResponse { get; }

    /// <summary>Checks a body.</summary>
    /// <param name="body">The body.</param>
    /// <param name="message">The view.</param>
    /// <param name="takesOcspResponse">Whether OCSP responses were asked for.</param>
    public static TlsError? Parse(ReadOnlySpan<byte> body, out CertificateMessage message, bool takesOcspResponse = false)
    {
        message = default;
        var reader = new WireReader(body);
        if (!reader.TryReadVector8(out ReadOnlySpan<byte> context) || !reader.TryReadVector24(out ReadOnlySpan<byte> entries) || !reader.IsAtEnd)
            return TlsError.Decode("The Certificate message is malformed.");
        int count = 0;
        ReadOnlySpan<byte> ocspResponse = default;
        var list = new WireReader(entries);
        while (!list.IsAtEnd)
        {
            if (!list.TryReadVector24(out ReadOnlySpan<byte> certificate) || certificate.IsEmpty || !list.TryReadVector16(out ReadOnlySpan<byte> vector))
                return TlsError.Decode("An entry of the Certificate message is malformed.");
            if (ExtensionList.Parse(vector, out ExtensionList extensions) is { } error)
                return error;
            foreach (ExtensionList.Extension extension in extensions)
            {
                // RFC 8446 §4.4.2: they answer extensions of the ClientHello or the CertificateRequest.
                if (!takesOcspResponse || extension.Type != ExtensionType.StatusRequest)
                    return TlsError.Misbehaved(TlsAlert.UnsupportedExtension, "A certificate entry carries an extension that was not asked for.");
                if (!StatusRequestExtension.TryParseResponse(extension.Data, out ReadOnlySpan<byte> response))
                    return TlsError.Decode("The OCSP response of a certificate entry is malformed.");
                if (count == 0)
                    ocspResponse = response;
            }
            if (++count > MaxCount)
                return TlsError.Misbehaved(TlsAlert.BadCertificate, $"The peer sent more than {MaxCount} certificates.");
        }
        message = new CertificateMessage(context, entries, count, ocspResponse);
        return null;
    }

    /// <summary>Copies the certificates out, in their order.</summary>
    public byte[][] ToArray()
    {
        var certificates = new byte[Count][];
        var reader = new WireReader(_entries);
        for (int i = 0; i < Count && reader.TryReadVector24(out ReadOnlySpan<byte> certificate) && reader.TryReadVector16(out _); i++)
            certificates[i] = certificate.ToArray();
        return certificates;
    }

    /// <summary>Writes the message; no certificates make a client's refusal to show one.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="requestContext">Empty during the handshake.</param>
    /// <param name="certificates">DER, the own certificate first.</param>
    /// <param name="ocspResponse">For the own certificate; null for none.</param>
    public static void Write(WireWriter writer, ReadOnlySpan<byte> requestContext, IReadOnlyList<byte[]> certificates, byte[]? ocspResponse = null)
    {
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.Certificate);
        writer.WriteVector8(requestContext);
        WireWriter.LengthScope list = writer.Begin(3);
        for (int i = 0; i < certificates.Count; i++)
        {
            WireWriter.LengthScope entry = writer.Begin(3);
            writer.WriteBytes(certificates[i]);
            writer.End(entry);
            WireWriter.LengthScope extensions = writer.Begin(2);
            if (i == 0 && ocspResponse != null)
                StatusRequestExtension.WriteResponse(writer, ocspResponse);
            writer.End(extensions);
        }
        writer.End(list);
        writer.End(message);
    }
}
