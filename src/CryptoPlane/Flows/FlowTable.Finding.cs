using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Flows;

/// <content>
/// How a burst of keys is found: block after block, each in three steps that lie a block apart. So what a step reads was asked for while another
/// block was worked on, and the waits for memory pass beside the work.
/// </content>
public sealed unsafe partial class FlowTable<TKey, TState>
{
    /// <summary>Keys that are found together.</summary>
    private const int Burst = 256;

    /// <summary>Keys whose cache lines are fetched side by side: as many as a CPU has loads under way, and more.</summary>
    private const int Block = 32;

    /// <summary>In place of an index: no tag of the bucket is the key's, and there is a further bucket.</summary>
    private const int Further = -2;

    /// <summary>Finds keys: their indexes, or -1.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="indexes">Receives the indexes.</param>
    /// <param name="hashes">Receives the hashes.</param>
    /// <param name="count">How many there are of each: at least one, and <see cref="Burst"/> at most.</param>
    [SkipLocalsInit]
    private void FindBurst(TKey* keys, int* indexes, ulong* hashes, int count)
    {
        // Sound: every block ends at the count, which is at most Burst.
        FlowBucket** buckets = stackalloc FlowBucket*[Burst];
        FetchBuckets(keys, hashes, buckets, Math.Min(Block, count));
        for (int block = 0; block < count; block += Block)
        {
            int next = block + Block;
            if (next < count)
                FetchBuckets(keys + next, hashes + next, buckets + next, Math.Min(Block, count - next));
            FetchEntries(indexes + block, hashes + block, buckets + block, Math.Min(Block, count - block));
            if (block > 0)
                Compare(keys + block - Block, indexes + block - Block, hashes + block - Block, Block);
        }
        int last = (count - 1) & ~(Block - 1);
        Compare(keys + last, indexes + last, hashes + last, count - last);
    }

    /// <summary>The first step: hashes, and the buckets that they name.</summary>
    private void FetchBuckets(TKey* keys, ulong* hashes, FlowBucket** buckets, int count)
    {
        byte** slabs = _index.Shape(out uint mask, out uint last);
        for (int i = 0; i < count; i++)
        {
            ulong hash = TKey.Hash(in keys[i], in _seed);
            hashes[i] = hash;
            buckets[i] = FlowIndex.Bucket(FlowIndex.HomeOf(hash), slabs, mask, last);
            if (Sse.IsSupported)
                Sse.Prefetch0(buckets[i]);
        }
    }

    /// <summary>The second step: the entries that the buckets' tags name, or further buckets.</summary>
    private void FetchEntries(int* indexes, ulong* hashes, FlowBucket** buckets, int count)
    {
        byte** entries = _slabs;
        for (int i = 0; i < count; i++)
        {
            FlowBucket* bucket = buckets[i];
            uint matches = FlowBucket.Match(bucket, FlowBucket.TagOf(hashes[i]));
            if (matches != 0)
            {
                indexes[i] = bucket->Entries[FlowBucket.First(matches)];
                Prefetch(Entry(indexes[i], entries));
            }
            else if (bucket->Next != 0)
            {
                indexes[i] = Further;
                if (Sse.IsSupported)
                    Sse.Prefetch0(_index.Next(bucket));
            }
            else
            {
                indexes[i] = -1;
            }
        }
    }

    /// <summary>The third step: whether the entries are the keys'.</summary>
    private void Compare(TKey* keys, int* indexes, ulong* hashes, int count)
    {
        byte** entries = _slabs;
        for (int i = 0; i < count; i++)
        {
            if (indexes[i] == -1)
                continue;
            // A tag that is another key's is one in thousands, and so few buckets have a further one that their entries may be waited for.
            if (indexes[i] == Further || !TKey.Equals(in keys[i], in Entry(indexes[i], entries)->Key))
                indexes[i] = Search(in keys[i], hashes[i]);
            if (_evicts && indexes[i] >= 0)
                Entry(indexes[i], entries)->Header.Found = _call;
        }
    }

    /// <summary>The lines that a comparison reads, and the next one, which has the state.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(FlowEntry<TKey, TState>* entry)
    {
        if (!Sse.IsSupported)
            return;
        Sse.Prefetch0(entry);
        if (Stride > 64)
            Sse.Prefetch0((byte*)entry + 64);
    }
}
