using System.Runtime.InteropServices;

namespace CryptoPlane.Traffic;

/// <summary>Tunnels that wait for their shapers: a binary heap by time, in native memory. Only what goes to sleep pays for its order.</summary>
internal sealed unsafe class WaitHeap : IDisposable
{
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public long Time;
        public int Tunnel;
    }

    private readonly TunnelNode* _nodes;
    private Entry* _entries;
    private int _count;

    /// <summary>Makes an empty heap.</summary>
    /// <param name="nodes">The tunnels, which outlive it.</param>
    /// <param name="tunnels">How many there are: each waits once at most.</param>
    public WaitHeap(TunnelNode* nodes, int tunnels)
    {
        _nodes = nodes;
        _entries = (Entry*)NativeMemory.Alloc((nuint)tunnels, (nuint)sizeof(Entry));
    }

    /// <summary>When the first is due; <see cref="long.MaxValue"/> for never.</summary>
    public long FirstTime => _count == 0 ? long.MaxValue : _entries[0].Time;

    /// <summary>The tunnel that is due first; there must be one.</summary>
    public int First => _entries[0].Tunnel;

    /// <summary>Adds a tunnel that is in no list.</summary>
    // Sound: a tunnel is in the heap once, so that there are never more entries than tunnels; indexes stay below the count.
    public void Add(int tunnel, long time)
    {
        _nodes[tunnel].Place = TunnelPlace.Waiting;
        Rise(_count++, new Entry { Time = time, Tunnel = tunnel });
    }

    /// <summary>Takes a tunnel out that waits.</summary>
    public void Remove(int tunnel)
    {
        int index = _nodes[tunnel].HeapIndex;
        _nodes[tunnel].Place = TunnelPlace.None;
        Entry last = _entries[--_count];
        if (index == _count)
            return;
        if (index > 0 && last.Time < _entries[(index - 1) / 2].Time)
            Rise(index, last);
        else
            Sink(index, last);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_entries);
        _entries = null;
        _count = 0;
    }

    private void Rise(int index, Entry entry)
    {
        while (index > 0 && entry.Time < _entries[(index - 1) / 2].Time)
        {
            Put(index, _entries[(index - 1) / 2]);
            index = (index - 1) / 2;
        }
        Put(index, entry);
    }

    private void Sink(int index, Entry entry)
    {
        for (int child = (2 * index) + 1; child < _count; child = (2 * index) + 1)
        {
            if (child + 1 < _count && _entries[child + 1].Time < _entries[child].Time)
                child++;
            if (_entries[child].Time >= entry.Time)
                break;
            Put(index, _entries[child]);
            index = child;
        }
        Put(index, entry);
    }

    private void Put(int index, Entry entry)
    {
        _entries[index] = entry;
        _nodes[entry.Tunnel].HeapIndex = index;
    }
}
