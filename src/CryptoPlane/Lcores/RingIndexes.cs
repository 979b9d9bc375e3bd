using System.Runtime.InteropServices;

namespace CryptoPlane.Lcores;

/// <summary>
/// The indexes of a ring: the consumer's and the producer's, 128 bytes apart, because the CPU's adjacent-line prefetcher moves cache
/// lines in pairs. They count messages since the beginning and never wrap in practice (2^63).
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct RingIndexes
{
    /// <summary>Messages taken; written by the consumer.</summary>
    [FieldOffset(0)] public long Head;

    /// <summary>The producer's index as the consumer last saw it; the consumer's own.</summary>
    [FieldOffset(8)] public long SeenTail;

    /// <summary>Messages put in; written by the producer.</summary>
    [FieldOffset(128)] public long Tail;

    /// <summary>The consumer's index as the producer last saw it; the producer's own.</summary>
    [FieldOffset(136)] public long SeenHead;
}
