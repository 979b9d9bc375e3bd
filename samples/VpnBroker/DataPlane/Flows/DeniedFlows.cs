using System.Runtime.InteropServices;

namespace VpnBroker.DataPlane.Flows;

/// <summary>
/// The sessions of an lcore that its policy denies, in the order in which they were: so many may have an entry in the table, then the oldest
/// goes. Whoever is denied has no place that others need.
/// </summary>
/// <remarks>The lcore's own. Sessions that have ended by themselves stay in the order until it is their turn.</remarks>
internal sealed unsafe class DeniedFlows : IDisposable
{
    private readonly int _room;
    private Entry* _entries;
    private int _first;
    private int _count;

    /// <summary>Takes the memory.</summary>
    /// <param name="share">Sessions that may stay.</param>
    /// <param name="burst">Sessions that may come between two calls of <see cref="TryTakeOldest"/> beyond that.</param>
    public DeniedFlows(int share, int burst)
    {
        Share = share;
        _room = share + burst;
        _entries = (Entry*)NativeMemory.Alloc((nuint)_room, (nuint)sizeof(Entry));
    }

    /// <summary>Sessions that may stay.</summary>
    public int Share { get; }

    /// <summary>Whether there are more than may stay.</summary>
    public bool IsOver => _count > Share;

    /// <summary>Notes a session that is denied from now on.</summary>
    // Sound: the place is taken modulo the room.
    public void Add(int index, ulong flowId)
    {
        if (_count == _room)
        {
            // No burst has so many; if one had, its oldest would stay until their times end them.
            _first = _first + 1 < _room ? _first + 1 : 0;
            _count--;
        }
        int place = _first + _count;
        _entries[place < _room ? place : place - _room] = new Entry { Index = index, FlowId = flowId };
        _count++;
    }

    /// <summary>Takes out the oldest of more than may stay.</summary>
    public bool TryTakeOldest(out int index, out ulong flowId)
    {
        (index, flowId) = (-1, 0);
        if (!IsOver)
            return false;
        (index, flowId) = (_entries[_first].Index, _entries[_first].FlowId);
        _first = _first + 1 < _room ? _first + 1 : 0;
        _count--;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_entries);
        _entries = null;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public int Index;
        public ulong FlowId;
    }
}
