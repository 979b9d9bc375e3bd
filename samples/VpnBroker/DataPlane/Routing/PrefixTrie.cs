using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace VpnBroker.DataPlane.Routing;

/// <summary>
/// Longest-prefix match in native memory: a trie that looks at 16 bits, then at 8 at a time, with every shorter prefix pushed into the
/// leaves, so that a look-up follows pointers until it meets a value and never turns back.
/// </summary>
/// <remarks>
/// Built on a control thread, with <see cref="Insert"/> in the order of growing prefix length, then immutable. An IPv4 table with a few
/// routes is 256 KiB; a look-up touches one to three entries (IPv6: up to fifteen).
/// </remarks>
internal sealed unsafe class PrefixTrie : IDisposable
{
    private const int RootBits = 16;
    private const int StrideBits = 8;
    private const int NodeSize = 1 << StrideBits;
    private const uint ChildFlag = 0x8000_0000;

    private readonly int _addressBits;
    private uint* _entries;
    private uint _used;
    private uint _capacity;
    private int _lastLength;

    /// <summary>Makes an empty trie.</summary>
    /// <param name="addressBits">32 or 128.</param>
    public PrefixTrie(int addressBits)
    {
        _addressBits = addressBits;
        _used = _capacity = 1 << RootBits;
        _entries = (uint*)NativeMemory.AllocZeroed(_capacity, sizeof(uint));
    }

    /// <summary>Adds a prefix.</summary>
    /// <param name="high">The first 64 bits of an IPv6 prefix; for IPv4 the 32 bits at the top.</param>
    /// <param name="low">The last 64 bits of an IPv6 prefix.</param>
    /// <param name="length">The prefix's length; not below that of the one before.</param>
    /// <param name="target">Where it leads.</param>
    public void Insert(ulong high, ulong low, int length, RouteTarget target)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)_addressBits, nameof(length));
        ArgumentOutOfRangeException.ThrowIfLessThan(length, _lastLength);
        _lastLength = length;
        uint node = 0;
        int bits = RootBits;
        int position = 0;
        while (length > position + bits)
        {
            uint slot = node + Bits(high, low, position, bits);
            node = Descend(slot);
            position += bits;
            bits = StrideBits;
        }
        // The prefix ends in this node and covers a run of its entries. None has a child: that would take an earlier, longer prefix.
        int free = position + bits - length;
        uint first = node + (Bits(high, low, position, bits) >> free << free);
        new Span<uint>(_entries + first, 1 << free).Fill(target.Value);
    }

    /// <summary>The entry where the search for an address begins.</summary>
    /// <param name="entries">The memory of a trie.</param>
    /// <param name="high">The first 64 bits of the address; of IPv4, 32 bits at the top.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint* Root(uint* entries, ulong high) => entries + (high >> (64 - RootBits));

    /// <summary>The entry behind the root's: the last one for most IPv4 routes.</summary>
    /// <param name="entries">The memory of a trie.</param>
    /// <param name="high">The first 64 bits of the address; of IPv4, 32 bits at the top.</param>
    // Sound: as in Find; an entry without a child stands for itself.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint* Leaf(uint* entries, ulong high)
    {
        uint* root = Root(entries, high);
        return (*root & ChildFlag) == 0 ? root : entries + (*root & ~ChildFlag) + ((high >> (64 - RootBits - StrideBits)) & (NodeSize - 1));
    }

    /// <summary>The target of the longest prefix that covers an IPv4 address.</summary>
    /// <param name="entries">The memory of a trie of 32 bits, as <see cref="Detach"/> gave it.</param>
    /// <param name="address">The address.</param>
    // Sound: root indices have 16 bits, child nodes have 256 entries, and child references were made by Descend.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RouteTarget Find(uint* entries, uint address)
    {
        uint entry = entries[address >> 16];
        if ((entry & ChildFlag) != 0)
        {
            entry = entries[(entry & ~ChildFlag) + ((address >> 8) & 0xFF)];
            if ((entry & ChildFlag) != 0)
                entry = entries[(entry & ~ChildFlag) + (address & 0xFF)];
        }
        return new RouteTarget(entry);
    }

    /// <summary>The target of the longest prefix that covers an IPv6 address.</summary>
    /// <param name="entries">The memory of a trie of 128 bits, as <see cref="Detach"/> gave it.</param>
    /// <param name="high">The first 64 bits of the address.</param>
    /// <param name="low">The last 64 bits.</param>
    // Sound: as above; the leaves of the last level have no children, so that the loop ends with the address.
    public static RouteTarget Find(uint* entries, ulong high, ulong low)
    {
        uint entry = entries[high >> 48];
        for (int position = RootBits; (entry & ChildFlag) != 0; position += StrideBits)
            entry = entries[(entry & ~ChildFlag) + Bits(high, low, position, StrideBits)];
        return new RouteTarget(entry);
    }

    /// <summary>Hands the finished trie over; the holder frees it with <see cref="NativeMemory.Free"/>.</summary>
    public uint* Detach()
    {
        uint* entries = _entries;
        _entries = null;
        return entries;
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.Free(_entries);
        _entries = null;
    }

    private static uint Bits(ulong high, ulong low, int position, int count) =>
        position < 64
            ? (uint)(high >> (64 - position - count)) & ((1u << count) - 1)
            : (uint)(low >> (128 - position - count)) & ((1u << count) - 1);

    /// <summary>The child node behind an entry, made if there is none, and filled with what the entry led to.</summary>
    private uint Descend(uint slot)
    {
        uint entry = _entries[slot];
        if ((entry & ChildFlag) != 0)
            return entry & ~ChildFlag;
        if (_used + NodeSize > _capacity)
        {
            _capacity = Math.Max(_capacity * 2, _used + NodeSize);
            _entries = (uint*)NativeMemory.Realloc(_entries, (nuint)_capacity * sizeof(uint));
        }
        uint child = _used;
        _used += NodeSize;
        new Span<uint>(_entries + child, NodeSize).Fill(entry);
        _entries[slot] = child | ChildFlag;
        return child;
    }
}
