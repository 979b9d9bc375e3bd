using System.Runtime.InteropServices;
using CryptoPlane.Ports;

namespace CryptoPlane.Capture;

/// <summary>The header of one packet in a <see cref="CaptureRing"/>; <see cref="CapturedLength"/> bytes follow it.</summary>
[StructLayout(LayoutKind.Explicit, Size = HeaderSize)]
public struct CaptureRecord
{
    /// <summary>Size of this header.</summary>
    public const int HeaderSize = 96;

    internal const byte FlagNotTaken = 1;

    /// <summary>
    /// Bytes of the ring that the record takes: a multiple of 8. Negative: so many bytes at the end of the memory are left out, and nothing
    /// else of the record is there.
    /// </summary>
    [FieldOffset(0)] internal int Size;

    /// <summary>Bytes of the packet that were kept.</summary>
    [FieldOffset(4)] public int CapturedLength;

    /// <summary>Bytes that the packet had.</summary>
    [FieldOffset(8)] public int OriginalLength;

    /// <summary>Where it was seen: a number that the tap's owner chose.</summary>
    [FieldOffset(12)] public ushort Point;

    /// <summary>Which way it went.</summary>
    [FieldOffset(14)] public CaptureDirection Direction;

    /// <summary>What its bytes begin with.</summary>
    [FieldOffset(15)] public CaptureFraming Framing;

    /// <summary>When: <see cref="Lcores.MonotonicClock.Nanoseconds"/>.</summary>
    [FieldOffset(16)] public long Timestamp;

    /// <summary>Whose it is, in numbers that the tap's owner chose; 0 for unknown.</summary>
    [FieldOffset(24)] public ulong Subject;

    /// <summary>The other end's outer address, for framings without one.</summary>
    [FieldOffset(32)] public PacketEndpoint Peer;

    /// <summary>What else is to be said of it, in numbers that the tap's owner chose; 0 for nothing.</summary>
    [FieldOffset(56)] public ushort Note;

    [FieldOffset(58)] internal byte Flags;

    /// <summary>The packet's place in its burst, until the port has said how many it took.</summary>
    [FieldOffset(60)] internal int BurstIndex;

    /// <summary>This end of a connection; none for packets, whose port knows it.</summary>
    [FieldOffset(64)] public PacketEndpoint Local;

    /// <summary>Place in the connection's stream: as TCP's sequence number.</summary>
    [FieldOffset(88)] public uint Sequence;

    /// <summary>Place in the stream of the other direction: as TCP's acknowledgement.</summary>
    [FieldOffset(92)] public uint Acknowledgement;

    /// <summary>Whether the port did not take the packet, which stays with its sender: it was dropped, or is sent (and captured) again.</summary>
    public readonly bool NotTaken => (Flags & FlagNotTaken) != 0;
}
