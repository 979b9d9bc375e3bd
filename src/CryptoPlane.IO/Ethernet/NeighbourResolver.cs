using CryptoPlane.Buffers;
using CryptoPlane.Lcores;
using CryptoPlane.Ports;

namespace CryptoPlane.IO.Ethernet;

/// <summary>
/// Keeps the neighbours of one lcore's port: asks for them by ARP and neighbour discovery, learns from answers, holds packets that wait,
/// and tells the other lcores' ports what came to this one's queue.
/// </summary>
internal sealed unsafe class NeighbourResolver : IDisposable
{
    // Timers are in seconds: looking ten times a second is enough.
    private const long ScanInterval = 100_000_000;

    // Entries of the table that one turn looks at, and updates of another lcore that it takes.
    private const int EntriesPerTurn = 1024, UpdatesPerTurn = 64, RingSize = 256;

    // RFC 5227 §2.4 (c): DEFEND_INTERVAL.
    private const long DefendInterval = 10_000_000_000;

    private readonly NextHops _hops;
    private readonly ulong _mac;
    private readonly PacketPool _pool;
    private readonly IPacketPort _frames;
    private readonly EthernetCounters* _counters;
    private readonly NeighbourTable _table;
    private readonly List<SpscRing<NeighbourUpdate>> _toOthers = [], _fromOthers = [];
    private readonly int _waitingLimit;
    private long _now, _nextScan, _nextDefence;
    private int _scanned, _waiting;

    public NeighbourResolver(EthernetIpOptions options, NextHops hops, ulong mac, PacketPool pool, IPacketPort frames, EthernetCounters* counters)
    {
        _hops = hops;
        _mac = mac;
        _pool = pool;
        _frames = frames;
        _counters = counters;
        _table = new NeighbourTable(options.Neighbours);
        _scanned = options.Neighbours;
        // Who sends to addresses where nobody is must not make all of the lcore's buffers wait.
        _waitingLimit = Math.Max(Neighbour.QueueSize, pool.Count / 8);
    }

    /// <summary>Neighbours in the table.</summary>
    public int Count => _table.Count;

    /// <summary>Makes the ring by which this port tells another what it learns. Control thread, before the lcores run.</summary>
    public void TellTo(NeighbourResolver other)
    {
        var ring = new SpscRing<NeighbourUpdate>(RingSize);
        _toOthers.Add(ring);
        other._fromOthers.Add(ring);
    }

    /// <summary>Finds the neighbour that a packet goes to; asks for it if it is not known.</summary>
    /// <param name="destination">The packet's destination.</param>
    /// <param name="neighbour">The entry; packets may be sent if it is usable, else they may wait in it.</param>
    public EthernetDrop Resolve(in LinkAddress destination, out Neighbour* neighbour)
    {
        neighbour = null;
        if (!_hops.TryFind(in destination, out LinkAddress hop))
            return EthernetDrop.NoRoute;
        neighbour = _table.Find(in hop);
        if (neighbour == null)
        {
            // Never our own address: nothing that is forged can make us send to ourselves.
            if (!_hops.IsNeighbour(in hop) || !_hops.TrySource(in hop, out _))
                return EthernetDrop.NoRoute;
            neighbour = Add(in hop);
            if (neighbour == null)
                return EthernetDrop.NeighbourTableFull;
            Ask(neighbour);
        }
        neighbour->LastUsed = _now;
        if (neighbour->State == NeighbourState.Stale)
        {
            neighbour->State = NeighbourState.Probe;
            Ask(neighbour);
        }
        return neighbour->State == NeighbourState.Failed ? EthernetDrop.Unresolved : EthernetDrop.None;
    }

    /// <summary>Lets a packet wait for its neighbour; false if too many do.</summary>
    public bool TryQueue(Neighbour* neighbour, PacketBuffer* packet)
    {
        if (neighbour->Queued == Neighbour.QueueSize || (_waiting >= _waitingLimit && !neighbour->IsGateway))
            return false;
        _waiting++;
        Neighbour.Queue(neighbour)[neighbour->Queued++] = packet;
        _counters->Waited++;
        return true;
    }

    /// <summary>Learns from an ARP message.</summary>
    public void Learn(in Arp.Message message)
    {
        if (message.SenderMac == _mac)
            return;
        if (_hops.IsOwn(in message.Sender))
        {
            Defend();
            return;
        }
        if (!_hops.IsNeighbour(in message.Sender))
            return;
        // A reply that is not for us is an announcement (RFC 5227 §3), and answers nothing.
        bool toUs = _hops.IsOwn(in message.Target);
        if (message.IsReply && toUs)
            Confirm(in message.Sender, message.SenderMac);
        else
            Notice(in message.Sender, message.SenderMac, create: toUs && !message.IsReply); // RFC 826: who asks for us will be sent to soon.
        Tell(in message.Sender, message.SenderMac, isConfirmed: message.IsReply && toUs);
    }

