using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Esp.Selectors;

namespace CryptoPlane.Esp;

/// <summary>What a sealed packet does not touch of an outbound SA: limits, links and drop counters, behind the run-time part.</summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
internal unsafe struct OutboundSaCold
{
    /// <summary>Two cache lines of state, three of counters.</summary>
    public const int SizeInBytes = CountersOffset + EspCounters.SizeInBytes;

    public const int CountersOffset = 128;

    [FieldOffset(0)] public SaLimits Limits;

    /// <summary>The last number that there is: 2^32 - 1 or 2^64 - 1.</summary>
    [FieldOffset(40)] public ulong SequenceMax;

    /// <summary>The last number that is reserved.</summary>
    [FieldOffset(48)] public ulong SequenceLimit;

    /// <summary>One less than the first number.</summary>
    [FieldOffset(56)] public ulong SequenceBase;

    /// <summary>Links the database's SAs, or those that wait to be freed.</summary>
    [FieldOffset(64)] public OutboundSa* Next;

    [FieldOffset(72)] public OutboundSa* Previous;

    /// <summary>Where the block goes back to; null for the heap.</summary>
    [FieldOffset(80)] public SlotArena.State* Arena;

    /// <summary>What the SA may carry; null for everything.</summary>
    [FieldOffset(88)] public SelectorTable* Selectors;

    /// <summary>The list of the database's SAs with something to tell; null before the SA is in one.</summary>
    [FieldOffset(96)] public SaNotices* Notices;

    /// <summary>Links the SAs with something to tell.</summary>
    [FieldOffset(104)] public OutboundSa* NextNotice;

    [FieldOffset(CountersOffset)] public EspCounters Counters;
}
