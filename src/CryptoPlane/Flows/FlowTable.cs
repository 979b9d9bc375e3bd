using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using CryptoPlane.Buffers;

namespace CryptoPlane.Flows;

/// <summary>
/// What an lcore knows of its flows: an entry of state for each key, in native memory, found in bursts.
/// </summary>
/// <typeparam name="TKey">What a flow is found by.</typeparam>
/// <typeparam name="TState">What is known of it; zero when the flow is added.</typeparam>
/// <remarks>
/// <para>An entry has an index, which stays the same for its life, however the table grows; then it may be another's. Extensions
/// (<see cref="Attach{T}"/>), timers (<see cref="TimerWheel"/>) and tables of other keys refer to a flow by its index.</para>
/// <para>Look-ups cost one cache line of buckets and one of the entry; a burst fetches all of its lines side by side. The table grows by
/// two buckets with each flow that is added, and by a slab of memory of at most 2 MiB where entries run out; nothing ever moves as a whole,
/// and memory is given back with <see cref="Dispose"/> alone.</para>
/// <para>Thread ownership: one thread, the lcore's. Nothing is locked, and calls allocate no managed memory.</para>
/// </remarks>
public sealed unsafe partial class FlowTable<TKey, TState> : IDisposable
    where TKey : unmanaged, IFlowKey<TKey>
    where TState : unmanaged
{
    /// <summary>Buckets that each added flow splits while the table grows: so a round ends long before the next one begins.</summary>
    private const int SplitsPerAdd = 2;

    private readonly FlowEntries _entries;
    private readonly FlowIndex _index;
    private readonly bool _evicts;
    private FlowHashSeed _seed;

    /// <summary>The slabs of the entries.</summary>
    private byte** _slabs;

    private int _limit;
    private int _call;
    private bool _hasAdded;

    /// <summary>Takes the memory of <see cref="FlowTableOptions.InitialCapacity"/>.</summary>
    /// <exception cref="OutOfMemoryException">There is no such memory; the message says how to get it.</exception>
    public FlowTable(FlowTableOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaximumFlows, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaximumFlows, FlowTableOptions.Limit, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.InitialCapacity, nameof(options));
        Maximum = _limit = options.MaximumFlows;
        IPacketMemory memory = options.Memory ?? KernelPacketMemory.Instance;
        _evicts = options.WhenFull == WhenFull.EvictOldestIdle;
        _seed = options.Seed ?? FlowHashSeed.Random();
        int initial = Math.Min(options.InitialCapacity, Maximum);
        _entries = new FlowEntries(Maximum, Stride, memory);
        _slabs = _entries.Array.Slabs;
        _index = new FlowIndex(initial, Maximum, _entries.Array, memory);
        try
        {
            _entries.Reserve(initial);
            _index.Reserve();
        }
        catch (OutOfMemoryException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Flows in the table.</summary>
    public int Count { get; private set; }

    /// <summary>Most flows.</summary>
    public int Maximum { get; }

    /// <summary>Flows that were not added because the table was full, or because there was no memory.</summary>
    public long Refused { get; private set; }

    /// <summary>Flows that made room for others.</summary>
    public long Evicted { get; private set; }

    /// <summary>Whether memory that the table wanted was not to be had; it then stays as large as it was.</summary>
    public bool LacksMemory { get; private set; }

    /// <summary>Indexes from this one on were never used: where a walk over the flows, in slices by <see cref="IsUsed"/>, ends.</summary>
    public int EndIndex => _entries.End;

    /// <summary>Bytes of memory taken, without extensions.</summary>
    public long MemoryBytes => _entries.Bytes + _index.Bytes;

    /// <summary>Whether the table's buckets are being split.</summary>
    public bool IsGrowing => _index.IsGrowing;

    /// <summary>Who is told of flows that make room for others; null for nobody.</summary>
    public IFlowEvictions? Evictions { get; set; }

    /// <summary>Buckets of the index, and how many more are behind full ones: for tests and for measuring.</summary>
    internal (int Buckets, int Overflow) IndexSize => (_index.Buckets, _index.OverflowBuckets);

    private static int Stride
    {
        // A constant to the JIT. Entries of up to a cache line share none with one another; larger ones begin with one.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => sizeof(FlowEntry<TKey, TState>) <= 16 ? 16
            : sizeof(FlowEntry<TKey, TState>) <= 32 ? 32
            : (sizeof(FlowEntry<TKey, TState>) + 63) & ~63;
    }

    /// <summary>
    /// Gives every flow a state of the application's own besides. Before the lcore runs, since it takes memory for as many as the table has
    /// memory for by now.
    /// </summary>
    /// <typeparam name="T">The state; zero when a flow is added.</typeparam>
    /// <exception cref="OutOfMemoryException">There is no such memory.</exception>
    public FlowExtension<T> Attach<T>()
        where T : unmanaged => _entries.Attach<T>();

    /// <summary>The index of a flow, or -1.</summary>
    public int Find(in TKey key)
    {
        int index = Search(in key, TKey.Hash(in key, in _seed));
        if (_evicts && index >= 0)
            Header(index)->Found = _call;
        return index;
    }

    /// <summary>The indexes of flows, or -1, of any number of keys.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="indexes">As long as <paramref name="keys"/> at least.</param>
    [SkipLocalsInit]
    public void Find(ReadOnlySpan<TKey> keys, Span<int> indexes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(indexes.Length, keys.Length, nameof(indexes));
        ulong* hashes = stackalloc ulong[Burst];
        // Sound: what is passed on ends within both spans.
        fixed (TKey* key = keys)
        fixed (int* index = indexes)
        {
            for (int first = 0; first < keys.Length; first += Burst)
                FindBurst(key + first, index + first, hashes, Math.Min(Burst, keys.Length - first));
        }
    }

    /// <summary>The index of a flow, which is added if it is not there.</summary>
    /// <param name="key">The key.</param>
    /// <param name="added">Whether it was added.</param>
    /// <returns>-1 if the table is full.</returns>
    public int FindOrAdd(in TKey key, out bool added)
    {
        BeginAdding();
        return FindOrAdd(in key, TKey.Hash(in key, in _seed), out added);
    }

    /// <summary>The indexes of flows, which are added where they are not there; a key may be in the burst again.</summary>
    /// <param name="keys">The keys, of any number.</param>
    /// <param name="indexes">Receives the indexes; -1 if the table is full.</param>
    /// <param name="added">Receives whether each was added.</param>
    [SkipLocalsInit]
    public void FindOrAdd(ReadOnlySpan<TKey> keys, Span<int> indexes, Span<bool> added)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(indexes.Length, keys.Length, nameof(indexes));
        ArgumentOutOfRangeException.ThrowIfLessThan(added.Length, keys.Length, nameof(added));
        BeginAdding();
        ulong* hashes = stackalloc ulong[Burst];
        // Sound: what is passed on ends within all three spans.
        fixed (TKey* key = keys)
        fixed (int* index = indexes)
        fixed (bool* isNew = added)
        {
            for (int first = 0; first < keys.Length; first += Burst)
            {
                int count = Math.Min(Burst, keys.Length - first);
                FindBurst(key + first, index + first, hashes, count);
                for (int i = 0; i < count; i++)
                {
                    isNew[first + i] = false;
                    // Those before it in the burst may have added it, so it is looked for once more.
                    if (index[first + i] < 0)
                        index[first + i] = FindOrAdd(in key[first + i], hashes[i], out isNew[first + i]);
                }
            }
        }
    }

    /// <summary>Takes a flow out.</summary>
    /// <returns>False if it is not there.</returns>
    public bool Remove(in TKey key)
    {
        int index = Search(in key, TKey.Hash(in key, in _seed));
        if (index < 0)
            return false;
        RemoveAt(index);
        return true;
    }

    /// <summary>Takes out the flows of some indexes: cheaper than one by one, since their lines are fetched side by side.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No flow has one of the indexes; those before it are gone.</exception>
    public void RemoveAt(ReadOnlySpan<int> indexes)
    {
        for (int i = 0; Sse.IsSupported && i < indexes.Length; i++)
        {
            if ((uint)indexes[i] < (uint)_entries.End)
                Sse.Prefetch0(Header(indexes[i]));
        }
        for (int i = 0; Sse.IsSupported && i < indexes.Length; i++)
        {
            if ((uint)indexes[i] < (uint)_entries.End)
                Sse.Prefetch0(_index.Bucket(Header(indexes[i])->Home));
        }
        foreach (int index in indexes)
            RemoveAt(index);
    }

    /// <summary>Takes out flows, as far as they are there.</summary>
    /// <param name="keys">The keys, of any number.</param>
    /// <returns>How many were there.</returns>
    [SkipLocalsInit]
    public int Remove(ReadOnlySpan<TKey> keys)
    {
        int before = Count;
        ulong* hashes = stackalloc ulong[Burst];
        int* indexes = stackalloc int[Burst];
        // Sound: a burst ends within the keys.
        fixed (TKey* key = keys)
        {
            for (int first = 0; first < keys.Length; first += Burst)
            {
                int count = Math.Min(Burst, keys.Length - first);
                FindBurst(key + first, indexes, hashes, count);
                for (int i = 0; i < count; i++)
                {
                    // A key that is in the burst again is gone by then.
                    if (IsUsed(indexes[i]))
                        RemoveAt(indexes[i]);
                }
            }
        }
        return before - Count;
    }

    /// <summary>Takes out the flow of an index.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No flow has this index.</exception>
    public void RemoveAt(int index)
    {
        if (!IsUsed(index))
            ThrowNoFlow(index);
        FlowEntryHeader* header = Header(index);
        _index.Remove(header->Home & ~FlowEntryHeader.Used, index);
        _entries.GiveBack(index);
        Count--;
    }

    /// <summary>
    /// Evicts one flow as a full table does (<see cref="WhenFull.EvictOldestIdle"/>), where the application has a bound of its own. Flows
    /// that the last call found or added stay.
    /// </summary>
    /// <returns>False when there is none among the bounded number that was looked at: the next call looks at others.</returns>
    public bool EvictOne() => TryEvict();

    /// <summary>Whether an index is a flow's.</summary>
    public bool IsUsed(int index) => _entries.IsUsed(index);

    /// <summary>The state of a flow. The index must be one of the table's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TState* State(int index) => &Entry(index)->State;

    /// <summary>The key of a flow. The index must be one of the table's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref readonly TKey Key(int index) => ref Entry(index)->Key;

    /// <summary>Fetches a flow's key and the beginning of its state into the cache: a hint.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch(int index) => Prefetch(Entry(index));

    /// <summary>Goes on with the table's growth, for turns that have nothing else to do: insertions then have less to do.</summary>
    /// <param name="buckets">Most buckets that are split.</param>
    /// <returns>How many were split: 0 when there is nothing to do.</returns>
    public int Maintain(int buckets) => _index.IsGrowing ? _index.Grow(buckets) : 0;

    /// <summary>
    /// Has the next slab of each of the table's parts ready, and is the one method that another thread may call: one thread at a time, a
    /// control thread that comes by now and then, until <see cref="Dispose"/>. Where nobody does, the owner takes slabs as it needs them,
    /// and waits for the kernel to fill 2 MiB with zeros.
    /// </summary>
    /// <returns>Whether memory was taken.</returns>
    public bool Provision() => _entries.Provision() | _index.Provision();

    /// <summary>Frees the memory, with that of the extensions.</summary>
    public void Dispose()
    {
        _index.Dispose();
        _entries.Dispose();
        _slabs = null;
        _seed = default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private FlowEntry<TKey, TState>* Entry(int index)
    {
        System.Diagnostics.Debug.Assert((uint)index < (uint)_entries.End, "no such index");
        return Entry(index, _slabs);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static FlowEntry<TKey, TState>* Entry(int index, byte** slabs)
    {
        // Sound: the index is the table's, and the numbers are constants to the JIT that equal those of the array.
        int shift = SlabArray.ShiftOf(Stride);
        return (FlowEntry<TKey, TState>*)(slabs[(uint)index >> shift] + ((nuint)((uint)index & ((1u << shift) - 1)) * (nuint)Stride));
    }

    private FlowEntryHeader* Header(int index) => &Entry(index)->Header;

    /// <summary>
    /// A call that may add begins. Calls are counted only where they added, so that the count, by which idle flows are told, lasts long: it
    /// wraps after 2^32 of them.
    /// </summary>
    private void BeginAdding()
    {
        if (!_hasAdded)
            return;
        _call++;
        _hasAdded = false;
    }

    private int Search(in TKey key, ulong hash)
    {
        ushort tag = FlowBucket.TagOf(hash);
        for (FlowBucket* bucket = _index.Bucket(FlowIndex.HomeOf(hash)); bucket != null; bucket = _index.Next(bucket))
        {
            for (uint matches = FlowBucket.Match(bucket, tag); matches != 0; matches = FlowBucket.Rest(matches))
            {
                int index = bucket->Entries[FlowBucket.First(matches)];
                if (TKey.Equals(in key, in Entry(index)->Key))
                    return index;
            }
        }
        return -1;
    }

    private int FindOrAdd(in TKey key, ulong hash, out bool added)
    {
        int index = Search(in key, hash);
        added = false;
        if (index < 0)
            return Add(in key, hash, out added);
        if (_evicts)
            Header(index)->Found = _call;
        return index;
    }

    private int Add(in TKey key, ulong hash, out bool added)
    {
        added = false;
        _hasAdded = true;
        int index = Count < _limit || TryEvict() ? Take() : -1;
        if (index >= 0 && !_index.TryAdd(FlowIndex.HomeOf(hash), FlowBucket.TagOf(hash), index))
        {
            LacksMemory = true;
            _entries.GiveBack(index);
            index = -1;
        }
        if (index < 0)
        {
            Refused++;
            return -1;
        }
        FlowEntry<TKey, TState>* entry = Entry(index);
        entry->Header.Home = FlowIndex.HomeOf(hash) | FlowEntryHeader.Used;
        entry->Header.Found = _call;
        entry->Key = key;
        entry->State = default;
        Count++;
        added = true;
        if (_index.IsGrowing || _index.IsDense(Count))
            _index.Grow(SplitsPerAdd);
        return index;
    }

    /// <summary>An entry for a new flow, or -1.</summary>
    private int Take()
    {
        int index = _entries.Take();
        if (index >= 0)
            return index;
        // From now on the table is as large as it is.
        LacksMemory = true;
        _limit = Count;
        return TryEvict() ? _entries.Take() : -1;
    }

    /// <summary>Evicts one flow, if that is the table's way and there is one that the running call has not touched.</summary>
    private bool TryEvict()
    {
        int oldest = _evicts ? _entries.NextOldest(_call, Evictions) : -1;
        if (oldest < 0)
            return false;
        Evictions?.Evicting(oldest);
        RemoveAt(oldest);
        Evicted++;
        return true;
    }

    private static void ThrowNoFlow(int index) =>
        throw new ArgumentOutOfRangeException(nameof(index), index, "No flow of this table has this index.");
}
