using CryptoPlane.Flows;
using CryptoPlane.Flows.Sessions;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Policy;

namespace VpnBroker.DataPlane.Flows;

/// <summary>The sessions of one lcore: their table, their times, and the records about them. Made on a control thread, the lcore's from then on.</summary>
internal sealed unsafe class FlowLedger : IFlowEvictions, IDisposable
{
    /// <summary>Timers that a turn looks at: some 10 µs.</summary>
    private const int TimersPerTurn = 256;

    /// <summary>Entries that a turn looks at when tunnels have ended.</summary>
    private const int SweepPerTurn = 512;

    /// <summary>How long a reader whose ring is full is left alone, in nanoseconds.</summary>
    private const long ReaderPatience = 1_000_000;

    /// <summary>Of the sessions that there can be, the policy may deny this part, and so many at least, before the oldest go.</summary>
    private const int DeniedPart = 16, LeastDenied = 256;

    /// <summary>How often the table is asked for a session that may go, for each that must.</summary>
    private const int EvictionTries = 16;

    private const int LcoreShift = 56;

    private readonly FlowSettings _settings;
    private readonly SessionTimeouts _timeouts;
    private readonly TimerWheel _wheel;
    private readonly FlowCounters* _counters;
    private readonly int _lcore;
    private readonly DeniedFlows _denied;
    private readonly bool _evicts;
    private int _deniedCount;
    private bool _sparesDenied;
    private long _now;
    private long _nextAging;
    private ulong _lastId;
    private int _sweepAt;
    private int _sweepLeft;

