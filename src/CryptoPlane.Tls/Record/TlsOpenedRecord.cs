using System.Runtime.InteropServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Tls.Record;

/// <summary>A record of a burst, as <see cref="TlsRecordReader"/> lists it.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct TlsOpenedRecord
{
    internal TlsTrafficState* Traffic;
    internal byte* Destination;
    internal AeadOperation* Operation;
    internal byte* Source;
    internal ulong CallerData;
    internal uint OpenedEpoch;
    internal uint ContentLength;
    internal uint PayloadLength;
    internal TlsOpenStatus Outcome;

    /// <summary>What the header alone says: a failure that takes effect when the record's turn comes; else Pending.</summary>
    internal TlsOpenStatus HeaderOutcome;
    internal TlsContentType Type;
    internal TlsAlert PeerAlert;

    /// <summary>What became of the record.</summary>
    public readonly TlsOpenStatus Status => Outcome;

    /// <summary>What the content is, where the status is <see cref="TlsOpenStatus.Opened"/>.</summary>
    public readonly TlsContentType ContentType => Type;

    /// <summary>The content, in the destination that was given.</summary>
    public readonly byte* Data => Destination;

    /// <summary>Bytes of content; 0 unless the status is <see cref="TlsOpenStatus.Opened"/>.</summary>
    public readonly int Length => (int)ContentLength;

    /// <summary>The content.</summary>
    public readonly ReadOnlySpan<byte> Content => new(Destination, (int)ContentLength);

    /// <summary>The connection's state.</summary>
    public readonly TlsTrafficState* State => Traffic;

    /// <summary>What the caller gave with the record.</summary>
    public readonly ulong UserData => CallerData;

    /// <summary>
    /// The alert that was received (<see cref="TlsOpenStatus.PeerAlert"/>, <see cref="TlsOpenStatus.CloseNotify"/>), or the one to send
    /// because of a failure; <see cref="TlsAlert.CloseNotify"/> for every other status.
    /// </summary>
    public readonly TlsAlert Alert => Outcome switch
    {
        TlsOpenStatus.PeerAlert => PeerAlert,
        TlsOpenStatus.BadRecordMac => TlsAlert.BadRecordMac,
        TlsOpenStatus.RecordOverflow => TlsAlert.RecordOverflow,
        TlsOpenStatus.UnexpectedMessage or TlsOpenStatus.TooManyKeyUpdates => TlsAlert.UnexpectedMessage,
        TlsOpenStatus.DecodeError => TlsAlert.DecodeError,
        TlsOpenStatus.IllegalParameter => TlsAlert.IllegalParameter,
        TlsOpenStatus.InternalError or TlsOpenStatus.KeyExhausted => TlsAlert.InternalError,
        _ => TlsAlert.CloseNotify,
    };

    /// <summary>Whether this record ended the connection by a failure, so that <see cref="Alert"/> is to be sent.</summary>
    public readonly bool IsFailure => Outcome >= TlsOpenStatus.BadRecordMac;
}
