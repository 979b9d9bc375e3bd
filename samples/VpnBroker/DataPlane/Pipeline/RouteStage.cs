using System.Runtime.CompilerServices;
using CryptoPlane.Buffers;
using CryptoPlane.Lcores;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// The third stage: checks an inner packet as a router does (header, source address, destination, hop limit, MTU) and puts it into the
/// queue of where it goes: a user's tunnel, an ESP tunnel, the TUN port, or another lcore.
/// </summary>
/// <remarks>
/// Packets are gathered and routed in bursts, in the order in which they came: whoever adds some calls <see cref="Flush"/> at the end.
/// </remarks>
internal sealed unsafe class RouteStage : IDisposable
{
    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private readonly EspPairs _pairs;
    private readonly OutputQueues _output;
    private readonly RouteBurst _burst;
    private readonly IcmpReporter _icmp;
    private readonly PeerStage _peers;
    private readonly FlowStage? _flows;
    private readonly QueueStage? _queues;

    public RouteStage(LcoreContext context, TunnelTable tunnels, EspPairs pairs, OutputQueues output, PeerStage peers, FlowStage? flows)
    {
        _peers = peers;
        _flows = flows;
        _queues = context.Queues;
        _context = context;
        _tunnels = tunnels;
        _pairs = pairs;
        _output = output;
        _burst = new RouteBurst(context, pairs);
        _icmp = new IcmpReporter(context);
    }

    /// <summary>Takes a packet that a user sent.</summary>
    public void FromUser(PacketBuffer* packet, int slot)
    {
        UserTunnel* tunnel = _tunnels[slot];
        RoutedPacket* entry = Add(packet, default, out DropReason reason);
        if (entry == null)
        {
            _tunnels.Drop(slot, packet, reason);
            return;
        }
        tunnel->Counters.Received(entry->Inner.Length);
        tunnel->LastPacket = _context.NowMilliseconds;
        entry->Sender = slot;
        _context.Counters->Users.Received(entry->Inner.Length);
        // A user speaks for its own addresses only.
        if (entry->Inner.Source != (entry->Inner.Source.Family == 4 ? tunnel->IPv4 : tunnel->IPv6))
        {
            _burst.TakeBack();
            _tunnels.Drop(slot, packet, DropReason.SourceAddress);
        }
        else if (_queues != null && !_queues.TryReceive(slot, entry->Inner.Length))
        {
            _burst.TakeBack();
            _tunnels.Drop(slot, packet, DropReason.Policed);
        }
    }

    /// <summary>Takes a packet that came out of an ESP tunnel.</summary>
    public void FromEsp(PacketBuffer* packet, int espTunnel)
    {
        RoutedPacket* entry = Add(packet, new RouteTarget(RouteKind.Esp, espTunnel), out DropReason reason);
        if (entry == null)
        {
            _context.Drop(packet, reason);
            return;
        }
        _context.Counters->Esp.Received(entry->Inner.Length);
        if (_queues == null || _queues.TryReceive(_queues.NodeOfEsp(espTunnel), entry->Inner.Length))
            return;
        _burst.TakeBack();
        _context.Drop(packet, DropReason.Policed);
    }

    /// <summary>Takes a packet that the kernel sent out of the TUN interface.</summary>
    public void FromTun(PacketBuffer* packet)
    {
        RoutedPacket* entry = Add(packet, new RouteTarget(RouteKind.Tun, 0), out DropReason reason);
        if (entry == null)
            _context.Drop(packet, reason);
        else
            _context.Counters->Tun.Received(entry->Inner.Length);
    }

    /// <summary>Takes a packet that another lcore checked and handed over.</summary>
    public void FromLcore(PacketBuffer* packet)
    {
        RoutedPacket* entry = Add(packet, new RouteTarget(RouteKind.Lcore, 0), out DropReason reason);
        if (entry == null)
            _context.Drop(packet, reason);
        else
            entry->IsCounted = PacketMeta.Of(packet)->Kind == HandOverKind.Counted;
    }

