using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using CryptoPlane.Buffers;

namespace CryptoPlane.Flows;

/// <summary>
/// Where entries are, by hash: buckets of one cache line, which grow one bucket at a time (linear hashing), so that no insertion
/// waits for a table to be moved.
/// </summary>
/// <remarks>
/// There are 2^L buckets when a round of growth begins. Splitting bucket s makes bucket s + 2^L, and bit L of each entry's hash says in
/// which of the two it is; when all are split L is one more. What has no place in its bucket is in a chain of overflow buckets, of
/// its own alone: so a split touches nothing but one chain.
/// </remarks>
internal sealed unsafe class FlowIndex : IDisposable
{
    /// <summary>Entries per bucket, on average, from which on the table grows.</summary>
    public const int Dense = 6;

    /// <summary>Overflow buckets are few, and most tables need none: their slabs are small.</summary>
    private const int OverflowSlab = 256 * 1024;

    private readonly SlabArray _buckets;
    private readonly SlabArray _overflow;
    private readonly SlabArray _entries;
    private readonly int _mostBuckets;

    /// <summary>2^L - 1.</summary>
    private uint _mask;

    /// <summary>Buckets that were split in this round: 0 when none is going on.</summary>
    private uint _split;

    /// <summary>There was no memory to grow: chains become longer instead.</summary>
    private bool _isStuck;

    private int _freeOverflow;
    private int _freeOverflowCount;
    private int _freshOverflow;

    /// <summary>Makes an empty index, without memory.</summary>
    /// <param name="initial">Entries that it is made for.</param>
    /// <param name="maximum">Most entries.</param>
    /// <param name="entries">The entries, each beginning with its <see cref="FlowEntryHeader"/>.</param>
    /// <param name="memory">Where memory comes from.</param>
    public FlowIndex(int initial, int maximum, SlabArray entries, IPacketMemory memory)
    {
        _entries = entries;
        _mostBuckets = BucketsFor(maximum);
        _buckets = new SlabArray(_mostBuckets, sizeof(FlowBucket), memory);
        // All buckets of a chain but the last are full, and a chain with overflow has more than one bucket's entries.
        _overflow = new SlabArray((2 * (maximum / FlowBucket.Places)) + 2, sizeof(FlowBucket), memory, OverflowSlab);
        _mask = (uint)BucketsFor(initial) - 1;
    }

    /// <summary>Buckets in use, without overflow.</summary>
    public int Buckets => (int)(_mask + 1 + _split);

    /// <summary>Overflow buckets in use.</summary>
    public int OverflowBuckets => _freshOverflow - _freeOverflowCount;

    /// <summary>Whether a round of growth is under way.</summary>
    public bool IsGrowing => _split != 0;

    /// <summary>Bytes taken.</summary>
    public long Bytes => _buckets.Bytes + _overflow.Bytes;

    /// <summary>Takes the memory that it begins with.</summary>
    public void Reserve() => _buckets.Reserve((int)_mask + 1);

    /// <summary>The 31 bits of a hash that choose the bucket.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint HomeOf(ulong hash) => (uint)(hash >> 33);

    /// <summary>The bucket where a hash belongs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public FlowBucket* Bucket(uint home) => (FlowBucket*)_buckets.At((int)Number(home));

    /// <summary>The bucket where a hash belongs, by what <see cref="Shape"/> said: for loops, which need not load it again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FlowBucket* Bucket(uint home, byte** slabs, uint mask, uint last)
    {
        uint number = Number(home, mask, last);
        int shift = SlabArray.ShiftOf(sizeof(FlowBucket));
        // Sound: buckets up to the last one have slabs, and the shift is a constant to the JIT that equals the array's.
        return (FlowBucket*)slabs[number >> shift] + (number & ((1u << shift) - 1));
    }

    /// <summary>What a bucket is found by, until something is added.</summary>
    public byte** Shape(out uint mask, out uint last)
    {
        mask = _mask;
        last = _mask + _split;
        return _buckets.Slabs;
    }

    /// <summary>The next bucket of a chain; null at its end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public FlowBucket* Next(FlowBucket* bucket) => bucket->Next == 0 ? null : (FlowBucket*)_overflow.At(bucket->Next - 1);

    /// <summary>Whether so many entries are more than the buckets are for.</summary>
    public bool IsDense(int count) => count > Dense * ((long)_mask + 1) && !_isStuck;

    /// <summary>Adds an entry that is not there.</summary>
    /// <returns>False if there is no memory for an overflow bucket: nothing has changed.</returns>
    public bool TryAdd(uint home, ushort tag, int entry)
    {
        FlowBucket* last = Bucket(home);
        while (last->Next != 0)
            last = Next(last);
        return Append(ref last, tag, entry);
    }

    /// <summary>Takes out an entry that is there.</summary>
    public void Remove(uint home, int entry)
    {
        FlowBucket* bucket = Bucket(home), before = null;
        int place;
        for (; (place = FlowBucket.PlaceOf(bucket, entry)) < 0; bucket = Next(bucket))
            before = bucket;
        // The chain's last entry fills the gap, so that chains are never longer than they must be.
        FlowBucket* last = bucket;
        for (; last->Next != 0; last = Next(last))
            before = last;
        int end = FlowBucket.Count(last) - 1;
        bucket->Tags[place] = last->Tags[end];
        bucket->Entries[place] = last->Entries[end];
        last->Tags[end] = 0;
        if (end == 0 && before != null)
            FreeChain(before);
    }

