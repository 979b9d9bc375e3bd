using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Traffic;

/// <summary>The packets of one class in one tunnel, in the order in which they came.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ClassQueue
{
    public PacketBuffer* Head;
    public PacketBuffer* Tail;
    public int Bytes;
    public int Packets;

    /// <summary>Bytes that the class may still send in its turn; below 0, what it has sent too much.</summary>
    public int Deficit;

    public CoDelState CoDel;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Push(PacketBuffer* packet, long now)
    {
        QueuedPacket* note = QueuedPacket.Of(packet);
        note->Next = null;
        note->Time = now;
        if (Tail == null)
            Head = packet;
        else
            QueuedPacket.Of(Tail)->Next = packet;
        Tail = packet;
        Bytes += packet->Length;
        Packets++;
    }

    /// <summary>Takes the oldest packet; there must be one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PacketBuffer* Pop()
    {
        PacketBuffer* packet = Head;
        Head = QueuedPacket.Of(packet)->Next;
        if (Head == null)
            Tail = null;
        Bytes -= packet->Length;
        Packets--;
        return packet;
    }
}