    /// <summary>Learns from a solicitation or an advertisement (RFC 4861 §7.2.3, §7.2.5).</summary>
    public void Learn(in NeighbourDiscovery.Message message)
    {
        if (message.Mac == _mac)
            return;
        // RFC 4862 §5.4.3, §5.4.4: what another station says from our address, or about it. IPv6 has no defence.
        if (_hops.IsOwn(message.IsAdvertisement ? message.Target : message.Source))
        {
            _counters->AddressConflicts++;
            return;
        }
        if (!message.IsAdvertisement)
        {
            // RFC 4861 §7.2.3: only who asks for us is of interest.
            if (message.Mac == 0 || !_hops.IsOwn(in message.Target) || !_hops.IsNeighbour(in message.Source))
                return;
            Notice(in message.Source, message.Mac, create: true);
            Tell(in message.Source, message.Mac, isConfirmed: false);
            return;
        }
        if (!_hops.IsNeighbour(in message.Target))
            return;
        Neighbour* entry = _table.Find(in message.Target);
        ulong mac = message.Mac;
        if (mac == 0 && entry != null && entry->IsUsable)
            mac = entry->Mac;
        if (mac == 0)
            return;
        // Without the override flag, another address is not believed over the one that is known.
        if (entry != null && entry->IsUsable && mac != entry->Mac && !message.IsOverride)
        {
            if (entry->State == NeighbourState.Reachable)
                _table.Learn(entry, entry->Mac, _mac, confirmed: false, _now);
            return;
        }
        if (message.IsSolicited)
            Confirm(in message.Target, mac);
        else
            Notice(in message.Target, mac, create: false);
        Tell(in message.Target, mac, message.IsSolicited);
    }

    /// <summary>Does what is due.</summary>
    public void Tick(long now)
    {
        _now = now;
        foreach (SpscRing<NeighbourUpdate> ring in _fromOthers)
        {
            for (int i = 0; i < UpdatesPerTurn && ring.TryDequeue(out NeighbourUpdate update); i++)
            {
                if (update.IsConfirmed)
                    Confirm(in update.Address, update.Mac);
                else
                    Notice(in update.Address, update.Mac, create: false);
            }
        }
        // A table that is longer than a turn's part is looked through by several turns, all of it before the next round.
        if (now >= _nextScan && _scanned == _table.Capacity)
        {
            _nextScan = now + ScanInterval;
            _scanned = 0;
        }
        for (int end = Math.Min(_scanned + EntriesPerTurn, _table.Capacity); _scanned < end; _scanned++)
        {
            Neighbour* entry = _table[_scanned];
            if (entry->State != NeighbourState.Free && now >= entry->Due)
                DoDue(entry);
        }
    }

    /// <summary>Tells the link where our addresses are (RFC 5227 §3, RFC 4861 §7.2.6): after a start, or when another took over from us.</summary>
    public void Announce()
    {
        foreach (LinkAddress own in _hops.Own)
        {
            if (!TryRent(out PacketBuffer* frame))
                return;
            if (own.IsIPv4)
            {
                frame->TrySetLength(EthernetFrame.HeaderSize + Arp.Size);
                Arp.Write(frame->Data, Arp.Request, EthernetFrame.Broadcast, _mac, own, 0, own);
            }
            else
            {
                LinkAddress all = NeighbourDiscovery.AllNodes();
                frame->TrySetLength(EthernetFrame.HeaderSize + NeighbourDiscovery.Size);
                NeighbourDiscovery.WriteAdvertisement(frame->Data, EthernetFrame.MulticastIPv6((byte*)&all), _mac, own, all, solicited: false);
            }
            Send(frame);
        }
    }

    /// <summary>Sends a frame that this port made.</summary>
    public void Send(PacketBuffer* frame)
    {
        if (_frames.Transmit(&frame, 1) == 1)
        {
            _counters->OwnMessages++;
            return;
        }
        _counters->Add(EthernetDrop.PortFull);
        _pool.Return(frame);
    }

    /// <summary>Gives waiting packets back; the lcore has stopped.</summary>
    public void Dispose()
    {
        for (int i = 0; i < _table.Capacity; i++)
            DropQueue(_table[i]);
        foreach (SpscRing<NeighbourUpdate> ring in _fromOthers)
            ring.Dispose();
        _table.Dispose();
    }

    private Neighbour* Add(in LinkAddress address)
    {
        bool isGateway = _hops.IsGateway(in address);
        // Who invents destinations (RFC 6583 §4) gets half of the table at most; the rest is for those who answer.
        if (!isGateway && _table.Unresolved >= _table.Capacity / 2)
            return null;
        Neighbour* entry = _table.Add(in address, isGateway, _now);
        if (entry != null)
            return entry;
        Neighbour* oldest = _table.Oldest(any: isGateway);
        // A neighbour that was used within the last second stays, unless it is a gateway that needs the place.
        if (oldest == null || (!isGateway && _now - oldest->LastUsed < NeighbourTable.RetransmitTime))
            return null;
        DropQueue(oldest);
        _table.Remove(oldest);
        return _table.Add(in address, isGateway, _now);
    }

