using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Dtls;

/// <summary>A ClientHello whose cookie showed that its sender receives at its address: what a <see cref="DtlsServer"/> begins with.</summary>
public sealed class DtlsClientHello
{
    internal DtlsClientHello(in DtlsHelloView view, byte[] message, ushort messageSequence, ulong recordSequence)
    {
        SessionId = view.SessionId.ToArray();
        Random = view.Random.ToArray();
        Message = message;
        MessageSequence = messageSequence;
        RecordSequence = recordSequence;
    }

    /// <summary>
    /// The session that the client would go on with: 0 to 32 bytes that the client chose. Some protocols, openconnect's for one, name with it
    /// what the association is for.
    /// </summary>
    public ReadOnlyMemory<byte> SessionId { get; }

    internal byte[] Random { get; }

    /// <summary>The message with its header.</summary>
    internal byte[] Message { get; }

    internal ReadOnlySpan<byte> Body => Message.AsSpan(DtlsHandshakeHeader.Size);

    internal ushort MessageSequence { get; }

    internal ulong RecordSequence { get; }
}

/// <summary>A checked view of the body of DTLS's ClientHello (RFC 6347 §4.2.1): TLS's with a cookie.</summary>
internal readonly ref struct DtlsHelloView
{
    public const int RandomSize = 32;
    private const int MaxSessionIdSize = 32;

    public ushort Version { get; private init; }

    public ReadOnlySpan<byte> Random { get; private init; }

    public ReadOnlySpan<byte> SessionId { get; private init; }

    public ReadOnlySpan<byte> Cookie { get; private init; }

    public CodePointList CipherSuites { get; private init; }

    public ReadOnlySpan<byte> CompressionMethods { get; private init; }

    public ExtensionList Extensions { get; private init; }

    /// <summary>Takes a message's body.</summary>
    /// <returns>False for what is malformed.</returns>
    public static bool TryParse(ReadOnlySpan<byte> body, out DtlsHelloView view)
    {
        view = default;
        var reader = new WireReader(body);
        if (!reader.TryReadUInt16(out ushort version)
            || !reader.TryReadBytes(RandomSize, out ReadOnlySpan<byte> random)
            || !reader.TryReadVector8(out ReadOnlySpan<byte> sessionId) || sessionId.Length > MaxSessionIdSize
            || !reader.TryReadVector8(out ReadOnlySpan<byte> cookie)
            || !reader.TryReadVector16(out ReadOnlySpan<byte> suites) || !CodePointList.TryParse(suites, out CodePointList cipherSuites)
            || !reader.TryReadVector8(out ReadOnlySpan<byte> compression) || compression.IsEmpty)
            return false;
        // RFC 5246 §7.4.1.2: a client may leave the extensions away.
        ReadOnlySpan<byte> vector = default;
        if (!reader.IsAtEnd && (!reader.TryReadVector16(out vector) || !reader.IsAtEnd))
            return false;
        if (ExtensionList.Parse(vector, out ExtensionList extensions) is not null)
            return false;
        view = new DtlsHelloView
        {
            Version = version,
            Random = random,
            SessionId = sessionId,
            Cookie = cookie,
            CipherSuites = cipherSuites,
            CompressionMethods = compression,
            Extensions = extensions,
        };
        return true;
    }
}