    /// <summary>Routes what was taken.</summary>
    public void Flush()
    {
        if (_burst.Count == 0)
            return;
        _burst.LookUp();
        for (int i = 0; i < _burst.Count; i++)
        {
            ref RoutedPacket entry = ref _burst[i];
            entry.Session = null;
            if (entry.Origin.MustProveSource && !IsSourceRight(entry))
            {
                entry.Way = RouteWay.None;
                _context.Drop(entry.Packet, DropReason.SourceAddress);
            }
            else if (TryFindWay(ref entry))
            {
                if (_flows == null)
                    Deliver(entry);
                else
                    _flows.Add(ref entry);
            }
        }
        if (_flows != null)
            DeliverSessions(_flows);
        _burst.Clear();
    }

    /// <summary>Looks up the sessions of what has a way, and sends it there.</summary>
    private void DeliverSessions(FlowStage flows)
    {
        flows.LookUp();
        for (int i = 0; i < _burst.Count; i++)
        {
            ref RoutedPacket entry = ref _burst[i];
            if (entry.Way == RouteWay.None)
                continue;
            if (entry.Way == RouteWay.Rejected)
            {
                PacketBuffer* answer = _icmp.TryReject(entry.Packet, entry.Inner);
                _context.Drop(entry.Packet, DropReason.PolicyDenied);
                Answer(answer);
                continue;
            }
            if (entry.IsCounted && entry.Way is RouteWay.User or RouteWay.Esp && !IsForOwner(entry))
            {
                _context.Drop(entry.Packet, DropReason.PolicyDenied);
                continue;
            }
            DropReason reason = Deliver(entry);
            if (entry.Session != null)
                FlowStage.Account(entry, reason);
        }
    }

    /// <summary>Whether an answer that another lcore has let pass is for the user whose address it has now, and not for one who had it before.</summary>
    private bool IsForOwner(in RoutedPacket entry)
    {
        ulong owner = entry.Origin.Kind == RouteKind.Lcore ? PacketMeta.Of(entry.Packet)->IngressId : 0;
        return owner == 0 || owner == (entry.Way == RouteWay.User ? _tunnels[entry.Target]->SessionId : _pairs.UserOf(entry.Target)->SessionId);
    }

