namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a CertificateVerify's body, and the content that it signs (RFC 8446 §4.4.3).</summary>
internal readonly ref struct CertificateVerifyMessage
{
    private const int SpaceCount = 64;

    private CertificateVerifyMessage(TlsSignatureScheme scheme, ReadOnlySpan<byte> signature)
    {
        Scheme = scheme;
        Signature = signature;
    }

    public TlsSignatureScheme Scheme { get; }

    public ReadOnlySpan<byte> Signature { get; }

    public static TlsError? Parse(ReadOnlySpan<byte> body, out CertificateVerifyMessage message)
    {
        message = default;
        var reader = new WireReader(body);
        if (!reader.TryReadUInt16(out ushort scheme) || !reader.TryReadVector16(out ReadOnlySpan<byte> signature) || !reader.IsAtEnd)
            return TlsError.Decode("The CertificateVerify is malformed.");
        message = new CertificateVerifyMessage((TlsSignatureScheme)scheme, signature);
        return null;
    }

    public static void Write(WireWriter writer, TlsSignatureScheme scheme, ReadOnlySpan<byte> signature)
    {
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.CertificateVerify);
        writer.WriteUInt16((ushort)scheme);
        writer.WriteVector16(signature);
        writer.End(message);
    }

    /// <summary>RFC 8446 §4.4.3: 64 spaces, a context string that names the signer's side, a zero byte, and the transcript hash.</summary>
    public static byte[] ServerSignedContent(ReadOnlySpan<byte> transcriptHash) => SignedContent("TLS 1.3, server CertificateVerify\0"u8, transcriptHash);

    /// <summary>RFC 8446 §4.4.3: the same for a client, whose context string keeps a server's signature from passing for it.</summary>
    public static byte[] ClientSignedContent(ReadOnlySpan<byte> transcriptHash) => SignedContent("TLS 1.3, client CertificateVerify\0"u8, transcriptHash);

    private static byte[] SignedContent(ReadOnlySpan<byte> context, ReadOnlySpan<byte> transcriptHash)
    {
        var content = new byte[SpaceCount + context.Length + transcriptHash.Length];
        content.AsSpan(0, SpaceCount).Fill((byte)' ');
        context.CopyTo(content.AsSpan(SpaceCount));
        transcriptHash.CopyTo(content.AsSpan(SpaceCount + context.Length));
        return content;
    }
}
