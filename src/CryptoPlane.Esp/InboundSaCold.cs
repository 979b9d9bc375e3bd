using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp;

/// <summary>What a delivered packet does not touch of an inbound SA: identity, limits, links and drop counters, behind the window's bitmap.</summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
internal unsafe struct InboundSaCold
{
    /// <summary>One cache line of state, three of counters.</summary>
    public const int SizeInBytes = CountersOffset + EspCounters.SizeInBytes;

    public const int CountersOffset = 64;

    [FieldOffset(0)] public SaLimits Limits;

    [FieldOffset(36)] public uint Spi;

    /// <summary>The list of the database's SAs with something to tell; null before the SA is in one.</summary>
    [FieldOffset(40)] public SaNotices* Notices;

    /// <summary>Links the SAs with something to tell, or those that were removed and wait to be freed.</summary>
    [FieldOffset(48)] public InboundSa* Next;

    /// <summary>Where the block goes back to; null for the heap.</summary>
    [FieldOffset(56)] public SlotArena.State* Arena;

    [FieldOffset(CountersOffset)] public EspCounters Counters;
}
