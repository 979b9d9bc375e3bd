using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using CryptoPlane.Buffers;

namespace CryptoPlane.Flows;

/// <summary>The entries of a table and of its extensions: which are used, which are free, and which was idle for longest.</summary>
internal sealed unsafe class FlowEntries : IDisposable
{
    /// <summary>How many free entries ahead are fetched.</summary>
    private const int TakeAhead = 8;

    /// <summary>Among how many the one that was idle for longest goes.</summary>
    private const int EvictionChoice = 8;

    /// <summary>Most entries that the search for these looks at.</summary>
    private const int EvictionLook = 64;

    private readonly IPacketMemory _memory;
    private readonly int _maximum;

    /// <summary>Numbers of entries that were used and are free: a stack, so that those that come next are known ahead.</summary>
    private readonly SlabArray _free;

    private FlowExtension[] _extensions = [];
    private int _freeCount;
    private int _hand;

    /// <summary>Makes entries without memory.</summary>
    public FlowEntries(int maximum, int stride, IPacketMemory memory)
    {
        _memory = memory;
        _maximum = maximum;
        Array = new SlabArray(maximum, stride, memory);
        _free = new SlabArray(maximum, sizeof(int), memory);
    }

    /// <summary>The entries; each begins with its <see cref="FlowEntryHeader"/>.</summary>
    public SlabArray Array { get; }

    /// <summary>Entries from this one on were never used.</summary>
    public int End { get; private set; }

    /// <summary>Bytes taken, without extensions.</summary>
    public long Bytes => Array.Bytes + _free.Bytes;

    public FlowEntryHeader* Header(int index) => (FlowEntryHeader*)Array.At(index);

    public bool IsUsed(int index) => (uint)index < (uint)End && (Header(index)->Home & FlowEntryHeader.Used) != 0;

    /// <summary>Takes memory for the first entries.</summary>
    public void Reserve(int initial) => Array.Reserve(initial);

    /// <summary>Adds state of an application's own to all entries.</summary>
    public FlowExtension<T> Attach<T>()
        where T : unmanaged
    {
        var extension = new FlowExtension<T>(_maximum, _memory);
        // First in the list, so that what it takes is given back in any case.
        _extensions = [.. _extensions, extension];
        extension.Reserve(Array.Capacity);
        return extension;
    }

    /// <summary>An entry that is not used, or -1 if there is no memory for one. Its extensions are zero.</summary>
    public int Take()
    {
        int index;
        if (_freeCount > 0)
        {
            // What the flows after this one write is fetched by then.
            if (_freeCount > TakeAhead)
                Prefetch(*Free(_freeCount - 1 - TakeAhead));
            index = *Free(--_freeCount);
        }
        else if (!TryGrow())
        {
            return -1;
        }
        else
        {
            index = End++;
        }
        foreach (FlowExtension extension in _extensions)
            extension.Clear(index);
        return index;
    }

    /// <summary>An entry is free.</summary>
    public void GiveBack(int index)
    {
        Header(index)->Home = 0;
        *Free(_freeCount++) = index;
    }

    /// <summary>
    /// Of the next eight under a hand that walks around the table the one that was not found for longest; none that was found in the
    /// running call, and none that the application spares. -1 if there is none.
    /// </summary>
    /// <param name="call">The count of calls.</param>
    /// <param name="evictions">The application; null where it has no say.</param>
    public int NextOldest(int call, IFlowEvictions? evictions)
    {
        int oldest = -1;
        uint age = 0;
        for (int looked = 0, seen = 0; looked < Math.Min(EvictionLook, End) && seen < EvictionChoice; looked++)
        {
            _hand = _hand + 1 < End ? _hand + 1 : 0;
            uint idle = (uint)(call - Header(_hand)->Found);
            if (!IsUsed(_hand) || idle == 0 || (evictions != null && evictions.Spares(_hand)))
                continue;
            seen++;
            if (idle > age)
                (oldest, age) = (_hand, idle);
        }
        return oldest;
    }

    /// <summary>Has memory for the next slabs ready. One thread other than the owner.</summary>
    public bool Provision()
    {
        bool isTaken = Array.Provision() | _free.Provision();
        foreach (FlowExtension extension in _extensions)
            isTaken |= extension.Provision();
        return isTaken;
    }

    public void Dispose()
    {
        foreach (FlowExtension extension in _extensions)
            extension.Free();
        _extensions = [];
        _free.Dispose();
        Array.Dispose();
        End = 0;
    }

    private int* Free(int place) => (int*)_free.At(place);

    private void Prefetch(int index)
    {
        if (!Sse.IsSupported)
            return;
        byte* entry = Array.At(index);
        Sse.Prefetch0(entry);
        if (Array.Stride > 64)
            Sse.Prefetch0(entry + 64);
    }

    /// <summary>Memory for one more entry, everywhere.</summary>
    private bool TryGrow()
    {
        bool isThere = (End < Array.Capacity || Array.TryGrow()) && (End < _free.Capacity || _free.TryGrow());
        foreach (FlowExtension extension in _extensions)
            isThere = isThere && (End < extension.Capacity || extension.TryGrow());
        return isThere;
    }
}
