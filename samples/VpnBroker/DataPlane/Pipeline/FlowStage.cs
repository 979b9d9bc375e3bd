using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Policy;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Policy;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// Between routing and output: finds the session of every packet of a burst, side by side, asks the policy about new ones, follows TCP, and
/// counts what goes on. Each packet is counted once, on its session's home lcore.
/// </summary>
/// <remarks>
/// A session with a user has that user's lcore as its home; between users of two lcores, that of the user with the smaller address, so that
/// both directions choose the same. A session without users has one where a policy needs it; a packet then goes by its home lcore.
/// </remarks>
internal sealed unsafe class FlowStage : IDisposable
{
    private readonly LcoreContext _context;
    private readonly FlowLedger _ledger;
    private readonly TunnelTable _tunnels;
    private readonly FlowPolicy _policy;
    private readonly EspPairs _pairs;
    private readonly PeerStage _peers;
    private readonly FlowPaths _paths;
    private SessionKey* _keys;
    private SessionPacket* _packets;
    private RoutedPacket** _entries;
    private int* _indexes;
    private bool* _added;
    private int _count;
    private long _nextDate;

    public FlowStage(LcoreContext context, FlowLedger ledger, TunnelTable tunnels, EspPairs pairs, PeerStage peers)
    {
        _peers = peers;
        _pairs = pairs;
        _context = context;
        _ledger = ledger;
        _tunnels = tunnels;
        _paths = new FlowPaths(tunnels, pairs);
        _policy = new FlowPolicy(context);
        _keys = (SessionKey*)NativeMemory.AlignedAlloc(RouteBurst.Capacity * (nuint)sizeof(SessionKey), 64);
        _packets = (SessionPacket*)NativeMemory.AlignedAlloc(RouteBurst.Capacity * (nuint)sizeof(SessionPacket), 64);
        _entries = (RoutedPacket**)NativeMemory.Alloc(RouteBurst.Capacity, (nuint)sizeof(RoutedPacket*));
        _indexes = (int*)NativeMemory.Alloc(RouteBurst.Capacity, sizeof(int));
        _added = (bool*)NativeMemory.Alloc(RouteBurst.Capacity, sizeof(bool));
    }

    /// <summary>Whether sessions are to be copied for a reader.</summary>
    public bool HasPendingWork => _ledger.Reader.HasPendingWork;

    /// <summary>When sessions come to their end, in nanoseconds.</summary>
    public long NextDeadline => _ledger.NextDeadline;

    /// <summary>Ends sessions whose time has come, or whose tunnels have ended: a bounded part.</summary>
    public void Age()
    {
        if (_context.Now >= _nextDate)
        {
            _nextDate = _context.Now + 1_000_000_000;
            _ledger.RefreshDate(DateTime.UtcNow.Ticks, _context.Now);
        }
        var check = new FlowTunnelCheck(_context, _tunnels, _pairs);
        _ledger.Age(ref check);
        _ledger.Reader.Run(_context.Now);
    }

    /// <summary>Adds a packet that has a way: the next <see cref="LookUp"/> finds its session, if this lcore is its home.</summary>
    // Sound: a burst has no more packets than there is room for, and its entries stay where they are until it is cleared.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ref RoutedPacket entry)
    {
        if (entry.IsCounted)
            return;
        SessionKey* key = _keys + _count;
        SessionPacket* packet = _packets + _count;
        // A checked packet: this cannot fail.
        SessionParser.TryParse(entry.Packet->Data, entry.Packet->Length, out *key, out *packet);
        const SessionPacketFlags special =
            SessionPacketFlags.FirstFragment | SessionPacketFlags.LaterFragment | SessionPacketFlags.IcmpError | SessionPacketFlags.UnsafeFragment;
        bool isElsewhere = _context.HandOverTo.Length > 1 && IsElsewhere(ref entry, key, packet);
        if (isElsewhere || ((packet->Flags & special) != 0 && !TryRelate(ref entry, key, packet)))
            return;
        _entries[_count++] = (RoutedPacket*)Unsafe.AsPointer(ref entry);
    }

