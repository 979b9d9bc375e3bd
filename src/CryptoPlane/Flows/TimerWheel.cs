using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using CryptoPlane.Buffers;

namespace CryptoPlane.Flows;

/// <summary>
/// Timers of an lcore by number, such as flows' indexes: four wheels of 256 slots over one another, the finest with a slot per tick.
/// </summary>
/// <remarks>
/// <para>Cost: <see cref="Arm"/> with a deadline that is no earlier than the last one is a store, whatever the number of timers, and
/// does not move the timer; when its slot comes due it goes to its new one (lazy re-arming). An application that keeps in its own state
/// what the deadline follows from need not even do that: <see cref="ITimerOwner.DeadlineOf"/> is asked then.</para>
/// <para>Time: no timer expires before its deadline, nor more than one tick after it if <see cref="Expire{TOwner}"/> is called once in
/// a tick and its budgets suffice. What a coarse slot holds comes down during the 256 slots before it is due, so that no
/// moment has to bring down many at once.</para>
/// <para>The clock is the caller's, in nanoseconds. Thread ownership: one thread, the lcore's. Calls allocate no managed memory.</para>
/// </remarks>
public sealed unsafe class TimerWheel : IDisposable
{
    /// <summary>8.4 ms: the tick for flows.</summary>
    public const long DefaultTick = 1 << 23;

    private const int Levels = 4, SlotBits = 8;

    /// <summary>Two turns of 256, the one under way and the next.</summary>
    private const int Ring = 2 << SlotBits;

    private const int WordsPerLevel = Ring / 64;

    /// <summary>The list of what is due; behind it a list per coarse level of what is coming down.</summary>
    private const int DueList = Levels * Ring;

    private const int Lists = DueList + Levels;

    /// <summary>How many ticks ahead a deadline may be.</summary>
    private const long HorizonTicks = 1 << 30;

    private readonly SlabArray _nodes;
    private readonly int _shift;
    private int* _lists;
    private ulong* _slots;

    /// <summary>All slots of earlier ticks were emptied.</summary>
    private long _tick;

    /// <summary>False at the beginning of a turn, until what belongs to it has come down.</summary>
    private bool _isTurnReady = true;