    /// <summary>An answer, here or at another lcore. Where no question is open, it is no more than a neighbour that speaks of itself.</summary>
    private void Confirm(in LinkAddress address, ulong mac)
    {
        Neighbour* entry = _table.Find(in address);
        if (entry == null || entry->State is not (NeighbourState.Incomplete or NeighbourState.Probe))
        {
            Notice(in address, mac, create: false);
            return;
        }
        _table.Learn(entry, mac, _mac, confirmed: true, _now);
        Flush(entry);
    }

    /// <summary>A neighbour spoke of itself without being asked: its address is used, and checked by asking.</summary>
    private void Notice(in LinkAddress address, ulong mac, bool create)
    {
        Neighbour* entry = _table.Find(in address);
        if (entry == null)
        {
            // Who invents senders fills half of the table at most, with what the first question may replace.
            if (!create || _table.Count - _table.Unresolved >= _table.Capacity / 2)
                return;
            entry = _table.Add(in address, _hops.IsGateway(in address), _now);
            if (entry == null)
                return;
        }
        else if (entry->IsUsable && entry->Mac == mac)
        {
            return;
        }
        _table.Learn(entry, mac, _mac, confirmed: false, _now);
        Flush(entry);
    }

    /// <summary>Another station uses one of our addresses: ours is announced, but not in an endless fight (RFC 5227 §2.4).</summary>
    private void Defend()
    {
        _counters->AddressConflicts++;
        if (_now < _nextDefence)
            return;
        _nextDefence = _now + DefendInterval;
        Announce();
    }

    private void Tell(in LinkAddress address, ulong mac, bool isConfirmed)
    {
        var update = new NeighbourUpdate { Address = address, Mac = mac, IsConfirmed = isConfirmed };
        // A full ring loses the update; the other lcore asks again.
        foreach (SpscRing<NeighbourUpdate> ring in _toOthers)
            _ = ring.TryEnqueue(in update);
    }

    private void DoDue(Neighbour* entry)
    {
        switch (entry->State)
        {
            case NeighbourState.Incomplete when entry->Asked >= NeighbourTable.MaxQuestions:
                DropQueue(entry);
                entry->State = NeighbourState.Failed;
                entry->Due = _now + NeighbourTable.FailedTime;
                break;
            case NeighbourState.Incomplete:
            case NeighbourState.Probe when entry->Asked < NeighbourTable.MaxQuestions:
                Ask(entry);
                break;
            case NeighbourState.Reachable:
                _table.Learn(entry, entry->Mac, _mac, confirmed: false, _now);
                break;
            case NeighbourState.Stale when !NeighbourTable.IsUnused(entry, _now):
                entry->Due = _now + NeighbourTable.ReachableTime;
                break;
            default:
                _table.Remove(entry);
                break;
        }
    }

    /// <summary>Asks: everyone while the address is unknown, else the neighbour alone (RFC 4861 §7.3.3, RFC 1122 §2.3.2.1).</summary>
    private void Ask(Neighbour* entry)
    {
        entry->Asked++;
        entry->Due = _now + NeighbourTable.RetransmitTime;
        if (!_hops.TrySource(in entry->Address, out LinkAddress source) || !TryRent(out PacketBuffer* frame))
            return;
        ulong mac = entry->State == NeighbourState.Probe ? entry->Mac : 0;
        if (entry->Address.IsIPv4)
        {
            frame->TrySetLength(EthernetFrame.HeaderSize + Arp.Size);
            Arp.Write(frame->Data, Arp.Request, mac != 0 ? mac : EthernetFrame.Broadcast, _mac, source, mac, entry->Address);
        }
        else
        {
            frame->TrySetLength(EthernetFrame.HeaderSize + NeighbourDiscovery.Size);
            NeighbourDiscovery.WriteSolicitation(frame->Data, mac, _mac, source, entry->Address);
        }
        Send(frame);
    }

    private bool TryRent(out PacketBuffer* frame) => _pool.TryRent(out frame);

    /// <summary>Sends what has waited, in its order.</summary>
    private void Flush(Neighbour* entry)
    {
        PacketBuffer** queue = Neighbour.Queue(entry);
        int count = entry->Queued;
        entry->Queued = 0;
        _waiting -= count;
        for (int i = 0; i < count; i++)
        {
            int length = queue[i]->Length;
            if (!queue[i]->TryPrepend(EthernetFrame.HeaderSize))
            {
                Drop(queue[i], EthernetDrop.NoHeadroom);
                continue;
            }
            entry->WriteHeader(queue[i]->Data);
            if (_frames.Transmit(queue + i, 1) == 0)
            {
                Drop(queue[i], EthernetDrop.PortFull);
                continue;
            }
            _counters->TransmittedPackets++;
            _counters->TransmittedBytes += length;
        }
    }

    private void DropQueue(Neighbour* entry)
    {
        for (int i = 0; i < entry->Queued; i++)
            Drop(Neighbour.Queue(entry)[i], EthernetDrop.Unresolved);
        _waiting -= entry->Queued;
        entry->Queued = 0;
    }

    private void Drop(PacketBuffer* packet, EthernetDrop reason)
    {
        _counters->Add(reason);
        _pool.Return(packet);
    }
}
