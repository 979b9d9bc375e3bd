namespace CryptoPlane.Tls.Record;

/// <summary>What became of the attempt to add a record to a burst, in <see cref="TlsRecordWriter"/>.</summary>
public enum TlsRecordStatus : byte
{
    /// <summary>The record is in the burst.</summary>
    Added = 0,

    /// <summary>The burst is full: run it and try again.</summary>
    BurstFull = 1,

    /// <summary>The destination has no room for the content and <see cref="TlsRecordSizes.Overhead"/>.</summary>
    DestinationTooSmall = 2,

    /// <summary>The content is longer than <see cref="TlsTrafficState.MaxContent"/>, or empty without being application data.</summary>
    InvalidLength = 3,

    /// <summary>The key has sealed nearly as many records as RFC 8446 §5.5 allows: send a KeyUpdate and try again.</summary>
    KeyUpdateNeeded = 4,

    /// <summary>The key has sealed all the records that it may: the connection can only be dropped.</summary>
    KeyExhausted = 5,

    /// <summary>The key change of an earlier KeyUpdate is not finished: run the burst and call <see cref="TlsRecordWriter.CompleteKeyUpdate"/>.</summary>
    KeyUpdateInProgress = 6,

    /// <summary>close_notify or a fatal alert was sent on this direction: nothing may follow it.</summary>
    Closed = 7,
}
