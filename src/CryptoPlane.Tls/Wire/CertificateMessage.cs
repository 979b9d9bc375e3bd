namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a Certificate message's body (RFC 8446 §4.4.2): X.509 certificates in DER, the sender's own first.</summary>
internal readonly ref struct CertificateMessage
{
    /// <summary>Most certificates in a chain that is accepted.</summary>
    public const int MaxCount = 16;

    private readonly ReadOnlySpan<byte> _entries;

    private CertificateMessage(ReadOnlySpan<byte> requestContext, ReadOnlySpan<byte> entries, int count)
    {
        RequestContext = requestContext;
        _entries = entries;
        Count = count;
    }

    public ReadOnlySpan<byte> RequestContext { get; }

    public int Count { get; }

    public static TlsError? Parse(ReadOnlySpan<byte> body, out CertificateMessage message)
    {
        message = default;
        var reader = new WireReader(body);
        if (!reader.TryReadVector8(out ReadOnlySpan<byte> context) || !reader.TryReadVector24(out ReadOnlySpan<byte> entries) || !reader.IsAtEnd)
            return TlsError.Decode("The Certificate message is malformed.");
        int count = 0;
        var list = new WireReader(entries);
        while (!list.IsAtEnd)
        {
            if (!list.TryReadVector24(out ReadOnlySpan<byte> certificate) || certificate.IsEmpty || !list.TryReadVector16(out ReadOnlySpan<byte> vector))
                return TlsError.Decode("An entry of the Certificate message is malformed.");
            if (ExtensionList.Parse(vector, out ExtensionList extensions) is { } error)
                return error;
            // RFC 8446 §4.4.2: they answer extensions of the ClientHello, and this engine's asks for none.
            if (!extensions.IsEmpty)
                return TlsError.Misbehaved(TlsAlert.UnsupportedExtension, "A certificate entry carries an extension that was not asked for.");
            if (++count > MaxCount)
                return TlsError.Misbehaved(TlsAlert.BadCertificate, $"The peer sent more than {MaxCount} certificates.");
        }
        message = new CertificateMessage(context, entries, count);
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
    public static void Write(WireWriter writer, ReadOnlySpan<byte> requestContext, IReadOnlyList<byte[]> certificates)
    {
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.Certificate);
        writer.WriteVector8(requestContext);
        WireWriter.LengthScope list = writer.Begin(3);
        foreach (byte[] certificate in certificates)
        {
            WireWriter.LengthScope entry = writer.Begin(3);
            writer.WriteBytes(certificate);
            writer.End(entry);
            writer.End(writer.Begin(2));
        }
        writer.End(list);
        writer.End(message);
    }
}
