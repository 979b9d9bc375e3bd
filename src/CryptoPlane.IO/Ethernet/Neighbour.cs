using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.IO.Ethernet;

/// <summary>How far a neighbour is known (RFC 4861 §7.3.2, used for ARP as well).</summary>
internal enum NeighbourState : byte
{
    /// <summary>The slot is free.</summary>
    Free = 0,

    /// <summary>Asked for; packets wait.</summary>
    Incomplete,

    /// <summary>Known, confirmed a short time ago.</summary>
    Reachable,

    /// <summary>Known, confirmed some time ago: it is asked when it is next used.</summary>
    Stale,

    /// <summary>Known and used, and asked whether it is still there.</summary>
    Probe,

    /// <summary>Did not answer: packets are dropped for a while without asking again.</summary>
    Failed,
}

/// <summary>An entry of the <see cref="NeighbourTable"/>: what sending a packet needs in the first cache line, the rest in the second.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal unsafe struct Neighbour
{
    /// <summary>Packets that wait for the answer.</summary>
    public const int QueueSize = 6;

    [FieldOffset(0)] public LinkAddress Address;

    /// <summary>The 14 bytes that go before a packet to this neighbour.</summary>
    [FieldOffset(16)] public fixed byte Header[16];

    [FieldOffset(32)] public NeighbourState State;

    /// <summary>Questions without an answer.</summary>
    [FieldOffset(33)] public byte Asked;

    [FieldOffset(34)] public byte Queued;

    /// <summary>Whether it is a gateway, which nothing drives out of the table.</summary>
    [FieldOffset(35)] public bool IsGateway;

    /// <summary>The next entry of the same bucket, or of the free list; -1 at the end.</summary>
    [FieldOffset(36)] public int Next;

    /// <summary>When something is to be done about it, in nanoseconds of the port's clock.</summary>
    [FieldOffset(40)] public long Due;

    [FieldOffset(48)] public long LastUsed;

    [FieldOffset(56)] public ulong Mac;

    [FieldOffset(64)] private PacketBuffer* _queue;

    /// <summary>Whether packets can be sent to it.</summary>
    public readonly bool IsUsable => State is NeighbourState.Reachable or NeighbourState.Stale or NeighbourState.Probe;

    /// <summary>Writes the Ethernet header of a frame to this neighbour.</summary>
    public void WriteHeader(byte* frame)
    {
        // Sound: two overlapping writes of 8 bytes are the 14 of the header.
        fixed (byte* header = Header)
        {
            Unsafe.WriteUnaligned(frame, Unsafe.ReadUnaligned<ulong>(header));
            Unsafe.WriteUnaligned(frame + 6, Unsafe.ReadUnaligned<ulong>(header + 6));
        }
    }

    // Sound: the field is the first of six pointers that fill the struct up to byte 112.
    public static PacketBuffer** Queue(Neighbour* neighbour) => &neighbour->_queue;
}
