using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Traffic;

/// <summary>
/// What a scheduler notes in a packet that it holds: in the first 16 bytes of the buffer's scratch, which are the scheduler's for that
/// time. The holder's notes behind them stay.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = SizeInBytes)]
internal unsafe struct QueuedPacket
{
    /// <summary>Bytes of the scratch that a scheduler uses.</summary>
    public const int SizeInBytes = 16;

    /// <summary>The next packet of the same list.</summary>
    public PacketBuffer* Next;

    /// <summary>In a queue: when it came. In the list of dropped packets: the reason.</summary>
    public long Time;

    /// <summary>The notes of a packet.</summary>
    // Sound: scratch has 40 bytes, 8-byte aligned as the header is.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static QueuedPacket* Of(PacketBuffer* packet) => (QueuedPacket*)packet->Scratch;
}