    /// <summary>Finds the sessions, or begins them, and drops what the policy does not let pass.</summary>
    public void LookUp()
    {
        if (_count == 0)
            return;
        _ledger.Table.FindOrAdd(new ReadOnlySpan<SessionKey>(_keys, _count), new Span<int>(_indexes, _count), new Span<bool>(_added, _count));
        uint generation = _policy.Generation;
        bool limited = false, hasPeers = _context.Forwarding->HasPeers;
        for (int i = 0; i < _count; i++)
        {
            RoutedPacket* entry = _entries[i];
            int index = _indexes[i];
            if (index < 0)
            {
                Untracked(entry);
                continue;
            }
            SessionState* session = _ledger.Table.State(index);
            SessionPacket* packet = _packets + i;
            bool begins = _added[i];
            if (begins)
                _ledger.Begin(index, session, *packet);
            session->LastPacket = _context.Now;
            entry->IsReverse = session->IsReverse(packet->IsFromUpper);
            // An error about a session is no answer in it, and may come from anywhere.
            bool isAbout = (packet->Flags & SessionPacketFlags.IcmpError) != 0 && !begins;
            if (entry->Shared.Kind != RouteKind.None)
                _peers.Follow(ref *entry, entry->IsReverse ? session->Ingress : session->Egress);
            uint from = _paths.From(entry), to = _paths.To(entry);
            if (hasPeers)
                from = _peers.FromOf(session, *entry, from);
            if (!begins && !isAbout && _paths.IsOthers(session, entry, from, to))
            {
                _ledger.BeginAgain(index, session, *packet);
                entry->IsReverse = false;
                begins = true;
            }
            if ((packet->Flags & SessionPacketFlags.Tcp) != 0)
                begins |= Follow(index, session, packet, entry);
            if (!isAbout)
                _paths.Note(session, entry, from, to);
            if (session->PolicyGeneration != generation)
                Decide(i, index, session);
            // The flags are in a line that is here by now, the subject is not.
            if ((session->Flags & (SessionFlags.HasSubject | SessionFlags.CountedForUser)) == SessionFlags.HasSubject)
                limited |= !TryCountForUser(session);
            if (begins)
                _ledger.ReportStart(index, session);
            if (generation != 0)
                _context.RuleCounters.CountPacket(session->RuleId, entry->Inner.Length);
            if ((session->Flags & (SessionFlags.Denied | SessionFlags.Ending)) != 0)
                Deny(session, entry);
            else
                Keep(entry, session, index);
        }
        if (limited)
            EndLimited();
        _ledger.Trim();
        _count = 0;
    }

    /// <summary>Counts a packet, or its drop, in its session.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Account(in RoutedPacket entry, DropReason reason)
    {
        if (reason == DropReason.None)
            entry.Session->Account(entry.IsReverse, entry.Inner.Length);
        else
            entry.Session->Drop(entry.IsReverse, (ushort)reason);
    }

    /// <summary>The session of the user whom an answer is for; 0 for no user.</summary>
    public static ulong OwnerOf(in RoutedPacket entry) =>
        entry.IsReverse && entry.Session->IngressKind == FlowTunnelKind.User ? entry.Session->IngressId : 0;

