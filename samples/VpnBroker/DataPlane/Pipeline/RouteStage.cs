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
internal sealed unsafe class RouteStage
{
    private const int IcmpPerSecond = 1000;
    private const int IcmpBurst = 100;

    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private readonly EspPairs _pairs;
    private readonly OutputQueues _output;
    private TokenBucket _icmp;

    public RouteStage(LcoreContext context, TunnelTable tunnels, EspPairs pairs, OutputQueues output)
    {
        _context = context;
        _tunnels = tunnels;
        _pairs = pairs;
        _output = output;
        _icmp = new TokenBucket(IcmpPerSecond, IcmpBurst, 0);
    }

    /// <summary>Routes a packet that a user sent.</summary>
    public void FromUser(PacketBuffer* packet, int slot)
    {
        UserTunnel* tunnel = _tunnels[slot];
        if (!TryParse(packet, out InnerPacket inner, out DropReason reason))
        {
            _tunnels.Drop(slot, packet, reason);
            return;
        }
        tunnel->Counters.Received(inner.Length);
        tunnel->LastPacket = _context.NowMilliseconds;
        _context.Counters->Users.Received(inner.Length);
        // A user speaks for its own addresses only.
        if (inner.Source != (inner.Source.Family == 4 ? tunnel->IPv4 : tunnel->IPv6))
        {
            _tunnels.Drop(slot, packet, DropReason.SourceAddress);
            return;
        }
        Route(packet, inner, default);
    }

    /// <summary>Routes a packet that came out of an ESP tunnel.</summary>
    public void FromEsp(PacketBuffer* packet, int espTunnel)
    {
        if (!TryParse(packet, out InnerPacket inner, out DropReason reason))
        {
            _context.Drop(packet, reason);
            return;
        }
        _pairs[espTunnel]->Counters.Received(inner.Length);
        _context.Counters->Esp.Received(inner.Length);
        // RFC 4301 §5.2, step 4: the inner source must be one that this SA is for, that is, that would be routed into it.
        var origin = new RouteTarget(RouteKind.Esp, espTunnel);
        // A prefix as wide as 0.0.0.0/0 holds loopback and multicast too, which are nobody's source (RFC 1812 §5.3.7).
        if (_context.Forwarding->Find(inner.Source) != origin || !InnerPacket.IsForwardable(inner.Source))
        {
            _context.Drop(packet, DropReason.SourceAddress);
            return;
        }
        Route(packet, inner, origin);
    }

    /// <summary>Routes a packet that the kernel sent out of the TUN interface.</summary>
    public void FromTun(PacketBuffer* packet)
    {
        if (!TryParse(packet, out InnerPacket inner, out DropReason reason))
        {
            _context.Drop(packet, reason);
            return;
        }
        _context.Counters->Tun.Received(inner.Length);
        // The local network may use any address but those of users, of networks behind ESP tunnels, and of nobody (RFC 1812 §5.3.7).
        if (_context.Forwarding->Find(inner.Source).Kind is RouteKind.Users or RouteKind.Esp || !InnerPacket.IsForwardable(inner.Source))
        {
            _context.Drop(packet, DropReason.SourceAddress);
            return;
        }
        Route(packet, inner, new RouteTarget(RouteKind.Tun, 0));
    }

    /// <summary>Routes a packet that another lcore checked and handed over.</summary>
    public void FromLcore(PacketBuffer* packet)
    {
        if (TryParse(packet, out InnerPacket inner, out DropReason reason))
            Route(packet, inner, default);
        else
            _context.Drop(packet, reason);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryParse(PacketBuffer* packet, out InnerPacket inner, out DropReason reason)
    {
        reason = InnerPacket.TryParse(packet->Data, packet->Length, out inner);
        if (reason != DropReason.None)
            return false;
        // What the link carried behind the packet is padding.
        packet->TrySetLength(inner.Length);
        return true;
    }

    /// <param name="packet">The packet, whose source is right.</param>
    /// <param name="inner">What its header says.</param>
    /// <param name="origin">Where it must not go back to; default for nowhere.</param>
    private void Route(PacketBuffer* packet, in InnerPacket inner, RouteTarget origin)
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
        RouteTarget target = _context.Forwarding->Find(inner.Destination);
        switch (target.Kind)
        {
            case RouteKind.Users when target.Index == _context.Index:
                Refuse(packet, inner, DropReason.NoTunnel, IcmpErrorKind.NoRoute, 0);
                break;
            case RouteKind.Users:
                HandOver(packet, target.Index);
                break;
            // A packet that would leave where it came from would come back until its hops are used up.
            case RouteKind.Esp or RouteKind.Tun when target == origin:
                _context.Drop(packet, DropReason.NoRoute);
                break;
            case RouteKind.Esp when _pairs[target.Index]->Outbound != null:
                ToEsp(packet, inner, target.Index);
                break;
            case RouteKind.Esp:
                HandOver(packet, _context.Forwarding->Esp(target.Index).DefaultLcore);
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

    private void HandOver(PacketBuffer* packet, int lcore)
    {
        PacketHandover? ring = (uint)lcore < (uint)_context.HandOverTo.Length ? _context.HandOverTo[lcore] : null;
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
        if (!IcmpError.IsAllowed(packet->Data, inner))
        {
            _context.Drop(packet, reason);
            return;
        }
        if (!_icmp.TryTake(_context.Now))
            _context.Counters->Drop(DropReason.IcmpRateLimited);
        else if (_context.Packets.TryRent(out PacketBuffer* error))
            SendError(error, packet, inner, kind, mtu);
        else
            _context.Counters->Drop(DropReason.BuffersExhausted);
        _context.Drop(packet, reason);
    }

    private void SendError(PacketBuffer* error, PacketBuffer* packet, in InnerPacket inner, IcmpErrorKind kind, int mtu)
    {
        ForwardingSnapshot* forwarding = _context.Forwarding;
        InnerAddress router = inner.Source.Family == 4 ? forwarding->RouterIPv4 : forwarding->RouterIPv6;
        if (!error->TrySetLength(IcmpError.MaxIPv6))
        {
            _context.Drop(error, DropReason.Oversize);
            return;
        }
        error->TrySetLength(IcmpError.Write(kind, packet->Data, inner, router, mtu, error->Data));
        _context.Counters->IcmpSent++;
        // An error causes no further one, so that this ends here.
        FromLcore(error);
    }
}
