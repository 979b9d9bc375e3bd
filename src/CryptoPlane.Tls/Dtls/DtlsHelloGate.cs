using System.Security.Cryptography;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Dtls;

/// <summary>What a datagram is to <see cref="DtlsHelloGate"/>.</summary>
public enum DtlsHelloStatus
{
    /// <summary>No ClientHello: if it belongs to an association, it is that one's.</summary>
    NotHello = 0,

    /// <summary>A ClientHello without a good cookie: send the answer, and forget the client.</summary>
    SendAnswer = 1,

    /// <summary>A ClientHello with a good cookie.</summary>
    Accepted = 2,

    /// <summary>A ClientHello that is malformed or comes in fragments: to be dropped.</summary>
    Malformed = 3,
}

/// <summary>
/// The stateless part of a DTLS server (RFC 6347 §4.2.1): clients without a cookie get one in a HelloVerifyRequest, and nothing is kept
/// of them. What is longer than what came is never sent to an address that has not answered.
/// </summary>
/// <remarks>Owned by one thread at a time.</remarks>
public sealed class DtlsHelloGate : IDisposable
{
    /// <summary>Bytes of the answer.</summary>
    public const int AnswerSize = DtlsRecordSizes.Header + DtlsHandshakeHeader.Size + BodySize;

    private const int BodySize = 2 + 1 + DtlsCookies.Size;

    private readonly DtlsCookies _cookies;

    /// <summary>Makes the secrets of the cookies.</summary>
    /// <param name="randomness">Where secrets come from; null for the system's generator.</param>
    /// <param name="cookieLifetime">After how many milliseconds cookies are made with a new secret; they are good until twice that at most.</param>
    public DtlsHelloGate(DtlsRandomness? randomness = null, long cookieLifetime = 60_000)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(cookieLifetime);
        _cookies = new DtlsCookies(randomness ?? RandomNumberGenerator.Fill, cookieLifetime);
    }

    /// <summary>Looks at a datagram.</summary>
    /// <param name="datagram">What came.</param>
    /// <param name="peer">The sender's address and port, in any form of at most 255 bytes: cookies are good for it alone.</param>
    /// <param name="now">The clock, in milliseconds.</param>
    /// <param name="answer">Room for <see cref="AnswerSize"/> bytes, filled with <see cref="DtlsHelloStatus.SendAnswer"/>.</param>
    /// <param name="hello">What to begin an association with, with <see cref="DtlsHelloStatus.Accepted"/>.</param>
    public DtlsHelloStatus Check(ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> peer, long now, Span<byte> answer, out DtlsClientHello? hello)
    {
        hello = null;
        if (!DtlsRecordHeader.TryParse(datagram, out DtlsRecordHeader record) || record.Epoch != 0 || record.Type != TlsContentType.Handshake
            || record.PayloadLength == 0 || datagram[DtlsRecordSizes.Header] != (byte)HandshakeType.ClientHello)
            return DtlsHelloStatus.NotHello;
        ReadOnlySpan<byte> content = datagram.Slice(DtlsRecordSizes.Header, record.PayloadLength);
        // RFC 6347 §4.2.1: without state there is nothing to put fragments together in, and no client needs them for a hello without shares.
        if (!DtlsHandshakeHeader.TryParse(content, out DtlsHandshakeHeader header, out ReadOnlySpan<byte> body) || !header.IsWhole
            || !DtlsHelloView.TryParse(body, out DtlsHelloView view))
            return DtlsHelloStatus.Malformed;
        if (!_cookies.IsGood(view, peer, now))
        {
            WriteAnswer(view, record.Sequence, header.MessageSequence, peer, now, answer);
            return DtlsHelloStatus.SendAnswer;
        }
        hello = new DtlsClientHello(view, content[..(DtlsHandshakeHeader.Size + body.Length)].ToArray(), header.MessageSequence, record.Sequence);
        return DtlsHelloStatus.Accepted;
    }

    /// <summary>Zeroes the secrets.</summary>
    public void Dispose() => _cookies.Dispose();

    private void WriteAnswer(in DtlsHelloView hello, ulong recordSequence, ushort messageSequence, ReadOnlySpan<byte> peer, long now, Span<byte> answer)
    {
        // RFC 6347 §4.2.1: "the server MUST use the record sequence number in the ClientHello as the record sequence number in the
        // HelloVerifyRequest"; and the version of DTLS 1.0 "regardless of the version of TLS that is expected to be negotiated".
        const byte dtls10 = 0xFF;
        new DtlsRecordHeader(TlsContentType.Handshake, 0, recordSequence, DtlsHandshakeHeader.Size + BodySize).Write(answer);
        answer[2] = dtls10;
        new DtlsHandshakeHeader(DtlsHandshakeType.HelloVerifyRequest, BodySize, messageSequence, 0, BodySize).Write(answer[DtlsRecordSizes.Header..]);
        Span<byte> body = answer[(DtlsRecordSizes.Header + DtlsHandshakeHeader.Size)..];
        body[0] = 0xFE;
        body[1] = dtls10;
        body[2] = DtlsCookies.Size;
        _cookies.Make(hello, peer, now, body[3..]);
    }
}
