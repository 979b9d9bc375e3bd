using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CryptoPlane.Ports;

namespace VpnBroker.DataPlane.Dtls;

/// <summary>
/// Which lcore has the data channel of a UDP address, and on that lcore which tunnel: a hash table in native memory, one for each lcore, that
/// knows the clients of all of them. What is not its own is handed over by it.
/// </summary>
/// <remarks>
/// Keys are keyed hashes of addresses: a wrong one could only bring a datagram to a tunnel that looks at its address again, and at its tag.
/// Addresses without a port stand for the client that was last seen there, in case that a NAT gives it another port.
/// </remarks>
internal sealed unsafe class DtlsPeers : IDisposable
{
    private const ulong Factor = 0xD6E8_FEB8_6659_FD93UL;

    private static readonly ulong s_seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private static readonly ulong s_secondSeed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    private readonly uint _mask;
    private readonly int _capacity;
    private Entry* _entries;

    /// <summary>Makes an empty table.</summary>
    /// <param name="clients">Most data channels of all lcores.</param>
    public DtlsPeers(int clients)
    {
        _capacity = clients * 2;
        uint slots = BitOperations.RoundUpToPowerOf2((uint)_capacity * 2);
        _mask = slots - 1;
        _entries = (Entry*)NativeMemory.AllocZeroed(slots, (nuint)sizeof(Entry));
    }

    /// <summary>Addresses in the table.</summary>
    public int Count { get; private set; }

    /// <summary>The key of an address with its port.</summary>
    public static ulong KeyOf(in PacketEndpoint peer) => Hash(Words(peer)[0], peer);

    /// <summary>The key of an address whatever the port.</summary>
    public static ulong HostKeyOf(in PacketEndpoint peer) => Hash(Words(peer)[0] & 0xFFFF_FFFF_0000_00FF, peer);

    /// <summary>Finds an address.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="lcore">The lcore that has it.</param>
    /// <param name="slot">There, the tunnel; elsewhere -1.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryFind(ulong key, out int lcore, out int slot)
    {
        Entry* entry = _entries + Place(key);
        lcore = entry->Lcore;
        slot = entry->Slot;
        return entry->Key != 0;
    }

    /// <summary>Enters an address, or moves it.</summary>
    /// <returns>False when the table is full.</returns>
    public bool TrySet(ulong key, int lcore, int slot)
    {
        Entry* entry = _entries + Place(key);
        if (entry->Key == 0)
        {
            if (Count == _capacity)
                return false;
            Count++;
        }
        *entry = new Entry { Key = key, Lcore = lcore, Slot = slot };
        return true;
    }

    /// <summary>Takes an address out if it is this tunnel's, or of an lcore where the tunnel is not known.</summary>
    public void Remove(ulong key, int lcore, int slot)
    {
        uint gap = Place(key);
        if (_entries[gap].Key == 0 || _entries[gap].Lcore != lcore || _entries[gap].Slot != slot)
            return;
        Count--;
        // Move up what lies behind the gap, so that no search meets a hole before its goal.
        for (uint next = (gap + 1) & _mask; _entries[next].Key != 0; next = (next + 1) & _mask)
        {
            uint home = (uint)_entries[next].Key & _mask;
            if (((next - home) & _mask) < ((next - gap) & _mask))
                continue;
            _entries[gap] = _entries[next];
            gap = next;
        }
        _entries[gap] = default;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_entries);
        _entries = null;
    }

    private static ulong Hash(ulong front, in PacketEndpoint peer)
    {
        ReadOnlySpan<ulong> words = Words(peer);
        ulong hash = (front ^ s_seed) * Factor;
        hash = (hash ^ (hash >> 32) ^ words[1]) * Factor;
        hash = (hash ^ (hash >> 32) ^ words[2] ^ s_secondSeed) * Factor;
        hash ^= hash >> 32;
        // 0 is the empty place.
        return hash == 0 ? 1 : hash;
    }

    // Sound: 24 bytes; the span lives no longer than the reference.
    private static ReadOnlySpan<ulong> Words(in PacketEndpoint peer) => MemoryMarshal.Cast<PacketEndpoint, ulong>(new ReadOnlySpan<PacketEndpoint>(in peer));

    // Sound: places are masked with the table's size, and at most half of them are taken, so that the search ends.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Place(ulong key)
    {
        uint place = (uint)key & _mask;
        while (_entries[place].Key != 0 && _entries[place].Key != key)
            place = (place + 1) & _mask;
        return place;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Key;
        public int Lcore;
        public int Slot;
    }
}
