using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp;

/// <summary>What became of an SA that was given to a <see cref="Sad"/>.</summary>
public enum SadStatus : byte
{
    /// <summary>The SA is in the database, which owns it from now on.</summary>
    Added = 0,

    /// <summary>Another SA has its SPI; the caller still owns it.</summary>
    DuplicateSpi = 1,

    /// <summary>The database is full; the caller still owns the SA.</summary>
    Full = 2,
}

/// <summary>
/// The security association database of one lcore (RFC 4301 §4.4.2): inbound SAs by their SPI, and the outbound SAs that the lcore
/// uses. It owns its SAs.
/// </summary>
/// <remarks>
/// <para>Inbound SAs lie in a hash table with open addressing in native memory, at most half full, so that a look-up mostly touches
/// one cache line of it. Its size is fixed: a data lcore neither allocates nor stops to move a hundred thousand entries. Big tables lie
/// in huge pages where there are any.</para>
/// <para>Everything here runs on the lcore; control threads send it SAs in messages.</para>
/// </remarks>
public sealed unsafe class Sad : IDisposable
{
    private readonly AeadEngine _engine;
    private readonly uint _mask;
    private readonly int _shift;
    private readonly nuint _bytes;
    private Entry* _table;
    private SaNotices* _notices;
    private OutboundSa* _outbound;
    private OutboundSa* _removedOutbound;
    private InboundSa* _removedInbound;

