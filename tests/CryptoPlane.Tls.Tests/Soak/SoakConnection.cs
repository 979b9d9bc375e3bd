using System.Runtime.InteropServices;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Soak;

/// <summary>How a connection of the soak is to end.</summary>
internal enum SoakEnd
{
    /// <summary>Not yet.</summary>
    None,

    /// <summary>Both sides are gone at once, with whatever was under way.</summary>
    Abrupt,

    /// <summary>One side says close_notify, and the other one later, behind what it still has to say.</summary>
    CloseNotify,

    /// <summary>One side gives up with a fatal alert.</summary>
    Alert,

    /// <summary>Somebody spoils what is on the wire: the side that reads it sends the alert, and the other one ends by it.</summary>
    Corruption,
}

/// <summary>
/// One direction of a connection: the sealing state of its sender, the opening state of its receiver, the bytes between them, and how far each is.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 512)]
internal unsafe struct SoakDirection
{
    /// <summary>Room for a record of the largest size and what comes before it.</summary>
    public const int WireSize = 24_576;

    /// <summary>Of that: what data leaves for a KeyUpdate and an alert.</summary>
    public const int Reserve = 64;

    public TlsTrafficState Write, Read;

    public SoakConnection* Owner;

    /// <summary>What was sent and not consumed; always begins with a record's first byte.</summary>
    public byte* Wire;

    /// <summary>Bytes there; of those the receiver sees so many by now; of those so many are in its burst.</summary>
    public int Filled, Visible, Taken;

    /// <summary>Places in the stream.</summary>
    public long Sent, Received;

    /// <summary>Where the stream was at the last KeyUpdate, by the sender and by the receiver.</summary>
    public long UpdatedAt, UpdateSeenAt;

    /// <summary>What the stream's bytes follow from.</summary>
    public ulong Key;

    public uint UpdatesSeen;

    /// <summary>The sender's close_notify or fatal alert: to be sent; sent, so that nothing follows.</summary>
    public TlsAlert Alert;
    public bool OwesAlert, HasSentAlert;

    /// <summary>The receiver asked for a KeyUpdate, which goes before the next data.</summary>
    public bool OwesUpdate;

    /// <summary>Whether somebody has spoilt the wire, and the alerts that this may be answered with.</summary>
    public bool IsCorrupted, MayBeOtherAlert;
    public TlsAlert ExpectedAlert;

    /// <summary>The receiver has come to an end: nothing more is read.</summary>
    public bool ReadEnded;

    public void Begin(SoakConnection* owner, ulong key)
    {
        byte* wire = Wire;
        this = default;
        Owner = owner;
        Wire = wire;
        Key = key;
    }

    public readonly Span<byte> OnWire => new(Wire, Filled);
}

/// <summary>A connection between a client and a server: native memory that a control thread and an lcore own by turns.</summary>
[StructLayout(LayoutKind.Sequential, Size = (2 * 512) + 64)]
internal unsafe struct SoakConnection
{
    /// <summary>From the client to the server, and back.</summary>
    public SoakDirection Up, Down;

    public int Index;

    /// <summary>How many connections there were in this place before.</summary>
    public int Generation;

    /// <summary>Records until it ends.</summary>
    public int RecordsLeft;

    public SoakEnd End;

    /// <summary>Which direction's sender ends it, or which direction is spoilt.</summary>
    public int EndedBy;

    /// <summary>Sound: the two are the struct's first fields, side by side, and the struct is in native memory.</summary>
    public static SoakDirection* Direction(SoakConnection* connection, int index) => (SoakDirection*)connection + index;

    public static SoakDirection* Opposite(SoakDirection* direction) => Direction(direction->Owner, direction == (SoakDirection*)direction->Owner ? 1 : 0);
}
