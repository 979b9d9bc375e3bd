using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Flows.Sessions;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// In which session a packet was counted as one that goes on, noted in the packet itself: what drops it later can say so there without
/// looking for the session.
/// </summary>
/// <remarks>
/// It lies in the last 8 bytes of the endpoint, which traffic management leaves alone. Where a peer's address is written over it, it goes to the
/// notes' first 8 bytes (<see cref="Keep"/>), whose pointer is not needed any more by then.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
internal unsafe struct FlowMark
{
    /// <summary>Size of the struct.</summary>
    public const int SizeInBytes = 8;

    private const int Offset = 16;
    private const int None = -1;

    /// <summary>The session's entry, shifted by one, and whether the packet goes to the initiator; negative for no session.</summary>
    [FieldOffset(0)] private int _entry;

    /// <summary>The session's stamp: an entry's next session has another one.</summary>
    [FieldOffset(4)] private uint _flow;

    /// <summary>Whether no session has counted the packet.</summary>
    public readonly bool IsNone => _entry < 0;

    /// <summary>The session's entry in the table.</summary>
    public readonly int Index => _entry >> 1;

    /// <summary>Whether the packet goes to the initiator.</summary>
    public readonly bool IsReverse => (_entry & 1) != 0;

    /// <summary>Whether a session is the one that is meant.</summary>
    public readonly bool IsOf(in SessionState session) => session.Stamp == _flow;

    /// <summary>The mark of a packet that is not sealed yet, or was not given to a port with a peer's address.</summary>
    // Sound, all of them: scratch has 40 bytes, 8-byte aligned as the header is.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FlowMark* Of(PacketBuffer* packet) => (FlowMark*)(packet->Scratch + Offset);

    /// <summary>The mark of a packet after <see cref="Keep"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FlowMark* KeptOf(PacketBuffer* packet) => (FlowMark*)PacketMeta.Of(packet);

    /// <summary>Notes the session of a packet that is about to go on, and the length that it is counted with.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set(in RoutedPacket entry)
    {
        FlowMark* mark = Of(entry.Packet);
        if (entry.Session == null)
        {
            mark->_entry = None;
            return;
        }
        mark->_entry = (entry.SessionIndex << 1) | (entry.IsReverse ? 1 : 0);
        mark->_flow = entry.Session->Stamp;
        PacketMeta.Of(entry.Packet)->FlowLength = (ushort)entry.Inner.Length;
    }

    /// <summary>Notes that no session counts a packet.</summary>
    public static void Clear(PacketBuffer* packet) => Of(packet)->_entry = None;

    /// <summary>Saves the mark from an endpoint that is about to be written over it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Keep(PacketBuffer* packet) => *KeptOf(packet) = *Of(packet);
}