    /// <summary>Makes an empty database.</summary>
    /// <param name="capacity">Most inbound SAs.</param>
    /// <param name="engine">The lcore's engine, which frees keys and must outlive the database.</param>
    public Sad(int capacity, AeadEngine engine)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1 << 24);
        ArgumentNullException.ThrowIfNull(engine);
        Capacity = capacity;
        _engine = engine;
        uint slots = BitOperations.RoundUpToPowerOf2((uint)capacity * 2);
        _mask = slots - 1;
        _shift = 32 - BitOperations.Log2(slots);
        _bytes = (nuint)slots * (nuint)sizeof(Entry);
        _table = (Entry*)KernelPacketMemory.Instance.Allocate(_bytes, 64);
        _notices = (SaNotices*)NativeMemory.AllocZeroed((nuint)sizeof(SaNotices));
    }

    /// <summary>Most inbound SAs.</summary>
    public int Capacity { get; }

    /// <summary>Inbound SAs in the database.</summary>
    public int InboundCount { get; private set; }

    /// <summary>Outbound SAs in the database.</summary>
    public int OutboundCount { get; private set; }

    /// <summary>SAs that were removed while packets of theirs were in a burst, and wait to be freed.</summary>
    public int RemovedCount { get; private set; }

    /// <summary>Takes an inbound SA, whose packets are accepted from now on.</summary>
    public SadStatus Add(InboundSa* sa)
    {
        ArgumentNullException.ThrowIfNull(sa);
        if (InboundCount == Capacity)
            return SadStatus.Full;
        uint slot = Find(sa->Spi);
        if (_table[slot].Sa != null)
            return SadStatus.DuplicateSpi;
        _table[slot] = new Entry { Spi = sa->Spi, Sa = sa };
        sa->Cold->Notices = _notices;
        InboundCount++;
        return SadStatus.Added;
    }

    /// <summary>Takes an outbound SA. Its SPI is the peer's affair and need not be unique here.</summary>
    public void Add(OutboundSa* sa)
    {
        ArgumentNullException.ThrowIfNull(sa);
        sa->Cold->Previous = null;
        sa->Cold->Next = _outbound;
        if (_outbound != null)
            _outbound->Cold->Previous = sa;
        _outbound = sa;
        sa->Cold->Notices = _notices;
        OutboundCount++;
    }

    /// <summary>
    /// Tells of one SA that a lifetime of it has passed since it was last told of: cheap where there is none, so that an owner can ask in
    /// every turn of its loop. An SA tells that its soft lifetime has passed, and once more when a packet meets the hard one.
    /// </summary>
    public bool TryTakeNotice(out SaNotice notice)
    {
        notice = default;
        if (_notices->Inbound != null)
        {
            InboundSa* sa = _notices->Inbound;
            InboundSaCold* cold = sa->Cold;
            _notices->Inbound = cold->Next;
            cold->Limits.Unlist();
            notice = new SaNotice { Inbound = sa, IsHard = cold->Limits.HardReached };
            return true;
        }
        if (_notices->Outbound != null)
        {
            OutboundSa* sa = _notices->Outbound;
            OutboundSaCold* cold = sa->Cold;
            _notices->Outbound = cold->NextNotice;
            cold->Limits.Unlist();
            notice = new SaNotice { Outbound = sa, IsHard = cold->Limits.HardReached };
            return true;
        }
        return false;
    }

    /// <summary>Finds the inbound SA of a packet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryFind(uint spi, out InboundSa* sa)
    {
        sa = _table[Find(spi)].Sa;
        return sa != null;
    }

    /// <summary>
    /// Finds the inbound SAs of a burst of packets: asks memory for all their places in the table, then for all the SAs, so that it
    /// answers side by side what would each stop a look-up by itself.
    /// </summary>
    /// <param name="spis">The packets' SPIs.</param>
    /// <param name="found">Takes as many SAs, or null where there is none; their cache lines are under way.</param>
    /// <param name="count">How many packets.</param>
    public void FindBurst(uint* spis, InboundSa** found, int count)
    {
        Entry* table = _table;
        for (int i = 0; i < count; i++)
            CacheLines.Fetch(table + Home(spis[i]));
        for (int i = 0; i < count; i++)
        {
            InboundSa* sa = table[Find(spis[i])].Sa;
            found[i] = sa;
            CacheLines.Fetch(sa);
        }
    }

    /// <summary>
    /// Removes an inbound SA: its packets are unknown from now on. It is zeroed and freed at once, or, if packets of it are in a burst,
    /// by the first <see cref="FreeRemoved"/> after their completion.
    /// </summary>
    /// <returns>False if the SA is not in this database.</returns>
    public bool Remove(InboundSa* sa)
    {
        ArgumentNullException.ThrowIfNull(sa);
        uint slot = Find(sa->Spi);
        if (_table[slot].Sa != sa)
            return false;
        Unlink(slot);
        InboundCount--;
        Unlist(sa);
        sa->Cold->Next = _removedInbound;
        _removedInbound = sa;
        RemovedCount++;
        FreeRemoved();
        return true;
    }

    /// <summary>Removes an outbound SA that is in this database; freed as <see cref="Remove(InboundSa*)"/> says.</summary>
    public void Remove(OutboundSa* sa)
    {
        ArgumentNullException.ThrowIfNull(sa);
        if (sa->Cold->Previous != null)
            sa->Cold->Previous->Cold->Next = sa->Cold->Next;
        else
            _outbound = sa->Cold->Next;
        if (sa->Cold->Next != null)
            sa->Cold->Next->Cold->Previous = sa->Cold->Previous;
        OutboundCount--;
        Unlist(sa);
        sa->Cold->Next = _removedOutbound;
        _removedOutbound = sa;
        RemovedCount++;
        FreeRemoved();
    }

    /// <summary>Frees the removed SAs of which no packet is in a burst any more.</summary>
    public void FreeRemoved()
    {
        InboundSa* inbound = _removedInbound;
        _removedInbound = null;
        while (inbound != null)
        {
            InboundSa* next = inbound->Cold->Next;
            if (inbound->InFlight == 0)
            {
                InboundSa.Free(inbound, _engine);
                RemovedCount--;
            }
            else
            {
                inbound->Cold->Next = _removedInbound;
                _removedInbound = inbound;
            }
            inbound = next;
        }
        OutboundSa* outbound = _removedOutbound;
        _removedOutbound = null;
        while (outbound != null)
        {
            OutboundSa* next = outbound->Cold->Next;
            if (outbound->InFlight == 0)
            {
                OutboundSa.Free(outbound, _engine);
                RemovedCount--;
            }
            else
            {
                outbound->Cold->Next = _removedOutbound;
                _removedOutbound = outbound;
            }
            outbound = next;
        }
    }

    /// <summary>Zeroes and frees every SA.</summary>
    /// <exception cref="InvalidOperationException">Packets are in a burst.</exception>
    public void Dispose()
    {
        if (_table == null)
            return;
        FreeRemoved();
        if (RemovedCount != 0)
            throw new InvalidOperationException("Complete the bursts in flight before disposing of the SA database.");
        for (uint i = 0; i <= _mask; i++)
        {
            InboundSa.Free(_table[i].Sa, _engine);
            _table[i] = default;
        }
        while (_outbound != null)
        {
            OutboundSa* next = _outbound->Cold->Next;
            OutboundSa.Free(_outbound, _engine);
            _outbound = next;
        }
        InboundCount = 0;
        OutboundCount = 0;
        KernelPacketMemory.Instance.Free((byte*)_table, _bytes);
        NativeMemory.Free(_notices);
        _table = null;
        _notices = null;
    }

    /// <summary>Takes an SA off the list of those with something to tell, which is short; from now on it has nothing to tell.</summary>
    private void Unlist(InboundSa* sa)
    {
        sa->Cold->Notices = null;
        if (!sa->Cold->Limits.IsListed)
            return;
        InboundSa** link = &_notices->Inbound;
        while (*link != sa)
            link = &(*link)->Cold->Next;
        *link = sa->Cold->Next;
        sa->Cold->Limits.Unlist();
    }

    /// <inheritdoc cref="Unlist(InboundSa*)"/>
    private void Unlist(OutboundSa* sa)
    {
        sa->Cold->Notices = null;
        if (!sa->Cold->Limits.IsListed)
            return;
        OutboundSa** link = &_notices->Outbound;
        while (*link != sa)
            link = &(*link)->Cold->NextNotice;
        *link = sa->Cold->NextNotice;
        sa->Cold->Limits.Unlist();
    }

    /// <summary>The slot of an SPI, or the empty one where it would go.</summary>
    // Sound: slots are masked with the table's size, and at most half of them are taken, so that the search ends.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Find(uint spi)
    {
        uint slot = Home(spi);
        while (_table[slot].Sa != null && _table[slot].Spi != spi)
            slot = (slot + 1) & _mask;
        return slot;
    }

    /// <summary>Fibonacci hashing: SPIs that follow one another spread over the table.</summary>
    private uint Home(uint spi) => (spi * 2654435769u) >> _shift;

    /// <summary>Empties a slot and moves up what lies behind it, so that no search meets a gap before its goal.</summary>
    private void Unlink(uint slot)
    {
        uint gap = slot;
        uint next = slot;
        while (true)
        {
            next = (next + 1) & _mask;
            if (_table[next].Sa == null)
                break;
            // An entry may fill the gap unless its home lies behind the gap, within (gap, next] on the ring.
            uint home = Home(_table[next].Spi);
            if (((next - home) & _mask) >= ((next - gap) & _mask))
            {
                _table[gap] = _table[next];
                gap = next;
            }
        }
        _table[gap] = default;
    }

    [StructLayout(LayoutKind.Sequential, Size = 16)]
    private struct Entry
    {
        public uint Spi;
        public InboundSa* Sa;
    }
}
