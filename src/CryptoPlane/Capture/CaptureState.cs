using System.Runtime.InteropServices;

namespace CryptoPlane.Capture;

/// <summary>What one point of a capture has counted on one lcore.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CapturePointCounters
{
    /// <summary>Packets that passed the point while the capture ran.</summary>
    public long Seen;

    /// <summary>Packets that the filter let through and the sampling chose.</summary>
    public long Accepted;

    /// <summary>Accepted packets that are not in the capture because the ring was full.</summary>
    public long Missed;
}

/// <summary>
/// A ring's native memory: the indexes on cache-line pairs of their own, what the lcore captures by, and its counters. The packets
/// lie behind it.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
internal unsafe struct CaptureState
{
    public const int MaxPoints = 256;

    private const int EnabledOffset = 640;
    private const int CountersOffset = EnabledOffset + MaxPoints;
    private const int CounterBytes = 24;

    /// <summary>A multiple of the page, so that the packets begin on one.</summary>
    public const int SizeInBytes = 8192;

    /// <summary>Bytes taken out; written by the consumer.</summary>
    [FieldOffset(0)] public long Head;

    /// <summary>Bytes put in; written by the lcore.</summary>
    [FieldOffset(128)] public long Tail;

    /// <summary>The consumer's index as the lcore last saw it.</summary>
    [FieldOffset(136)] public long SeenHead;

    /// <summary>Accepted packets until the next one that the sampling chooses.</summary>
    [FieldOffset(144)] public int SampleCountdown;

    /// <summary>The packets' memory; constant, like everything behind it up to the counters.</summary>
    [FieldOffset(256)] public byte* Data;

    /// <summary>Bytes of <see cref="Data"/>, a power of two, less one.</summary>
    [FieldOffset(264)] public long Mask;

    /// <summary>Bytes that are kept of a packet at most.</summary>
    [FieldOffset(272)] public int SnapLength;

    /// <summary>One packet in so many is kept.</summary>
    [FieldOffset(276)] public int SampleEvery;

    [FieldOffset(280)] public CaptureFilter Filter;

    [FieldOffset(EnabledOffset)] public fixed byte Enabled[MaxPoints];

    [FieldOffset(CountersOffset)] private fixed byte _counters[MaxPoints * CounterBytes];

    /// <summary>The counters of a point.</summary>
    /// <param name="state">Where the state is: its address stays as long as it exists.</param>
    /// <param name="point">Below <see cref="MaxPoints"/>.</param>
    // Sound: the buffer has room for MaxPoints structs, begins at a multiple of 8, and callers pass points of the table.
    public static CapturePointCounters* CountersOf(CaptureState* state, int point) => (CapturePointCounters*)state->_counters + point;
}