    /// <summary>Makes a wheel without timers.</summary>
    /// <param name="maximumTimers">Timers have the numbers below it.</param>
    /// <param name="now">The time.</param>
    /// <param name="tick">Nanoseconds of a tick, 2 to 2^40; a power of two, or the next lower one is taken.</param>
    /// <param name="initialTimers">Timers that there is memory for from the beginning.</param>
    /// <param name="memory">Where memory comes from, in slabs of at most 2 MiB; null for the kernel's.</param>
    /// <exception cref="OutOfMemoryException">There is no memory.</exception>
    public TimerWheel(int maximumTimers, long now, long tick = DefaultTick, int initialTimers = 0, IPacketMemory? memory = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumTimers);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maximumTimers, FlowTableOptions.Limit);
        ArgumentOutOfRangeException.ThrowIfLessThan(tick, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tick, 1L << 40);
        ArgumentOutOfRangeException.ThrowIfNegative(now);
        _shift = BitOperations.Log2((ulong)tick);
        _tick = now >> _shift;
        MaximumTimers = maximumTimers;
        _nodes = new SlabArray(maximumTimers, sizeof(TimerNode), memory ?? KernelPacketMemory.Instance);
        _lists = (int*)NativeMemory.AlignedAlloc((Lists * sizeof(int)) + (Levels * WordsPerLevel * sizeof(ulong)), 64);
        _slots = (ulong*)(_lists + Lists);
        NativeMemory.Clear(_lists, (Lists * sizeof(int)) + (Levels * WordsPerLevel * sizeof(ulong)));
        try
        {
            _nodes.Reserve(Math.Min(initialTimers, maximumTimers));
        }
        catch (OutOfMemoryException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Timers have the numbers below it.</summary>
    public int MaximumTimers { get; }

    /// <summary>Nanoseconds of a tick.</summary>
    public long Tick => 1L << _shift;

    /// <summary>How far ahead a deadline may be, in nanoseconds; a later one counts as this far ahead when it is armed.</summary>
    public long Horizon => HorizonTicks << _shift;

    /// <summary>Timers that are armed.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of memory taken.</summary>
    public long MemoryBytes => _nodes.Bytes + (Lists * sizeof(int));

    /// <summary>
    /// When <see cref="Expire{TOwner}"/> next has something to do: at the earliest slot that has timers, or when a coarse slot's begin to
    /// come down; a time that has passed if there is work now; <see cref="long.MaxValue"/> without timers. For the sleep of an lcore.
    /// </summary>
    public long NextDeadline
    {
        get
        {
            if (Count == 0)
                return long.MaxValue;
            bool isWork = false;
            for (int list = DueList; list < Lists; list++)
                isWork |= _lists[list] != 0;
            if (isWork)
                return (_tick - 1) << _shift;
            long next = _isTurnReady ? NextSlot(0, _tick, _tick + Ring - 1) : _tick;
            for (int level = 1; level < Levels; level++)
            {
                int bits = SlotBits * level;
                long slot = NextSlot(level, (_tick >> bits) + 1, (_tick >> bits) + Ring - 1);
                // They come down during the slot before.
                if (slot != long.MaxValue)
                    next = Math.Min(next, Math.Max((slot - 1) << bits, _tick));
            }
            return next << _shift;
        }
    }

    /// <summary>Whether a timer is armed.</summary>
    public bool IsArmed(int timer) => (uint)timer < (uint)_nodes.Capacity && Node(timer)->Previous != 0;

    /// <summary>Arms a timer, or gives it another deadline.</summary>
    /// <param name="timer">Its number, below <see cref="MaximumTimers"/>.</param>
    /// <param name="deadline">When it is to expire. One that has passed expires with the next tick.</param>
    /// <returns>False if there is no memory for so many timers.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Arm(int timer, long deadline)
    {
        if ((uint)timer >= (uint)_nodes.Capacity && !TryGrow(timer))
            return false;
        uint tick = Reachable(TickOf(deadline));
        TimerNode* node = Node(timer);
        node->Deadline = tick;
        // No earlier than its slot: it will be looked at in time.
        if (node->Previous == 0 || (int)(tick - node->Due) < 0)
            Move(timer, node, tick);
        return true;
    }

    /// <summary>Disarms a timer, if it is armed.</summary>
    public void Disarm(int timer)
    {
        if (!IsArmed(timer))
            return;
        Unlink(Node(timer));
        Count--;
    }

    /// <summary>Goes on to a time, within a budget: what the budget does not suffice for is done by the next call.</summary>
    /// <typeparam name="TOwner">Whose timers these are.</typeparam>
    /// <param name="now">The time; never less than before.</param>
    /// <param name="budget">Most timers that are looked at, of those that are due and of those that come down from coarser slots; slots
    /// and turns that time went over count as well.</param>
    /// <param name="owner">Is told of each timer that has expired.</param>
    /// <returns>Timers that were looked at.</returns>
    public int Expire<TOwner>(long now, int budget, ref TOwner owner)
        where TOwner : struct, ITimerOwner, allows ref struct
    {
        long target = now >> _shift;
        int left = budget, looked = 0;
        while (left > 0)
        {
            if (_lists[DueList] != 0)
            {
                Visit(ref owner);
                looked++;
            }
            else if (_tick > target)
            {
                break;
            }
            else if (Count == 0)
            {
                // Nothing lies in between, and nothing has to come down.
                _tick = target + 1;
                _isTurnReady = true;
                break;
            }
            else if (_isTurnReady)
            {
                Advance(target);
            }
            else
            {
                looked += BeginTurn();
            }
            left--;
        }
        // With what remains the next turn is made ready.
        for (int level = 1; level < Levels; level++)
        {
            for (; left > 0 && TryBringDown(level); left--)
                looked++;
        }
        return looked;
    }

    /// <summary>The same for timers whose deadlines are those that <see cref="Arm"/> was told.</summary>
    /// <param name="now">The time; never less than before.</param>
    /// <param name="budget">Most timers that are looked at; never more than <paramref name="expired"/> has room for.</param>
    /// <param name="expired">Receives the numbers of the timers that have expired.</param>
    /// <returns>How many have. There may be more to do, also when it is 0: <see cref="NextDeadline"/> tells.</returns>
    public int Expire(long now, int budget, Span<int> expired)
    {
        var list = new ExpiredTimers(expired);
        Expire(now, Math.Min(budget, expired.Length), ref list);
        return list.Count;
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        if (_lists == null)
            return;
        NativeMemory.AlignedFree(_lists);
        _lists = null;
        _slots = null;
        _nodes.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TimerNode* Node(int timer) => (TimerNode*)_nodes.At(timer);

    /// <summary>The first tick at whose beginning a deadline has passed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long TickOf(long deadline) => (long)(((ulong)Math.Max(deadline, 0) + (ulong)(Tick - 1)) >> _shift);

    /// <summary>A tick that has a slot: neither in the past nor further ahead than the wheels reach.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Reachable(long tick) => (uint)Math.Clamp(tick, _tick, _tick + HorizonTicks);

    /// <summary>A tick near the present from its low 32 bits.</summary>
    private long Whole(uint tick) => _tick + (int)(tick - (uint)_tick);

    private bool TryGrow(int timer)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)timer, (uint)MaximumTimers, nameof(timer));
        while (timer >= _nodes.Capacity)
        {
            if (!_nodes.TryGrow())
                return false;
        }
        return true;
    }

    private void Move(int timer, TimerNode* node, uint tick)
    {
        if (node->Previous != 0)
            Unlink(node);
        else
            Count++;
        Place(timer, node, tick);
    }

    /// <summary>Puts a timer into the slot of a tick that is not in the past, in the finest wheel that reaches so far.</summary>
    private void Place(int timer, TimerNode* node, uint tick)
    {
        node->Due = tick;
        long due = Whole(tick);
        int level = 0;
        // A wheel holds the turn under way and the next one.
        while (level < Levels - 1 && (due >> (SlotBits * (level + 1))) - (_tick >> (SlotBits * (level + 1))) > 1)
            level++;
        int slot = (int)(due >> (SlotBits * level)) & (Ring - 1);
        int list = (level * Ring) + slot;
        int first = _lists[list];
        node->Next = first;
        node->Previous = ~list;
        if (first != 0)
            Node(first - 1)->Previous = timer + 1;
        else
            _slots[list >> 6] |= 1UL << list;
        _lists[list] = timer + 1;
    }

    private void Unlink(TimerNode* node)
    {
        if (node->Next != 0)
            Node(node->Next - 1)->Previous = node->Previous;
        if (node->Previous > 0)
        {
            Node(node->Previous - 1)->Next = node->Next;
        }
        else
        {
            int list = ~node->Previous;
            _lists[list] = node->Next;
            if (node->Next == 0 && list < DueList)
                _slots[list >> 6] &= ~(1UL << list);
        }
        node->Previous = 0;
    }

    /// <summary>Makes all of a slot a list of its own, which is empty by now.</summary>
    private void Detach(int level, long slot, int to)
    {
        int list = (level * Ring) + (int)(slot & (Ring - 1));
        int first = _lists[list];
        _lists[to] = first;
        if (first == 0)
            return;
        _lists[list] = 0;
        _slots[list >> 6] &= ~(1UL << list);
        Node(first - 1)->Previous = ~to;
    }

    /// <summary>The first of some slots of a wheel that has timers, or <see cref="long.MaxValue"/>.</summary>
    private long NextSlot(int level, long from, long to)
    {
        for (long slot = from; slot <= to; slot = (slot | 63) + 1)
        {
            ulong word = _slots[(level * WordsPerLevel) + (int)((slot & (Ring - 1)) >> 6)] >> (int)(slot & 63);
            if (word == 0)
                continue;
            slot += BitOperations.TrailingZeroCount(word);
            return slot <= to ? slot : long.MaxValue;
        }
        return long.MaxValue;
    }

    /// <summary>On to the next slot that has timers, at most to the end of this turn.</summary>
    private void Advance(long target)
    {
        long last = Math.Min(target, _tick | ((1 << SlotBits) - 1));
        long slot = NextSlot(0, _tick, last);
        if (slot != long.MaxValue)
        {
            Detach(0, slot, DueList);
            last = slot;
        }
        _tick = last + 1;
        _isTurnReady = (_tick & ((1 << SlotBits) - 1)) != 0;
    }

    /// <summary>
    /// The tick is a turn's first: what belongs to this turn comes down, where that has not been done by now, and then what belongs to
    /// the next one begins to.
    /// </summary>
    /// <returns>Timers that were looked at.</returns>
    private int BeginTurn()
    {
        for (int level = 1; level < Levels && IsTurnOf(level); level++)
        {
            if (TryBringDown(level))
                return 1;
        }
        for (int level = 1; level < Levels && IsTurnOf(level); level++)
            Detach(level, (_tick >> (SlotBits * level)) + 1, DueList + level);
        _isTurnReady = true;
        return 0;
    }

    /// <summary>Whether a slot of a wheel begins with this tick.</summary>
    private bool IsTurnOf(int level) => (_tick & ((1L << (SlotBits * level)) - 1)) == 0;

    private bool TryBringDown(int level)
    {
        int first = _lists[DueList + level];
        if (first == 0)
            return false;
        TimerNode* node = Node(first - 1);
        PrefetchNext(node);
        Unlink(node);
        Place(first - 1, node, node->Deadline);
        return true;
    }

    private void Visit<TOwner>(ref TOwner owner)
        where TOwner : struct, ITimerOwner, allows ref struct
    {
        int timer = _lists[DueList] - 1;
        TimerNode* node = Node(timer);
        if (PrefetchNext(node))
            owner.Prefetch(node->Next - 1);
        Unlink(node);
        long armed = Whole(node->Deadline);
        long deadline = Math.Max(TickOf(owner.DeadlineOf(timer, armed << _shift)), armed);
        if (deadline >= _tick)
        {
            node->Deadline = Reachable(deadline);
            Place(timer, node, node->Deadline);
            return;
        }
        Count--;
        owner.Expired(timer);
    }

    private bool PrefetchNext(TimerNode* node)
    {
        if (!Sse.IsSupported || node->Next == 0)
            return false;
        Sse.Prefetch0(Node(node->Next - 1));
        return true;
    }
}
