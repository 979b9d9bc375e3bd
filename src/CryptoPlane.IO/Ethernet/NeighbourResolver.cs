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

    private readonly NextHops _hops;
    private readonly ulong _mac;
    private readonly PacketPool _pool;
    private readonly IPacketPort _frames;
    private readonly EthernetCounters* _counters;
    private readonly NeighbourTable _table;
    private readonly List<SpscRing<NeighbourUpdate>> _toOthers = [], _fromOthers = [];
    private long _now, _nextScan;

    public NeighbourResolver(EthernetIpOptions options, NextHops hops, ulong mac, PacketPool pool, IPacketPort frames, EthernetCounters* counters)
    {
        _hops = hops;
        _mac = mac;
        _pool = pool;
        _frames = frames;
        _counters = counters;
        _table = new NeighbourTable(options.Neighbours);
    }

    /// <summary>Neighbours in the table.</summary>
    public int Count => _table.Count;

    /// <summary>Makes the ring by which this port tells another what it learns. Control thread, before the lcores run.</summary>
    public void TellTo(NeighbourResolver other)
    {
        var ring = new SpscRing<NeighbourUpdate>(256);
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
            if (!_hops.IsNeighbour(in hop))
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
        if (neighbour->Queued == Neighbour.QueueSize)
            return false;
        Neighbour.Queue(neighbour)[neighbour->Queued++] = packet;
        _counters->Waited++;
        return true;
    }

    /// <summary>Learns from an ARP message.</summary>
    public void Learn(in Arp.Message message)
    {
        if (message.SenderMac == _mac || !_hops.IsNeighbour(in message.Sender))
            return;
        if (message.IsReply)
        {
            Confirm(in message.Sender, message.SenderMac);
            Tell(in message.Sender, message.SenderMac);
        }
        else
        {
            // RFC 826: who asks for us will be sent to soon.
            Notice(in message.Sender, message.SenderMac, create: _hops.IsOwn(in message.Target));
        }
    }

    /// <summary>Learns from a solicitation or an advertisement (RFC 4861 §7.2.3, §7.2.5).</summary>
    public void Learn(in NeighbourDiscovery.Message message)
    {
        if (message.Mac == _mac)
            return;
        if (!message.IsAdvertisement)
        {
            if (message.Mac != 0 && _hops.IsNeighbour(in message.Source))
                Notice(in message.Source, message.Mac, create: _hops.IsOwn(in message.Target));
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
                NeighbourTable.Learn(entry, entry->Mac, _mac, confirmed: false, _now);
            return;
        }
        if (message.IsSolicited)
        {
            Confirm(in message.Target, mac);
            Tell(in message.Target, mac);
        }
        else if (message.Mac != 0)
        {
            Notice(in message.Target, mac, create: false);
        }
    }

    /// <summary>Does what is due.</summary>
    public void Tick(long now)
    {
        _now = now;
        foreach (SpscRing<NeighbourUpdate> ring in _fromOthers)
        {
            while (ring.TryDequeue(out NeighbourUpdate update))
                Confirm(in update.Address, update.Mac);
        }
        if (now < _nextScan)
            return;
        _nextScan = now + ScanInterval;
        for (int i = 0; i < _table.Capacity; i++)
        {
            Neighbour* entry = _table[i];
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
        Neighbour* entry = _table.Add(in address, _now);
        if (entry != null)
            return entry;
        Neighbour* oldest = _table.Oldest();
        // A neighbour that was used within the last second stays: who invents destinations does not drive it out.
        if (oldest == null || _now - oldest->LastUsed < NeighbourTable.RetransmitTime)
            return null;
        _table.Remove(oldest);
        return _table.Add(in address, _now);
    }

    /// <summary>An answer, or another lcore's: only what we have asked for is of interest.</summary>
    private void Confirm(in LinkAddress address, ulong mac)
    {
        Neighbour* entry = _table.Find(in address);
        if (entry == null)
            return;
        NeighbourTable.Learn(entry, mac, _mac, confirmed: true, _now);
        Flush(entry);
    }

    /// <summary>A neighbour spoke of itself without being asked: its address is used, and checked by asking.</summary>
    private void Notice(in LinkAddress address, ulong mac, bool create)
    {
        Neighbour* entry = _table.Find(in address);
        if (entry == null)
        {
            // Half of the table is for neighbours that we send to ourselves.
            if (!create || _table.Count >= _table.Capacity / 2)
                return;
            entry = _table.Add(in address, _now);
        }
        else if (entry->IsUsable && entry->Mac == mac)
        {
            return;
        }
        NeighbourTable.Learn(entry, mac, _mac, confirmed: false, _now);
        Flush(entry);
    }

    private void Tell(in LinkAddress address, ulong mac)
    {
        var update = new NeighbourUpdate { Address = address, Mac = mac };
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
                NeighbourTable.Learn(entry, entry->Mac, _mac, confirmed: false, _now);
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
        entry->Queued = 0;
    }

    private void Drop(PacketBuffer* packet, EthernetDrop reason)
    {
        _counters->Add(reason);
        _pool.Return(packet);
    }
}