    /// <summary>Takes the memory.</summary>
    /// <param name="lcore">The lcore's number.</param>
    /// <param name="settings">How sessions are kept.</param>
    /// <param name="counters">Where the lcore counts.</param>
    /// <param name="now">The lcore's clock, or a time before it begins.</param>
    public FlowLedger(int lcore, FlowSettings settings, FlowCounters* counters, long now)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _lcore = lcore;
        _settings = settings;
        _timeouts = settings.Timeouts;
        _counters = counters;
        _now = now;
        _denied = new DeniedFlows(Math.Max(LeastDenied, settings.Maximum / DeniedPart), RouteBurst.Capacity);
        _evicts = settings.WhenFull == WhenFull.EvictOldestIdle;
        // A session has its entry before the policy is asked. So denied ones, and a burst of those that nobody has judged yet, lie in a
        // room of their own: the others make room only for sessions that pass.
        int room = settings.Maximum + (_evicts ? _denied.Share + RouteBurst.Capacity : 0);
        Table = new FlowTable<SessionKey, SessionState>(new FlowTableOptions
        {
            MaximumFlows = room, InitialCapacity = Math.Min(settings.Initial, settings.Maximum), WhenFull = settings.WhenFull,
        }) { Evictions = this };
        // All of its memory at once, 16 bytes a session: a session without a timer would never end.
        _wheel = new TimerWheel(room, now, initialTimers: room);
        Reader = new FlowReader(lcore, Table);
        Fragments = new FragmentTable(settings.Fragments, settings.FragmentLifetime, (ulong)Random.Shared.NextInt64());
        Records = settings.Records == 0 ? null : new FlowRecordRing(lcore, settings.Records);
        counters->Maximum = settings.Maximum;
        RefreshDate(DateTime.UtcNow.Ticks, now);
    }

    /// <summary>The sessions.</summary>
    public FlowTable<SessionKey, SessionState> Table { get; }

    /// <summary>Which sessions fragments are of.</summary>
    public FragmentTable Fragments { get; }

    /// <summary>Where records go; null where nobody reads them. Their reader frees it.</summary>
    public FlowRecordRing? Records { get; }

    /// <summary>Where users' sessions are counted; null where they are not.</summary>
    public UserFlows? Users { get; init; }

    /// <summary>Shows sessions to a control thread.</summary>
    public FlowReader Reader { get; }

    /// <summary>Whether sessions without a user have a home lcore too.</summary>
    public bool HomesForAll => _settings.HomesForAll;

    /// <summary>What makes nanoseconds since 1970 of the lcore's clock.</summary>
    public long ToUnix { get; private set; }

    /// <summary>When <see cref="Age"/> has something to do, in nanoseconds.</summary>
    public long NextDeadline => _sweepLeft > 0 ? _now
        : Math.Min(Reader.IsReading ? _now + ReaderPatience : long.MaxValue, Math.Max(_wheel.NextDeadline, _nextAging));

    /// <summary>Begins a turn.</summary>
    public void SetClock(long now) => _now = now;

    /// <summary>Compares the date with the lcore's clock: the date may be set while the lcore runs.</summary>
    /// <param name="utcTicks">The date (UTC), as <see cref="DateTime.Ticks"/>.</param>
    /// <param name="now">The lcore's clock at that moment.</param>
    public void RefreshDate(long utcTicks, long now) => ToUnix = ((utcTicks - DateTime.UnixEpoch.Ticks) * 100) - now;

    /// <summary>Begins a session in an entry that was added for it.</summary>
    public void Begin(int index, SessionState* session, in SessionPacket packet)
    {
        session->Begin(packet, ((ulong)_lcore << LcoreShift) | ++_lastId, _now);
        session->NextRecord = Records == null ? long.MaxValue : _now + _settings.ActiveTimeout;
        _counters->Begun++;
        _counters->Active = Table.Count;
        Arm(index, session);
    }

    /// <summary>Begins another session with the same key: a TCP connection of the same ports.</summary>
    public void BeginAgain(int index, SessionState* session, in SessionPacket packet)
    {
        Report(Table.Key(index), session, FlowEndReason.EndOfFlow);
        Leave(session);
        Begin(index, session, packet);
    }

    /// <summary>Says that a session has begun, if anybody wants to know: once its path and the policy's verdict are known.</summary>
    public void ReportStart(int index, SessionState* session)
    {
        if (!_settings.StartRecords || Records == null)
            return;
        session->RecordStart(Table.Key(index), ToUnix, (byte)_lcore, out FlowRecord record);
        Enqueue(Records, record);
    }

    /// <summary>A packet is in no session, since there was no room for one.</summary>
    public void Ignore(int length)
    {
        _counters->Untracked++;
        Records?.Ignore(length, _now + ToUnix);
    }

    /// <summary>The policy denies a session from now on, or does not any more.</summary>
    public void NoteVerdict(int index, SessionState* session, bool isDenied)
    {
        _deniedCount += isDenied ? 1 : -1;
        _counters->Denied = _deniedCount;
        if (isDenied)
            _denied.Add(index, session->FlowId);
    }

    /// <summary>
    /// Behind a burst, whose sessions are all judged: ends the oldest of too many denied ones, and makes room for those that pass.
    /// </summary>
    public void Trim()
    {
        if (_denied.IsOver || (_evicts && Table.Count - _deniedCount > _settings.Maximum))
            TrimNow();
    }

    /// <summary>Gives a session its time anew, where it has become shorter: longer ones are noticed when the shorter one comes due.</summary>
    public void Arm(int index, SessionState* session) => _wheel.Arm(index, Deadline(Table.Key(index), session));

    /// <summary>Tunnels have ended, or routes have changed: <see cref="Age"/> looks at every session, a part in each turn.</summary>
    public void SweepSoon() => _sweepLeft = Table.EndIndex;

    /// <summary>Ends what has come to its end, and reports what goes on for long; a bounded part in each turn.</summary>
    /// <param name="check">Says which sessions' tunnels exist.</param>
    public void Age<TCheck>(ref TCheck check)
        where TCheck : struct, IFlowCheck
    {
        if (_sweepLeft > 0)
            Sweep(ref check);
        if (_now < _nextAging)
            return;
        var aging = new Aging(this);
        // What the budget did not suffice for goes on in the next turn.
        bool more = _wheel.Expire(_now, TimersPerTurn, ref aging) >= TimersPerTurn;
        _nextAging = more ? _now : _now + _wheel.Tick;
        Table.Maintain(1);
    }

    /// <summary>A packet was dropped behind routing: in its session, if that goes on, it counts as dropped and not as one that went on.</summary>
    /// <param name="mark">What was noted when the session counted the packet.</param>
    /// <param name="length">The bytes that it counted.</param>
    /// <param name="reason">Why it was dropped.</param>
    public void TakeBack(FlowMark mark, int length, DropReason reason)
    {
        if (mark.IsNone || !Table.IsUsed(mark.Index))
            return;
        SessionState* session = Table.State(mark.Index);
        if (mark.IsOf(*session))
            session->TakeBack(mark.IsReverse, length, (ushort)reason);
    }

    /// <summary>Ends a session and says so.</summary>
    public void End(int index, FlowEndReason reason)
    {
        SessionState* session = Table.State(index);
        Report(Table.Key(index), session, reason);
        Leave(session);
        _wheel.Disarm(index);
        Table.RemoveAt(index);
        _counters->Active = Table.Count;
    }

    /// <summary>Ends all sessions: the lcore stops.</summary>
    public void EndAll()
    {
        for (int index = 0; index < Table.EndIndex; index++)
        {
            if (Table.IsUsed(index))
                End(index, FlowEndReason.Forced);
        }
    }

    /// <inheritdoc/>
    public void Evicting(int index)
    {
        _counters->Evicted++;
        Report(Table.Key(index), Table.State(index), FlowEndReason.LackOfResources);
        Leave(Table.State(index));
        _wheel.Disarm(index);
    }

    /// <inheritdoc/>
    public bool Spares(int index) => _sparesDenied && (Table.State(index)->Flags & SessionFlags.Denied) != 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        _denied.Dispose();
        Table.Dispose();
        _wheel.Dispose();
        Fragments.Dispose();
        Reader.Dispose();
    }

    private void TrimNow()
    {
        while (_denied.TryTakeOldest(out int index, out ulong flowId))
        {
            if (!Table.IsUsed(index))
                continue;
            SessionState* session = Table.State(index);
            if (session->FlowId != flowId || (session->Flags & SessionFlags.Denied) == 0)
                continue;
            _counters->DeniedEvicted++;
            End(index, FlowEndReason.LackOfResources);
        }
        if (!_evicts)
            return;
        // Denied sessions have their own bound: one that passes makes room for one that passes.
        _sparesDenied = true;
        for (int tries = EvictionTries * (Table.Count - _deniedCount - _settings.Maximum); tries > 0; tries--)
        {
            if (Table.Count - _deniedCount <= _settings.Maximum)
                break;
            Table.EvictOne();
        }
        _sparesDenied = false;
        _counters->Active = Table.Count;
    }

    /// <summary>A session is one of its user's no more.</summary>
    private void Leave(SessionState* session)
    {
        if ((session->Flags & SessionFlags.Denied) != 0)
            _counters->Denied = --_deniedCount;
        if ((session->Flags & SessionFlags.CountedForUser) != 0)
            Users?.Close(session->Subject);
    }

    private void Sweep<TCheck>(ref TCheck check)
        where TCheck : struct, IFlowCheck
    {
        for (int i = 0; i < SweepPerTurn && _sweepLeft > 0; i++, _sweepLeft--)
        {
            _sweepAt = _sweepAt + 1 < Table.EndIndex ? _sweepAt + 1 : 0;
            if (Table.IsUsed(_sweepAt) && !check.IsAlive(Table.Key(_sweepAt), Table.State(_sweepAt)))
                End(_sweepAt, FlowEndReason.Forced);
        }
    }

    private long Deadline(in SessionKey key, SessionState* session) => Math.Min(_timeouts.EndOf(key, *session), session->NextRecord);

    /// <summary>A session's time has come: its end, or its next record.</summary>
    private void Due(int index)
    {
        SessionState* session = Table.State(index);
        ref readonly SessionKey key = ref Table.Key(index);
        if (_timeouts.EndOf(key, *session) <= _now)
        {
            _counters->Expired++;
            bool isClosed = SessionTimeouts.TimerOf(key, *session) == SessionTimer.TcpClosed;
            bool isIdle = session->LastPacket + _timeouts.Idle(SessionTimeouts.TimerOf(key, *session)) <= _now;
            End(index, isClosed ? FlowEndReason.EndOfFlow : isIdle ? FlowEndReason.IdleTimeout : FlowEndReason.ActiveTimeout);
            return;
        }
        if (session->NextRecord <= _now)
            ReportInterim(key, session);
        Arm(index, session);
    }

    private void ReportInterim(in SessionKey key, SessionState* session)
    {
        session->NextRecord = _now + _settings.ActiveTimeout;
        // Nothing to say of a silent session; and without room the next record says it all.
        if (session->HasNews && Records!.Count < Records.Capacity)
            Report(key, session, FlowEndReason.ActiveTimeout);
    }

    private void Report(in SessionKey key, SessionState* session, FlowEndReason reason)
    {
        if (Records == null)
            return;
        session->Record(key, reason, ToUnix, (byte)_lcore, out FlowRecord record);
        Enqueue(Records, record);
    }

    private void Enqueue(FlowRecordRing records, in FlowRecord record)
    {
        if (records.TryEnqueue(record, _now + ToUnix))
            _counters->Records++;
        else
            _counters->RecordsLost++;
    }

    /// <summary>What the wheel asks: what a packet changes stays in the session, and is looked at when its time comes.</summary>
    private readonly struct Aging(FlowLedger ledger) : ITimerOwner
    {
        public long DeadlineOf(int timer, long armed) => ledger.Deadline(ledger.Table.Key(timer), ledger.Table.State(timer));

        public void Expired(int timer) => ledger.Due(timer);

        public void Prefetch(int timer) => Routing.CacheLine.Fetch(ledger.Table.State(timer));
    }
}

/// <summary>Says whether the tunnels of a session exist.</summary>
internal unsafe interface IFlowCheck
{
    /// <summary>False when it is to end.</summary>
    bool IsAlive(in SessionKey key, SessionState* session);
}