    /// <inheritdoc/>
    public void Dispose() => _burst.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private RoutedPacket* Add(PacketBuffer* packet, RouteTarget origin, out DropReason reason)
    {
        if (_burst.Count == RouteBurst.Capacity)
            Flush();
        return _burst.TryAdd(packet, origin, out reason);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsSourceRight(in RoutedPacket entry)
    {
        // A prefix as wide as 0.0.0.0/0 holds loopback and multicast too, which are nobody's source (RFC 1812 §5.3.7).
        if (!InnerPacket.IsForwardable(entry.Inner.Source))
            return false;
        // RFC 4301 §5.2, step 4: the inner source must be one that this SA is for, that is, that would be routed into it.
        // The local network may use any address but those of users and of networks behind ESP tunnels.
        // Of several peers with one prefix, a packet may come from another than the route leads to: its SA's selectors took it then.
        if (entry.Origin.Kind != RouteKind.Esp)
            return entry.Source.Kind is not (RouteKind.Users or RouteKind.Esp or RouteKind.Peers);
        // A remote user by IKEv2 speaks for its own addresses only, as FromUser has it of the others; its SA's selectors say so too.
        return entry.Source.Kind == RouteKind.Users
            ? _context.Hosts.Find(entry.Inner.Source) == HostTarget.OfEsp(entry.Origin.Index)
            : entry.Source == entry.Origin || (entry.Source.Kind is RouteKind.Esp or RouteKind.Peers && _context.Forwarding->Esp(entry.Origin.Index).IsNegotiated);
    }

    /// <summary>Finds out how a packet goes on whose source is right.</summary>
    /// <returns>False when it does not: it has been dropped, and its sender told.</returns>
    private bool TryFindWay(ref RoutedPacket entry)
    {
        entry.Way = RouteWay.None;
        entry.Shared = default;
        if (!InnerPacket.IsForwardable(entry.Inner.Destination))
        {
            _context.Drop(entry.Packet, DropReason.DestinationAddress);
            return false;
        }
        int host = _context.Hosts.Find(entry.Inner.Destination);
        if (HostTarget.IsSlot(host))
            return Take(ref entry, RouteWay.User, host);
        if (HostTarget.IsEsp(host))
            return TryFindUsersPair(ref entry, HostTarget.EspTunnelOf(host));
        RouteTarget target = entry.Destination;
        switch (target.Kind)
        {
            case RouteKind.Users when target.Index == _context.Index:
                Refuse(entry.Packet, entry.Inner, DropReason.NoTunnel, IcmpErrorKind.NoRoute, 0);
                return false;
            case RouteKind.Users:
                return Take(ref entry, RouteWay.Lcore, target.Index);
            // A packet that would leave where it came from would come back until its hops are used up.
            case RouteKind.Esp or RouteKind.Tun when target == entry.Origin:
                _context.Drop(entry.Packet, DropReason.NoRoute);
                return false;
            case RouteKind.Peers when _peers.IsOneOf(target, entry.Origin):
                _context.Drop(entry.Packet, DropReason.NoRoute);
                return false;
            case RouteKind.Esp when _peers.TryFindPair(ref entry):
            case RouteKind.Peers when _peers.TryChoose(ref entry):
                return true;
            case RouteKind.Esp or RouteKind.Peers:
                // RFC 4301 §5.1: what no SA of the policy takes is discarded.
                Refuse(entry.Packet, entry.Inner, DropReason.Selectors, IcmpErrorKind.NoRoute, 0);
                return false;
            case RouteKind.Tun:
                return Take(ref entry, RouteWay.Tun, 0);
            default:
                Refuse(entry.Packet, entry.Inner, DropReason.NoRoute, IcmpErrorKind.NoRoute, 0);
                return false;
        }
    }

    private static bool Take(ref RoutedPacket entry, RouteWay way, int target)
    {
        entry.Way = way;
        entry.Target = target;
        return true;
    }

    /// <summary>To a remote user by IKEv2, whose pair is on this lcore. RFC 4301 §5.1: what its SA does not take is discarded.</summary>
    private bool TryFindUsersPair(ref RoutedPacket entry, int espTunnel)
    {
        if (_pairs[espTunnel]->Takes(entry.Inner.Source, entry.Packet))
            return Take(ref entry, RouteWay.Esp, espTunnel);
        Refuse(entry.Packet, entry.Inner, DropReason.Selectors, IcmpErrorKind.NoRoute, 0);
        return false;
    }

    /// <summary>Puts a packet into the queue of where it goes.</summary>
    /// <returns>None, or why it went no further.</returns>
    private DropReason Deliver(in RoutedPacket entry)
    {
        // What is dropped behind this stage is taken back from the session that has counted it by then.
        if (_flows != null && entry.Way != RouteWay.Lcore)
            FlowMark.Set(entry);
        return entry.Way switch
        {
            RouteWay.User => ToUser(entry),
            RouteWay.Esp => ToEsp(entry),
            RouteWay.Tun => ToTun(entry),
            _ => HandOver(entry),
        };
    }

    private DropReason ToUser(in RoutedPacket entry)
    {
        DropReason reason = Leave(entry.Packet, entry.Inner, _tunnels[entry.Target]->Mtu);
        if (reason != DropReason.None)
            return reason;
        if (_queues != null)
            return _queues.ToUser(entry);
        _tunnels.Enqueue(entry.Target, entry.Packet, CstpType.Data);
        return DropReason.None;
    }

    private DropReason ToEsp(in RoutedPacket entry)
    {
        int userMtu = _pairs[entry.Target]->UserMtu;
        DropReason reason = Leave(entry.Packet, entry.Inner, userMtu != 0 ? userMtu : _context.Forwarding->Esp(entry.Target).Mtu);
        if (reason != DropReason.None)
            return reason;
        if (_queues != null)
            return _queues.ToEsp(entry);
        PacketMeta.Of(entry.Packet)->Tunnel = entry.Target;
        if (_output.TryAddEsp(entry.Packet))
            return DropReason.None;
        _context.Drop(entry.Packet, DropReason.EspFull);
        return DropReason.EspFull;
    }

    private DropReason ToTun(in RoutedPacket entry)
    {
        DropReason reason = Leave(entry.Packet, entry.Inner, _context.Forwarding->TunMtu);
        if (reason != DropReason.None)
            return reason;
        if (_queues != null)
            return _queues.ToTun(entry);
        if (_output.TryAddTun(entry.Packet))
            return DropReason.None;
        _context.Drop(entry.Packet, DropReason.TunFull);
        return DropReason.TunFull;
    }

    /// <summary>The last checks: the next hop's MTU and the hop limit.</summary>
    /// <returns>Other than None when the packet has been dropped and its sender told.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private DropReason Leave(PacketBuffer* packet, in InnerPacket inner, int mtu)
    {
        if (inner.Length > mtu)
        {
            Refuse(packet, inner, DropReason.TooBig, IcmpErrorKind.TooBig, mtu);
            return DropReason.TooBig;
        }
        if (!InnerPacket.TryDecrementHopLimit(packet->Data))
        {
            Refuse(packet, inner, DropReason.HopLimit, IcmpErrorKind.TimeExceeded, 0);
            return DropReason.HopLimit;
        }
        return DropReason.None;
    }

    private DropReason HandOver(in RoutedPacket entry)
    {
        int lcore = entry.Target;
        // Once, or once more from a session's home lcore: while routes and SAs change, two lcores may each believe that it is the other's.
        bool mayGo = entry.Origin.Kind != RouteKind.Lcore || (entry.Session != null && !entry.IsCounted);
        PacketHandover? ring = mayGo && (uint)lcore < (uint)_context.HandOverTo.Length ? _context.HandOverTo[lcore] : null;
        if (ring == null)
        {
            _context.Drop(entry.Packet, DropReason.NoPort);
            return DropReason.NoPort;
        }
        if (entry.Session != null)
        {
            PacketMeta.Of(entry.Packet)->Kind = HandOverKind.Counted;
            PacketMeta.Of(entry.Packet)->IngressId = _context.Policy == null ? 0 : FlowStage.OwnerOf(entry);
        }
        else if (_flows != null)
            _flows.Describe(entry);
        else
            PacketMeta.Of(entry.Packet)->Kind = HandOverKind.Inner;
        // Whoever keeps the session has chosen the peer; where nobody keeps it, the first lcore has.
        if (_flows == null || PacketMeta.Of(entry.Packet)->Kind == HandOverKind.Counted)
            PacketMeta.Of(entry.Packet)->Tunnel = entry.Shared.Kind == RouteKind.None ? PeerGroup.None : entry.Destination.Index;
        DropReason reason = ring.TryPost(entry.Packet) ? DropReason.None : DropReason.HandOverFull;
        if (reason == DropReason.None)
            _context.Counters->HandedOver++;
        else
            _context.Counters->Drop(reason);
        _context.Return(entry.Packet);
        return reason;
    }

    /// <summary>Drops a packet and tells its sender, if the rules and the rate allow it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Refuse(PacketBuffer* packet, in InnerPacket inner, DropReason reason, IcmpErrorKind kind, int mtu)
    {
        PacketBuffer* error = _icmp.TryReport(packet, inner, kind, mtu);
        _context.Drop(packet, reason);
        Answer(error);
    }

    /// <summary>Sends what the broker says itself about a packet, if it says anything.</summary>
    private void Answer(PacketBuffer* error)
    {
        if (error == null)
            return;
        // An error causes no further one, so that this ends here.
        var entry = new RoutedPacket { Packet = error, Sender = -1, IsCounted = true };
        DropReason wrong = InnerPacket.TryParse(error->Data, error->Length, out entry.Inner);
        if (wrong != DropReason.None)
        {
            _context.Drop(error, wrong);
            return;
        }
        entry.Destination = _context.Forwarding->Find(entry.Inner.Destination);
        if (TryFindWay(ref entry))
            Deliver(entry);
    }
}
