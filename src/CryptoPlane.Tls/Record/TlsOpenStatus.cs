namespace CryptoPlane.Tls.Record;

/// <summary>What became of a received record, in <see cref="TlsRecordReader"/>.</summary>
/// <remarks>From <see cref="BadRecordMac"/> on the connection is lost: see <see cref="TlsOpenedRecord.Alert"/>.</remarks>
public enum TlsOpenStatus : byte
{
    /// <summary>Not opened yet.</summary>
    Pending = 0,

    /// <summary>Opened: there is content for the caller. It may be empty, with application data.</summary>
    Opened = 1,

    /// <summary>A message for the record layer itself (KeyUpdate, NewSessionTicket, user_canceled), or a part of one: nothing for the caller.</summary>
    Handled = 2,

    /// <summary>close_notify: the peer will send no more (RFC 8446 §6.1).</summary>
    CloseNotify = 3,

    /// <summary>The connection had ended before this record: nothing of it is given out.</summary>
    Ended = 4,

    /// <summary>The peer gave the connection up with an alert.</summary>
    PeerAlert = 5,

    /// <summary>The record could not be opened: forged, damaged, replayed, or out of order.</summary>
    BadRecordMac = 6,

    /// <summary>The record or its inner plaintext is longer than allowed.</summary>
    RecordOverflow = 7,

    /// <summary>A record of the wrong type, without a type, or with a message that may not come now.</summary>
    UnexpectedMessage = 8,

    /// <summary>A message that cannot be decoded.</summary>
    DecodeError = 9,

    /// <summary>A KeyUpdate whose request is neither 0 nor 1, or a message about certificates that is too long.</summary>
    IllegalParameter = 10,

    /// <summary>The peer sends one KeyUpdate after another with little data between them: see <see cref="TlsRecordReader.MaxKeyUpdates"/>.</summary>
    TooManyKeyUpdates = 11,

    /// <summary>The peer used its key beyond the limits of RFC 8446 §5.5.</summary>
    KeyExhausted = 12,

    /// <summary>The AEAD backend failed, or there was no way to open the record again under the next key.</summary>
    InternalError = 13,
}