    /// <summary>Splits some buckets: a round of growth that is under way goes on, or else begins.</summary>
    /// <param name="buckets">How many at most.</param>
    /// <returns>How many were split.</returns>
    public int Grow(int buckets)
    {
        int done = 0;
        while (done < buckets && !_isStuck)
        {
            if (!TrySplit())
            {
                _isStuck = true;
                break;
            }
            done++;
            if (_split <= _mask)
                continue;
            _mask = (_mask << 1) | 1;
            _split = 0;
            break;
        }
        return done;
    }

    /// <summary>Has memory for the next slabs ready. One thread other than the owner.</summary>
    public bool Provision() => _buckets.Provision() | _overflow.Provision();

    public void Dispose()
    {
        _buckets.Dispose();
        _overflow.Dispose();
    }

    private static int BucketsFor(int entries) => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, ((entries - 1) / Dense) + 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Number(uint home) => Number(home, _mask, _mask + _split);

    /// <summary>
    /// The number of a bucket. Whether bit L counts is as good as random, so no branch hangs on it.
    /// </summary>
    /// <param name="home">What the hash says.</param>
    /// <param name="mask">2^L - 1.</param>
    /// <param name="last">The last bucket.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Number(uint home, uint mask, uint last)
    {
        uint number = home & ((mask << 1) | 1);
        // All ones where there is no such bucket yet: both numbers are below 2^31.
        uint tooHigh = (uint)((int)(last - number) >> 31);
        return number & ~(tooHigh & (mask + 1));
    }

    /// <summary>Puts an entry behind the last one of a chain, whose last bucket is given.</summary>
    private bool Append(ref FlowBucket* last, ushort tag, int entry)
    {
        int place = FlowBucket.Count(last);
        if (place == FlowBucket.Places)
        {
            if (!TryReserveOverflow(1))
                return false;
            int number = TakeOverflow();
            last->Next = number + 1;
            last = (FlowBucket*)_overflow.At(number);
            place = 0;
        }
        last->Tags[place] = tag;
        last->Entries[place] = entry;
        return true;
    }

    /// <summary>Splits the next bucket, if there is memory for what comes of it.</summary>
    private bool TrySplit()
    {
        uint bit = _mask + 1, target = _split + bit;
        if (target >= (uint)_mostBuckets || (target >= (uint)_buckets.Capacity && !_buckets.TryGrow()))
            return false;
        var reader = (FlowBucket*)_buckets.At((int)_split);
        // What goes to the new chain needs no more overflow buckets than the old one has.
        int chain = 0;
        for (FlowBucket* bucket = reader; bucket->Next != 0; bucket = Next(bucket))
            chain++;
        if (!TryReserveOverflow(chain))
            return false;

        FlowBucket* writer = reader, moved = (FlowBucket*)_buckets.At((int)target);
        int write = 0;
        for (; reader != null; reader = Next(reader))
        {
            int count = FlowBucket.Count(reader);
            for (int place = 0; place < count; place++)
            {
                ushort tag = reader->Tags[place];
                int entry = reader->Entries[place];
                if ((((FlowEntryHeader*)_entries.At(entry))->Home & bit) != 0)
                {
                    Append(ref moved, tag, entry);
                    continue;
                }
                if (write == FlowBucket.Places)
                {
                    writer = Next(writer);
                    write = 0;
                }
                // Sound: as many were read as were written at least, so that nothing is overwritten that was not read.
                writer->Tags[write] = tag;
                writer->Entries[write++] = entry;
            }
        }
        for (; write < FlowBucket.Places; write++)
            writer->Tags[write] = 0;
        if (writer->Next != 0)
            FreeChain(writer);
        _split++;
        PrefetchNextSplit();
        return true;
    }

    /// <summary>The headers of the next bucket's entries, and the bucket after it, by the time that they are wanted.</summary>
    private void PrefetchNextSplit()
    {
        if (!Sse.IsSupported || _split + 1 >= _mask)
            return;
        Sse.Prefetch0(_buckets.At((int)_split + 1));
        var bucket = (FlowBucket*)_buckets.At((int)_split);
        int count = FlowBucket.Count(bucket);
        for (int place = 0; place < count; place++)
            Sse.Prefetch0(_entries.At(bucket->Entries[place]));
    }

    private bool TryReserveOverflow(int count)
    {
        while (_freeOverflowCount + _overflow.Capacity - _freshOverflow < count)
        {
            if (!_overflow.TryGrow())
                return false;
        }
        return true;
    }

    /// <summary>An empty overflow bucket; one was reserved.</summary>
    private int TakeOverflow()
    {
        if (_freeOverflowCount == 0)
            return _freshOverflow++;
        int number = _freeOverflow;
        var bucket = (FlowBucket*)_overflow.At(number);
        _freeOverflow = bucket->Next - 1;
        _freeOverflowCount--;
        *bucket = default;
        return number;
    }

    /// <summary>Frees all buckets of a chain behind one of them.</summary>
    private void FreeChain(FlowBucket* last)
    {
        for (int next = last->Next; next != 0;)
        {
            int number = next - 1;
            var bucket = (FlowBucket*)_overflow.At(number);
            next = bucket->Next;
            bucket->Next = _freeOverflow + 1;
            _freeOverflow = number;
            _freeOverflowCount++;
        }
        last->Next = 0;
    }
}
