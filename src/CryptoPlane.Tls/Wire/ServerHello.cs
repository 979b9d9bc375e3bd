namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a ServerHello's or HelloRetryRequest's body (RFC 8446 §4.1.3, §4.1.4), and how to write both.</summary>
internal readonly ref struct ServerHello
{
    private ServerHello(ushort legacyVersion, ReadOnlySpan<byte> random, ReadOnlySpan<byte> sessionIdEcho, ushort cipherSuite, byte compressionMethod, ExtensionList extensions)
    {
        LegacyVersion = legacyVersion;
        Random = random;
        SessionIdEcho = sessionIdEcho;
        CipherSuite = cipherSuite;
        CompressionMethod = compressionMethod;
        Extensions = extensions;
    }

    public ushort LegacyVersion { get; }

    public ReadOnlySpan<byte> Random { get; }

    public ReadOnlySpan<byte> SessionIdEcho { get; }

    public ushort CipherSuite { get; }

    public byte CompressionMethod { get; }

    public ExtensionList Extensions { get; }

    /// <summary>RFC 8446 §4.1.3: a ServerHello with this random (SHA-256 of "HelloRetryRequest") is a HelloRetryRequest.</summary>
    public static ReadOnlySpan<byte> RetryRandom =>
    [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
        0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
    ];

    public bool IsHelloRetryRequest => Random.SequenceEqual(RetryRandom);

    /// <summary>RFC 8446 §4.1.3: "DOWNGRD" and 01 or 00 at the random's end, by a TLS 1.3 server that was led to an older version.</summary>
    public bool HasDowngradeSentinel => Random[24..31].SequenceEqual("DOWNGRD"u8) && Random[31] <= 1;

    public static TlsError? Parse(ReadOnlySpan<byte> body, out ServerHello hello)
    {
        hello = default;
        var reader = new WireReader(body);
        if (!reader.TryReadUInt16(out ushort version)
            || !reader.TryReadBytes(ClientHello.RandomSize, out ReadOnlySpan<byte> random)
            || !reader.TryReadVector8(out ReadOnlySpan<byte> sessionId) || sessionId.Length > ClientHello.MaxSessionIdSize
            || !reader.TryReadUInt16(out ushort suite)
            || !reader.TryReadByte(out byte compression))
            return TlsError.Decode("The ServerHello is malformed.");
        // A server older than TLS 1.3 may leave the extensions away; the version check refuses it.
        ReadOnlySpan<byte> vector = default;
        if (!reader.IsAtEnd && (!reader.TryReadVector16(out vector) || !reader.IsAtEnd))
            return TlsError.Decode("The ServerHello's extensions are malformed.");
        if (ExtensionList.Parse(vector, out ExtensionList extensions) is { } error)
            return error;
        hello = new ServerHello(version, random, sessionId, suite, compression, extensions);
        return null;
    }

    /// <summary>Writes a ServerHello that answers with a key share, and takes a pre-shared key if there is one.</summary>
    public static void Write(
        WireWriter writer, ReadOnlySpan<byte> random, ReadOnlySpan<byte> sessionIdEcho, ushort cipherSuite, TlsNamedGroup group, ReadOnlySpan<byte> share,
        int preSharedKey = -1)
    {
        WireWriter.LengthScope message = Begin(writer, random, sessionIdEcho, cipherSuite, out WireWriter.LengthScope extensions);
        WireWriter.LengthScope keyShare = writer.BeginExtension(ExtensionType.KeyShare);
        writer.WriteUInt16((ushort)group);
        writer.WriteVector16(share);
        writer.End(keyShare);
        if (preSharedKey >= 0)
            PreSharedKeyExtension.WriteSelected(writer, (ushort)preSharedKey);
        writer.End(extensions);
        writer.End(message);
    }

    /// <summary>Writes a HelloRetryRequest that asks for a share of another group.</summary>
    public static void WriteRetry(WireWriter writer, ReadOnlySpan<byte> sessionIdEcho, ushort cipherSuite, TlsNamedGroup group)
    {
        WireWriter.LengthScope message = Begin(writer, RetryRandom, sessionIdEcho, cipherSuite, out WireWriter.LengthScope extensions);
        WireWriter.LengthScope keyShare = writer.BeginExtension(ExtensionType.KeyShare);
        writer.WriteUInt16((ushort)group);
        writer.End(keyShare);
        writer.End(extensions);
        writer.End(message);
    }

    private static WireWriter.LengthScope Begin(WireWriter writer, ReadOnlySpan<byte> random, ReadOnlySpan<byte> sessionIdEcho, ushort cipherSuite, out WireWriter.LengthScope extensions)
    {
        WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.ServerHello);
        writer.WriteUInt16(ProtocolVersions.Legacy);
        writer.WriteBytes(random);
        writer.WriteVector8(sessionIdEcho);
        writer.WriteUInt16(cipherSuite);
        writer.WriteByte(0);
        extensions = writer.Begin(2);
        WireWriter.LengthScope versions = writer.BeginExtension(ExtensionType.SupportedVersions);
        writer.WriteUInt16(ProtocolVersions.Tls13);
        writer.End(versions);
        return message;
    }
}
