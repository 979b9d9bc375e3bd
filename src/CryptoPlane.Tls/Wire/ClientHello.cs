namespace CryptoPlane.Tls.Wire;

/// <summary>A checked view of a ClientHello's body (RFC 8446 §4.1.2), of TLS 1.3 or older.</summary>
internal readonly ref struct ClientHello
{
    public const int RandomSize = 32;
    public const int MaxSessionIdSize = 32;

    private ClientHello(ushort legacyVersion, ReadOnlySpan<byte> random, ReadOnlySpan<byte> sessionId, CodePointList cipherSuites, ReadOnlySpan<byte> compressionMethods, ExtensionList extensions)
    {
        LegacyVersion = legacyVersion;
        Random = random;
        SessionId = sessionId;
        CipherSuites = cipherSuites;
        CompressionMethods = compressionMethods;
        Extensions = extensions;
    }

    public ushort LegacyVersion { get; }

    public ReadOnlySpan<byte> Random { get; }

    /// <summary>0 to 32 bytes, to be echoed (RFC 8446 §4.1.3).</summary>
    public ReadOnlySpan<byte> SessionId { get; }

    public CodePointList CipherSuites { get; }

    public ReadOnlySpan<byte> CompressionMethods { get; }

    public ExtensionList Extensions { get; }

    public static TlsError? Parse(ReadOnlySpan<byte> body, out ClientHello hello)
    {
        hello = default;
        var reader = new WireReader(body);
        if (!reader.TryReadUInt16(out ushort version)
            || !reader.TryReadBytes(RandomSize, out ReadOnlySpan<byte> random)
            || !reader.TryReadVector8(out ReadOnlySpan<byte> sessionId) || sessionId.Length > MaxSessionIdSize
            || !reader.TryReadVector16(out ReadOnlySpan<byte> suites) || !CodePointList.TryParse(suites, out CodePointList cipherSuites)
            || !reader.TryReadVector8(out ReadOnlySpan<byte> compression) || compression.IsEmpty)
            return TlsError.Decode("The ClientHello is malformed.");

        // RFC 8446 §4.1.2: clients older than TLS 1.3 may leave the extensions away; the version negotiation refuses them.
        ReadOnlySpan<byte> vector = default;
        if (!reader.IsAtEnd && (!reader.TryReadVector16(out vector) || !reader.IsAtEnd))
            return TlsError.Decode("The ClientHello's extensions are malformed.");
        if (ExtensionList.Parse(vector, out ExtensionList extensions) is { } error)
            return error;
        hello = new ClientHello(version, random, sessionId, cipherSuites, compression, extensions);
        return null;
    }
}
