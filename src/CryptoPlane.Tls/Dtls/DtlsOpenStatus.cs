namespace CryptoPlane.Tls.Dtls;

/// <summary>What became of a received record, in <see cref="DtlsRecordReader"/>.</summary>
/// <remarks>From <see cref="Malformed"/> on the record is dropped, and changes nothing (RFC 6347 §4.1.2.7).</remarks>
public enum DtlsOpenStatus : byte
{
    /// <summary>Not opened yet.</summary>
    Pending = 0,

    /// <summary>Opened: application data, maybe empty.</summary>
    Opened = 1,

    /// <summary>Opened: a handshake message. Behind the handshake it is a Finished that was sent again, or the wish for another handshake.</summary>
    Handshake = 2,

    /// <summary>Opened: close_notify. The peer will send no more.</summary>
    CloseNotify = 3,

    /// <summary>Opened: a fatal alert. The peer has given the association up.</summary>
    PeerAlert = 4,

    /// <summary>Opened: a warning, which means nothing here.</summary>
    Ignored = 5,

    /// <summary>No record of DTLS 1.2, or one too short for its tag.</summary>
    Malformed = 6,

    /// <summary>A record of another epoch.</summary>
    WrongEpoch = 7,

    /// <summary>Older than the anti-replay window.</summary>
    Late = 8,

    /// <summary>Received before.</summary>
    Replayed = 9,

    /// <summary>The record could not be opened: forged or damaged.</summary>
    BadRecordMac = 10,

    /// <summary>Opened, but of a type or form that may not come.</summary>
    Unexpected = 11,

    /// <summary>The association had ended before this record.</summary>
    Ended = 12,

    /// <summary>The AEAD backend failed.</summary>
    InternalError = 13,
}
