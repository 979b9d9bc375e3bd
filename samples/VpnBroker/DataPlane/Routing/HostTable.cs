using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using VpnBroker.DataPlane.Inner;

namespace VpnBroker.DataPlane.Routing;

/// <summary>
/// Which tunnel of this lcore has an inner address: open addressing in native memory, at most half full, of a fixed size.
/// </summary>
internal sealed unsafe class HostTable : IDisposable
{
    private readonly uint _mask;
    private readonly int _shift;
    private Entry* _entries;

    /// <summary>Makes an empty table.</summary>
    /// <param name="capacity">Most addresses.</param>
    public HostTable(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        Capacity = capacity;
        uint slots = BitOperations.RoundUpToPowerOf2((uint)capacity * 2);
        _mask = slots - 1;
        _shift = 64 - BitOperations.Log2(slots);
        _entries = (Entry*)NativeMemory.AllocZeroed(slots, (nuint)sizeof(Entry));
    }

    /// <summary>Most addresses.</summary>
    public int Capacity { get; }

    /// <summary>Addresses in the table.</summary>
    public int Count { get; private set; }

    /// <summary>Asks for the line where the search for an address begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fetch(in InnerAddress address)
    {
        if (Count != 0)
            CacheLine.Fetch(_entries + Home(address));
    }

    /// <summary>The tunnel of an address, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(in InnerAddress address)
    {
        if (Count == 0)
            return -1;
        Entry* entry = _entries + Slot(address);
        return entry->Address.Family == 0 ? -1 : entry->Tunnel;
    }

    /// <summary>Enters an address, or moves it to another tunnel.</summary>
    /// <returns>False when the table is full.</returns>
    public bool TrySet(in InnerAddress address, int tunnel)
    {
        Entry* entry = _entries + Slot(address);
        if (entry->Address.Family == 0)
        {
            if (Count == Capacity)
                return false;
            Count++;
        }
        *entry = new Entry { Address = address, Tunnel = tunnel };
        return true;
    }

    /// <summary>Takes an address out if it is this tunnel's.</summary>
    public bool Remove(in InnerAddress address, int tunnel)
    {
        uint gap = Slot(address);
        if (_entries[gap].Address.Family == 0 || _entries[gap].Tunnel != tunnel)
            return false;
        Count--;
        // Move up what lies behind the gap, so that no search meets a hole before its goal.
        for (uint next = (gap + 1) & _mask; _entries[next].Address.Family != 0; next = (next + 1) & _mask)
        {
            uint home = Home(_entries[next].Address);
            if (((next - home) & _mask) < ((next - gap) & _mask))
                continue;
            _entries[gap] = _entries[next];
            gap = next;
        }
        _entries[gap] = default;
        return true;
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.Free(_entries);
        _entries = null;
    }

    /// <summary>The slot of an address, or the empty one where it would go.</summary>
    // Sound: slots are masked with the table's size, and at most half of them are taken, so that the search ends.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Slot(in InnerAddress address)
    {
        uint slot = Home(address);
        while (_entries[slot].Address.Family != 0 && _entries[slot].Address != address)
            slot = (slot + 1) & _mask;
        return slot;
    }

    private uint Home(in InnerAddress address) =>
        (uint)(((address.High * 0x9E37_79B9_7F4A_7C15UL) ^ address.Low) * 0xD6E8_FEB8_6659_FD93UL >> _shift) & _mask;

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public InnerAddress Address;
        public int Tunnel;
    }
}