    /// <summary>Notes beside a packet that goes to its home lcore what that one cannot tell: where it came from.</summary>
    public void Describe(in RoutedPacket entry)
    {
        PacketMeta* meta = PacketMeta.Of(entry.Packet);
        _paths.Ingress(entry, out FlowTunnelKind kind, out ulong id, out uint subject);
        meta->IngressKind = kind;
        meta->IngressId = id;
        meta->Subject = subject;
        // What no session counts (an error of the broker's own, or no room for one) is not to be counted by the next lcore either.
        if (entry.IsCounted)
            meta->IngressId = 0;
        meta->Kind = entry.IsCounted ? HandOverKind.Counted : HandOverKind.Inner;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_keys);
        NativeMemory.AlignedFree(_packets);
        NativeMemory.Free(_entries);
        NativeMemory.Free(_indexes);
        NativeMemory.Free(_added);
        _keys = null;
        _packets = null;
        _entries = null;
        _indexes = null;
        _added = null;
    }

    /// <summary>Whether another lcore is the session's home: the packet goes there then, not counted here.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsElsewhere(ref RoutedPacket entry, SessionKey* key, SessionPacket* packet)
    {
        // It was sent here because this is its session's home.
        if (entry.Origin.Kind == RouteKind.Lcore)
            return false;
        bool isForUser = entry.Way == RouteWay.User || entry.Destination.Kind == RouteKind.Users;
        bool isForOther = entry.Way == RouteWay.Lcore && isForUser;
        if (entry.Sender >= 0 || (entry.Origin.Kind == RouteKind.Esp && _pairs.UserOf(entry.Origin.Index)->SessionId != 0))
            return isForOther && (packet->Flags & SessionPacketFlags.FromUpper) != 0;
        if (isForUser)
            return isForOther;
        if (!_ledger.HomesForAll)
            // Where it leaves, it is counted; but where it comes in, if that is where a peer is chosen for its session.
            return entry.Way == RouteWay.Lcore && entry.Shared.Kind == RouteKind.None;
        // Of an error the session that it is about.
        uint hash = (packet->Flags & SessionPacketFlags.IcmpError) != 0
            && SessionParser.TryParseQuoted(entry.Packet->Data, *packet, out SessionKey quoted, out _) ? quoted.PairHash() : key->PairHash();
        int home = (int)(hash % (uint)_context.HandOverTo.Length);
        if (home == _context.Index)
            return false;
        entry.Way = RouteWay.Lcore;
        entry.Target = home;
        return true;
    }

    /// <summary>Fragments without ports are their first one's session's, ICMP errors the session's that they are about.</summary>
    /// <returns>False when the packet was dropped.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryRelate(ref RoutedPacket entry, SessionKey* key, SessionPacket* packet)
    {
        if ((packet->Flags & SessionPacketFlags.UnsafeFragment) != 0)
        {
            entry.Way = RouteWay.None;
            _context.Drop(entry.Packet, DropReason.UnsafeFragment);
            return false;
        }
        if ((packet->Flags & SessionPacketFlags.FirstFragment) != 0)
            _ledger.Fragments.Note(*key, *packet, _context.Now);
        else if ((packet->Flags & SessionPacketFlags.LaterFragment) != 0)
            _ledger.Fragments.TryFind(ref *key, ref *packet, _context.Now);
        else if (SessionParser.TryParseQuoted(entry.Packet->Data, *packet, out SessionKey quoted, out bool isFromUpper) && _ledger.Table.Find(quoted) >= 0)
        {
            *key = quoted;
            packet->Flags = isFromUpper ? packet->Flags | SessionPacketFlags.FromUpper : packet->Flags & ~SessionPacketFlags.FromUpper;
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Decide(int place, int index, SessionState* session)
    {
        bool wasDenied = (session->Flags & SessionFlags.Denied) != 0;
        _policy.Decide(_keys[place], session);
        bool isDenied = (session->Flags & SessionFlags.Denied) != 0;
        if (isDenied != wasDenied)
            _ledger.NoteVerdict(index, session, isDenied);
    }

    /// <returns>Whether it begins a connection of the ports of one that has ended.</returns>
    private bool Follow(int index, SessionState* session, SessionPacket* packet, RoutedPacket* entry)
    {
        bool begins = TcpTracker.IsNewConnection(session->Tcp, packet->TcpFlags);
        if (begins)
        {
            _ledger.BeginAgain(index, session, *packet);
            entry->IsReverse = false;
        }
        if (entry->IsReverse)
            session->ReverseTcpFlags |= packet->TcpFlags;
        else
            session->ForwardTcpFlags |= packet->TcpFlags;
        // Sound: the parser has seen a whole header of 20 bytes at this place.
        if (TcpTracker.Take(session, entry->Packet->Data + packet->UpperOffset, packet->UpperLength, entry->IsReverse)
            && session->Tcp > TcpState.Established)
        {
            _ledger.Arm(index, session);
        }
        return begins;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(RoutedPacket* entry, SessionState* session, int index)
    {
        entry->Session = session;
        entry->SessionIndex = index;
    }

    /// <summary>No room for its session: what must be known to pass is dropped.</summary>
    private void Untracked(RoutedPacket* entry)
    {
        _ledger.Ignore(entry->Inner.Length);
        entry->IsCounted = true;
        if (_context.Policy == null)
            return;
        entry->Way = RouteWay.None;
        DropFrom(entry, DropReason.FlowTableFull);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Deny(SessionState* session, RoutedPacket* entry)
    {
        DropReason reason = (session->Flags & SessionFlags.Ending) != 0 ? DropReason.UserFlowLimit : DropReason.PolicyDenied;
        session->Drop(entry->IsReverse, (ushort)reason);
        entry->Way = RouteWay.None;
        // Who began it is told, and nobody else: an error about the initiator's packets goes to the initiator.
        if ((session->Flags & (SessionFlags.Rejected | SessionFlags.Ending)) == SessionFlags.Rejected && !entry->IsReverse)
            entry->Way = RouteWay.Rejected;
        else
            DropFrom(entry, reason);
    }

    /// <summary>Counts a new session among its user's.</summary>
    /// <returns>False when the user may not begin it: it is to end with the burst.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryCountForUser(SessionState* session)
    {
        if (_context.UserFlows.TryOpen(session->Subject, _context.Now) == FlowAdmission.Granted)
        {
            session->Flags |= SessionFlags.CountedForUser;
            return true;
        }
        session->Flags |= SessionFlags.Ending;
        return false;
    }

    /// <summary>Takes sessions out of the table that their users may not have, so that they do not fill it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EndLimited()
    {
        for (int i = 0; i < _count; i++)
        {
            int index = _indexes[i];
            if (index >= 0 && _ledger.Table.IsUsed(index) && (_ledger.Table.State(index)->Flags & SessionFlags.Ending) != 0)
                _ledger.End(index, FlowEndReason.LackOfResources);
        }
    }

    private void DropFrom(RoutedPacket* entry, DropReason reason)
    {
        if (entry->Sender >= 0)
            _tunnels.Drop(entry->Sender, entry->Packet, reason);
        else
            _context.Drop(entry->Packet, reason);
    }
}
