using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Flows;

/// <summary>
/// One cache line of the index: a tag from the hash and the number of the entry for each of up to ten flows, and where more of them are.
/// </summary>
/// <remarks>
/// The used places are the first ones of a bucket, and of a chain of buckets only the last one may have free places. So one comparison
/// of the tags answers nearly every look-up, and one more for each further bucket of the chain.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct FlowBucket
{
    /// <summary>Places of a bucket.</summary>
    public const int Places = 10;

    private const uint TagBytes = (1u << (2 * Places)) - 1;

    /// <summary>The tag of each place; 0 where it is free.</summary>
    [FieldOffset(0)] public fixed ushort Tags[Places];

    /// <summary>The number of the next bucket of the chain among the overflow buckets, plus 1; 0 at the chain's end.</summary>
    [FieldOffset(20)] public int Next;

    /// <summary>The entry of each place.</summary>
    [FieldOffset(24)] public fixed int Entries[Places];

    /// <summary>The tag of a hash: 15 of its bits, and never 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort TagOf(ulong hash) => (ushort)((uint)hash | 1);

    /// <summary>The places that have a tag: two bits for each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Match(FlowBucket* bucket, ushort tag)
    {
        // Sound: the load ends within the bucket; what it has of the entries is masked.
        Vector256<ushort> tags = Vector256.LoadAligned((ushort*)bucket);
        return Vector256.Equals(tags, Vector256.Create(tag)).AsByte().ExtractMostSignificantBits() & TagBytes;
    }

    /// <summary>The first place of what <see cref="Match"/> gave, which is not 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int First(uint matches) => BitOperations.TrailingZeroCount(matches) >> 1;

    /// <summary>Takes the first place out of what <see cref="Match"/> gave.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Rest(uint matches) => matches & ~(3u << (2 * First(matches)));

    /// <summary>Used places.</summary>
    public static int Count(FlowBucket* bucket)
    {
        uint free = Match(bucket, 0);
        return free == 0 ? Places : First(free);
    }

    /// <summary>The place that has an entry, or -1.</summary>
    public static int PlaceOf(FlowBucket* bucket, int entry)
    {
        // Sound: eight of the ten numbers are within the bucket.
        uint places = Vector256.Equals(Vector256.Load(bucket->Entries), Vector256.Create(entry)).ExtractMostSignificantBits();
        for (int place = Vector256<int>.Count; place < Places; place++)
            places |= (bucket->Entries[place] == entry ? 1u : 0) << place;
        // Where a place is free the number of its last entry is left.
        places &= (1u << Count(bucket)) - 1;
        return places == 0 ? -1 : BitOperations.TrailingZeroCount(places);
    }
}
