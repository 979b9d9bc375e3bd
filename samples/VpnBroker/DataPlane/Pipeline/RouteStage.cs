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

    public RouteStage(LcoreContext context, TunnelTable tunnels, EspPairs pairs, OutputQueues output)
    {
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
        _context.Counters->Users.Received(entry->Inner.Length);
        // A user speaks for its own addresses only.
        if (entry->Inner.Source != (entry->Inner.Source.Family == 4 ? tunnel->IPv4 : tunnel->IPv6))
        {
            _burst.TakeBack();
            _tunnels.Drop(slot, packet, DropReason.SourceAddress);
        }
    }

    /// <summary>Takes a packet that came out of an ESP tunnel.</summary>
    public void FromEsp(PacketBuffer* packet, int espTunnel)
    {
        RoutedPacket* entry = Add(packet, new RouteTarget(RouteKind.Esp, espTunnel), out DropReason reason);
        if (entry == null)
            _context.Drop(packet, reason);
        else
            _context.Counters->Esp.Received(entry->Inner.Length);
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
        if (Add(packet, new RouteTarget(RouteKind.Lcore, 0), out DropReason reason) == null)
            _context.Drop(packet, reason);
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
            if (!entry.Origin.MustProveSource || IsSourceRight(entry))
                Route(entry.Packet, entry.Inner, entry.Destination, entry.Origin);
            else
                _context.Drop(entry.Packet, DropReason.SourceAddress);
        }
        _burst.Clear();
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
        return entry.Origin.Kind == RouteKind.Esp
            ? entry.Source == entry.Origin || (entry.Source.Kind == RouteKind.Esp && _context.Forwarding->Esp(entry.Origin.Index).IsNegotiated)
            : entry.Source.Kind is not (RouteKind.Users or RouteKind.Esp);
    }

    /// <param name="packet">The packet, whose source is right.</param>
    /// <param name="inner">What its header says.</param>
    /// <param name="target">Where its destination is, if no user of this lcore has it.</param>
    /// <param name="origin">Where it must not go back to; default for nowhere.</param>
    private void Route(PacketBuffer* packet, in InnerPacket inner, RouteTarget target, RouteTarget origin)
    {
        if (!InnerPacket.IsForwardable(inner.Destination))
        {
            _context.Drop(packet, DropReason.DestinationAddress);
            return;
        }
        int slot = _context.Hosts.Find(inner.Destination);
        if (slot >= 0)
        {
            ToUser(packet, inner, slot);
            return;
        }
        switch (target.Kind)
        {
            case RouteKind.Users when target.Index == _context.Index:
                Refuse(packet, inner, DropReason.NoTunnel, IcmpErrorKind.NoRoute, 0);
                break;
            case RouteKind.Users:
                HandOver(packet, target.Index, origin);
                break;
            // A packet that would leave where it came from would come back until its hops are used up.
            case RouteKind.Esp or RouteKind.Tun when target == origin:
                _context.Drop(packet, DropReason.NoRoute);
                break;
            case RouteKind.Esp when _pairs[target.Index]->Takes(inner.Source, packet):
                ToEsp(packet, inner, target.Index);
                break;
            case RouteKind.Esp:
                ToOtherPair(packet, inner, target.Index, origin);
                break;
            case RouteKind.Tun:
                ToTun(packet, inner);
                break;
            default:
                Refuse(packet, inner, DropReason.NoRoute, IcmpErrorKind.NoRoute, 0);
                break;
        }
    }

    private void ToUser(PacketBuffer* packet, in InnerPacket inner, int slot)
    {
        if (TryLeave(packet, inner, _tunnels[slot]->Mtu))
            _tunnels.Enqueue(slot, packet, CstpType.Data);
    }

    private void ToEsp(PacketBuffer* packet, in InnerPacket inner, int espTunnel)
    {
        if (!TryLeave(packet, inner, _context.Forwarding->Esp(espTunnel).Mtu))
            return;
        PacketMeta.Of(packet)->Tunnel = espTunnel;
        if (!_output.TryAddEsp(packet))
            _context.Drop(packet, DropReason.EspFull);
    }

    /// <summary>This lcore's pair does not take the packet, or there is none: the fallback does, here or on its lcore.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ToOtherPair(PacketBuffer* packet, in InnerPacket inner, int espTunnel, RouteTarget origin)
    {
        bool refused = _pairs[espTunnel]->Outbound != null;
        EspTarget target = _context.Forwarding->Esp(espTunnel);
        if (target.HasFallback)
        {
            int fallback = target.Fallback;
            if (_pairs[fallback]->Takes(inner.Source, packet))
            {
                ToEsp(packet, inner, fallback);
                return;
            }
            refused = _pairs[fallback]->Outbound != null;
            target = _context.Forwarding->Esp(fallback);
        }
        // RFC 4301 §5.1: what no SA of the policy takes is discarded.
        if (refused)
            Refuse(packet, inner, DropReason.Selectors, IcmpErrorKind.NoRoute, 0);
        else
            HandOver(packet, target.DefaultLcore, origin);
    }

    private void ToTun(PacketBuffer* packet, in InnerPacket inner)
    {
        if (TryLeave(packet, inner, _context.Forwarding->TunMtu) && !_output.TryAddTun(packet))
            _context.Drop(packet, DropReason.TunFull);
    }

    /// <summary>The last checks: the next hop's MTU and the hop limit.</summary>
    /// <returns>False when the packet has been dropped and its sender told.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryLeave(PacketBuffer* packet, in InnerPacket inner, int mtu)
    {
        if (inner.Length > mtu)
        {
            Refuse(packet, inner, DropReason.TooBig, IcmpErrorKind.TooBig, mtu);
            return false;
        }
        if (!InnerPacket.TryDecrementHopLimit(packet->Data))
        {
            Refuse(packet, inner, DropReason.HopLimit, IcmpErrorKind.TimeExceeded, 0);
            return false;
        }
        return true;
    }

    private void HandOver(PacketBuffer* packet, int lcore, RouteTarget origin)
    {
        // Once: while routes and SAs change, two lcores may each believe that it is the other's.
        PacketHandover? ring = origin.Kind != RouteKind.Lcore && (uint)lcore < (uint)_context.HandOverTo.Length ? _context.HandOverTo[lcore] : null;
        if (ring == null)
        {
            _context.Drop(packet, DropReason.NoPort);
            return;
        }
        PacketMeta.Of(packet)->Kind = HandOverKind.Inner;
        if (ring.TryPost(packet))
            _context.Counters->HandedOver++;
        else
            _context.Counters->Drop(DropReason.HandOverFull);
        _context.Return(packet);
    }

    /// <summary>Drops a packet and tells its sender, if the rules and the rate allow it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Refuse(PacketBuffer* packet, in InnerPacket inner, DropReason reason, IcmpErrorKind kind, int mtu)
    {
        PacketBuffer* error = _icmp.TryReport(packet, inner, kind, mtu);
        _context.Drop(packet, reason);
        if (error == null)
            return;
        // An error causes no further one, so that this ends here.
        if (InnerPacket.TryParse(error->Data, error->Length, out InnerPacket answer) is var wrong && wrong == DropReason.None)
            Route(error, answer, _context.Forwarding->Find(answer.Destination), default);
        else
            _context.Drop(error, wrong);
    }
}
