using System.Buffers.Binary;

namespace CryptoPlane.Tls.Record;

/// <summary>How the search for a record at the front of a byte stream ended.</summary>
public enum TlsRecordHeaderStatus : byte
{
    /// <summary>There is a whole record.</summary>
    Complete = 0,

    /// <summary>The beginning is right as far as it goes: read more.</summary>
    NeedMoreData = 1,

    /// <summary>The record is longer than allowed: answer with <see cref="TlsAlert.RecordOverflow"/> and close.</summary>
    RecordOverflow = 2,

    /// <summary>This is no record of TLS: answer with <see cref="TlsAlert.UnexpectedMessage"/> and close.</summary>
    UnexpectedMessage = 3,

    /// <summary>The length cannot be right: answer with <see cref="TlsAlert.DecodeError"/> and close.</summary>
    DecodeError = 4,
}

/// <summary>The five bytes in front of a record: type, legacy version, length.</summary>
/// <param name="Type">The outer content type.</param>
/// <param name="PayloadLength">Bytes behind the header.</param>
public readonly record struct TlsRecordHeader(TlsContentType Type, int PayloadLength)
{
    /// <summary>Bytes of the whole record.</summary>
    public int RecordLength => TlsRecordSizes.Header + PayloadLength;

    /// <summary>Looks for a record at the front of a byte stream.</summary>
    /// <param name="source">What was received and is not consumed yet.</param>
    /// <param name="isProtected">
    /// Whether the peer protects its records by now: then only application_data may come, and up to 256 bytes more. Records of
    /// change_cipher_spec are plaintext always, and pass: whether one is allowed now is the handshake's to say.
    /// </param>
    /// <param name="header">The header, where the status is <see cref="TlsRecordHeaderStatus.Complete"/>, or
    /// <see cref="TlsRecordHeaderStatus.NeedMoreData"/> with five bytes or more there; else default.</param>
    public static TlsRecordHeaderStatus TryParse(ReadOnlySpan<byte> source, bool isProtected, out TlsRecordHeader header)
    {
        header = default;
        if (source.IsEmpty)
            return TlsRecordHeaderStatus.NeedMoreData;

        // RFC 8446 §5.1: "If a TLS implementation receives an unexpected record type, it MUST terminate the connection with an
        // "unexpected_message" alert." Looked at with the first byte, so that a peer of another protocol is told at once.
        var type = (TlsContentType)source[0];
        bool allowed = type is TlsContentType.ApplicationData or TlsContentType.ChangeCipherSpec
            || (!isProtected && type is TlsContentType.Handshake or TlsContentType.Alert);
        if (!allowed)
            return TlsRecordHeaderStatus.UnexpectedMessage;
        if (source.Length < TlsRecordSizes.Header)
            return TlsRecordHeaderStatus.NeedMoreData;

        // RFC 8446 §5.1: legacy_record_version "MUST be ignored for all purposes".
        int length = BinaryPrimitives.ReadUInt16BigEndian(source[3..]);
        // RFC 8446 §5.1, §5.2: 2^14 bytes for plaintext, 2^14 + 256 for ciphertext; more is record_overflow.
        int limit = type == TlsContentType.ApplicationData ? TlsRecordSizes.MaxCiphertext : TlsRecordSizes.MaxContent;
        if (length > limit)
            return TlsRecordHeaderStatus.RecordOverflow;
        // RFC 8446 §5.1: zero-length fragments are for application data only, and that is protected: its tag alone has 16 bytes.
        if (length == 0)
            return type == TlsContentType.ApplicationData ? TlsRecordHeaderStatus.DecodeError : TlsRecordHeaderStatus.UnexpectedMessage;

        header = new TlsRecordHeader(type, length);
        return source.Length < header.RecordLength ? TlsRecordHeaderStatus.NeedMoreData : TlsRecordHeaderStatus.Complete;
    }
}
