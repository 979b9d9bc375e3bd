using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace CryptoPlane.IO.Ethernet;

/// <summary>
/// Neighbours by their IP address: a fixed number of entries in native memory, in chains from hash buckets. It knows states and times;
/// asking and answering is its <see cref="EthernetIpPort"/>'s part.
/// </summary>
internal sealed unsafe class NeighbourTable : IDisposable
{
    // RFC 4861 §10: REACHABLE_TIME 30 s, RETRANS_TIMER 1 s, three questions. The rest is ours.
    public const long ReachableTime = 30_000_000_000, RetransmitTime = 1_000_000_000, FailedTime = 1_000_000_000;
    public const int MaxQuestions = 3;
    private const long UnusedTime = 600_000_000_000;

    // Entries that are compared for the one to forget: enough to find an old one, and few enough to look at for a packet.
    private const int Candidates = 32;

    private readonly ulong _firstFactor = RandomOdd(), _secondFactor = RandomOdd();
    private readonly int _shift;
    private readonly int _capacity;
    private Neighbour* _entries;
    private int* _buckets;
    private int _free;
    private int _hand;

    public NeighbourTable(int capacity)
    {
        _capacity = capacity;
        uint buckets = System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity * 2);
        _shift = 64 - System.Numerics.BitOperations.Log2(buckets);
        _entries = (Neighbour*)NativeMemory.AlignedAlloc((nuint)capacity * (nuint)sizeof(Neighbour), 128);
        _buckets = (int*)NativeMemory.Alloc(buckets, sizeof(int));
        new Span<int>(_buckets, (int)buckets).Fill(-1);
        new Span<byte>(_entries, capacity * sizeof(Neighbour)).Clear();
        for (int i = 0; i < capacity; i++)
            _entries[i].Next = i + 1 < capacity ? i + 1 : -1;
    }

    /// <summary>Entries in use.</summary>
    public int Count { get; private set; }

    public int Capacity => _capacity;

    /// <summary>Entries without a usable address: they are being asked for, or did not answer.</summary>
    public int Unresolved { get; private set; }

    /// <summary>Entry number <paramref name="index"/>, free or not.</summary>
    // Sound: callers pass numbers from 0 to Capacity - 1.
    public Neighbour* this[int index] => _entries + index;

    /// <summary>Finds a neighbour; null where it is not known.</summary>
    public Neighbour* Find(in LinkAddress address)
    {
        for (int i = _buckets[Bucket(in address)]; i >= 0; i = _entries[i].Next)
        {
            if (_entries[i].Address.Equals(address))
                return _entries + i;
        }
        return null;
    }

    /// <summary>Takes an entry for a neighbour that is not in the table.</summary>
    /// <returns>Null if the table is full.</returns>
    public Neighbour* Add(in LinkAddress address, bool isGateway, long now)
    {
        if (_free < 0)
            return null;
        int index = _free;
        Neighbour* entry = _entries + index;
        _free = entry->Next;
        int bucket = Bucket(in address);
        *entry = new Neighbour
        {
            Address = address, State = NeighbourState.Incomplete, IsGateway = isGateway, Next = _buckets[bucket], LastUsed = now, Due = now,
        };
        _buckets[bucket] = index;
        Count++;
        Unresolved++;
        return entry;
    }

    /// <summary>
    /// Of some entries, others each time, the one that was not used for longest. Gateways are never among them; entries that are being asked
    /// for only if <paramref name="any"/>.
    /// </summary>
    /// <returns>Null if there is none.</returns>
    public Neighbour* Oldest(bool any)
    {
        Neighbour* oldest = null;
        for (int i = Math.Min(Candidates, _capacity); i > 0; i--)
        {
            Neighbour* entry = _entries + _hand;
            _hand = _hand + 1 < _capacity ? _hand + 1 : 0;
            if (entry->State == NeighbourState.Free || entry->IsGateway || (!any && entry->State == NeighbourState.Incomplete))
                continue;
            if (oldest == null || entry->LastUsed < oldest->LastUsed)
                oldest = entry;
        }
        return oldest;
    }

    /// <summary>Frees an entry whose queue is empty.</summary>
    public void Remove(Neighbour* entry)
    {
        int index = (int)(entry - _entries);
        int* link = _buckets + Bucket(in entry->Address);
        while (*link != index)
            link = &_entries[*link].Next;
        *link = entry->Next;
        if (!entry->IsUsable)
            Unresolved--;
        *entry = new Neighbour { Next = _free };
        _free = index;
        Count--;
    }

    /// <summary>Notes an address that was confirmed (<paramref name="confirmed"/>), or only seen.</summary>
    public void Learn(Neighbour* entry, ulong mac, ulong own, bool confirmed, long now)
    {
        EthernetFrame.WriteHeader(entry->Header, mac, own, entry->Address.IsIPv4 ? EthernetFrame.TypeIPv4 : EthernetFrame.TypeIPv6);
        if (!entry->IsUsable)
            Unresolved--;
        entry->Mac = mac;
        entry->Asked = 0;
        entry->State = confirmed ? NeighbourState.Reachable : NeighbourState.Stale;
        entry->Due = now + (confirmed ? ReachableTime : UnusedTime);
    }

    /// <summary>Whether an entry that is due may be forgotten: it was not used for ten minutes.</summary>
    public static bool IsUnused(Neighbour* entry, long now) => now - entry->LastUsed >= UnusedTime;

    public void Dispose()
    {
        NativeMemory.AlignedFree(_entries);
        NativeMemory.Free(_buckets);
        _entries = null;
        _buckets = null;
    }

    // Sound as an index: the highest bits of the hash, as many as the number of buckets has.
    private int Bucket(in LinkAddress address) => (int)(address.Hash(_firstFactor, _secondFactor) >> _shift);

    private static ulong RandomOdd()
    {
        ulong factor;
        RandomNumberGenerator.Fill(new Span<byte>(&factor, sizeof(ulong)));
        return factor | 1;
    }
}
