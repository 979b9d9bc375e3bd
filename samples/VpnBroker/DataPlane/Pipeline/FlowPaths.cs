using System.Runtime.CompilerServices;
using CryptoPlane.Flows.Sessions;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>The ends of a session's path: which tunnel its packets come out of, and which they go into.</summary>
/// <param name="tunnels">The lcore's users.</param>
/// <param name="pairs">The lcore's ESP tunnels.</param>
internal readonly unsafe struct FlowPaths(TunnelTable tunnels, EspPairs pairs)
{
    /// <summary>Where a packet comes from, in one number.</summary>
    public uint From(RoutedPacket* entry) => entry->Sender >= 0 ? UserPath(tunnels[entry->Sender]->SessionId)
        : entry->Origin.Kind == RouteKind.Esp ? EspPath(entry->Origin.Index) : entry->Origin.Value;

    /// <summary>Where a packet goes to, in one number.</summary>
    public uint To(RoutedPacket* entry) => entry->Way switch
    {
        RouteWay.User => UserPath(tunnels[entry->Target]->SessionId),
        RouteWay.Esp => EspPath(entry->Target),
        // By which of several peers it goes is to be remembered, whichever lcore has the SA.
        RouteWay.Lcore when entry->Shared.Kind != RouteKind.None => Path(FlowTunnelKind.Esp, entry->Destination.Index),
        _ => Path((FlowTunnelKind)entry->Way, entry->Target),
    };

    /// <summary>Where a packet comes from, as records and policies want to know it.</summary>
    public void Ingress(in RoutedPacket entry, out FlowTunnelKind kind, out ulong id, out uint subject)
    {
        subject = 0;
        id = 0;
        if (entry.Sender >= 0)
        {
            UserTunnel* tunnel = tunnels[entry.Sender];
            (kind, id, subject) = (FlowTunnelKind.User, tunnel->SessionId, tunnel->Subject);
            return;
        }
        switch (entry.Origin.Kind)
        {
            case RouteKind.Esp:
                (kind, id, subject) = EspEnd(entry.Origin.Index);
                break;
            case RouteKind.Tun:
                kind = FlowTunnelKind.Tun;
                break;
            case RouteKind.Lcore:
                PacketMeta* meta = PacketMeta.Of(entry.Packet);
                (kind, id, subject) = (meta->IngressKind, meta->IngressId, meta->Subject);
                break;
            default:
                kind = FlowTunnelKind.None;
                break;
        }
    }

    /// <summary>
    /// Whether a packet is of another session than the one that has its key: a user's address has gone to another user meanwhile, to whom the
    /// verdict does not belong; or the other end of a session that was denied now opens one itself.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsOthers(SessionState* session, RoutedPacket* entry, uint from, uint to)
    {
        if (entry->IsReverse && (session->Flags & SessionFlags.Denied) != 0)
            return true;
        uint ingress = entry->IsReverse ? to : from, egress = entry->IsReverse ? from : to;
        return (session->Ingress != ingress && HasUser(session->Ingress, ingress) && !IsSameUser(ingress, session->IngressKind, session->IngressId))
            || (session->Egress != egress && HasUser(session->Egress, egress) && !IsSameUser(egress, session->EgressKind, session->EgressId))
            || (entry->Origin.Kind == RouteKind.Lcore && IsOthersFromLcore(session, entry));
    }

    /// <summary>Keeps where the session's packets come from and go to: a user may come again in another slot, and routes may change.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Note(SessionState* session, RoutedPacket* entry, uint from, uint to)
    {
        uint ingress = entry->IsReverse ? to : from, egress = entry->IsReverse ? from : to;
        if (entry->IsReverse)
            session->Flags |= SessionFlags.Answered;
        if (session->Ingress != ingress || session->Egress != egress || entry->Origin.Kind == RouteKind.Lcore)
            NoteNew(session, entry, ingress, egress);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void NoteNew(SessionState* session, RoutedPacket* entry, uint ingress, uint egress)
    {
        session->Ingress = ingress;
        session->Egress = egress;
        Ingress(*entry, out FlowTunnelKind from, out ulong fromId, out uint subject);
        Egress(*entry, out FlowTunnelKind to, out ulong toId);
        if (entry->IsReverse)
        {
            (session->EgressKind, session->EgressId) = (from, fromId);
            // Which of another lcore's users it goes to is not known here: their own packets have said so.
            if (toId != 0 || to != FlowTunnelKind.User || session->IngressKind != to)
                (session->IngressKind, session->IngressId) = (to, toId);
            return;
        }
        (session->IngressKind, session->IngressId, session->Subject) = (from, fromId, subject);
        session->Flags = subject != 0 ? session->Flags | SessionFlags.HasSubject : session->Flags & ~SessionFlags.HasSubject;
        if (toId != 0 || to != FlowTunnelKind.User || session->EgressKind != to)
            (session->EgressKind, session->EgressId) = (to, toId);
        // Rules may name what a session goes into: it is asked about again where that has changed.
        if (session->IngressKind != session->DecidedIngress || session->EgressKind != session->DecidedEgress)
            session->PolicyGeneration = 0;
    }

    private static bool HasUser(uint before, uint now) => before >> 24 == (uint)FlowTunnelKind.User || now >> 24 == (uint)FlowTunnelKind.User;

    /// <summary>Whether an end is the user of before, whose packets have come another way.</summary>
    private static bool IsSameUser(uint now, FlowTunnelKind kind, ulong id) => kind == FlowTunnelKind.User && now == UserPath(id);

    /// <summary>The same of a packet from another lcore, which has said whose it is.</summary>
    private static bool IsOthersFromLcore(SessionState* session, RoutedPacket* entry)
    {
        PacketMeta* meta = PacketMeta.Of(entry->Packet);
        ulong known = entry->IsReverse ? session->EgressId : session->IngressId;
        FlowTunnelKind kind = entry->IsReverse ? session->EgressKind : session->IngressKind;
        return meta->IngressKind == FlowTunnelKind.User && kind == FlowTunnelKind.User && known != 0 && known != meta->IngressId;
    }

    /// <summary>Users are known by their sessions: slots, tunnels' numbers and addresses go from one user to the next.</summary>
    private static uint UserPath(ulong session) => Path(FlowTunnelKind.User, (int)(session & 0xFF_FFFF));

    private uint EspPath(int tunnel) =>
        pairs.HasUsers && pairs.UserOf(tunnel)->SessionId is not 0 and var session ? UserPath(session) : Path(FlowTunnelKind.Esp, tunnel);

    private void Egress(in RoutedPacket entry, out FlowTunnelKind kind, out ulong id)
    {
        (kind, id) = entry.Way switch
        {
            RouteWay.User => (FlowTunnelKind.User, tunnels[entry.Target]->SessionId),
            RouteWay.Esp when EspEnd(entry.Target) is var (end, endId, _) => (end, endId),
            RouteWay.Tun => (FlowTunnelKind.Tun, 0UL),
            _ when entry.Destination.Kind == RouteKind.Users => (FlowTunnelKind.User, 0UL),
            _ => (FlowTunnelKind.Esp, (ulong)entry.Destination.Index),
        };
    }

    /// <summary>The end that an ESP tunnel is: a gateway, or a remote user by IKEv2, who is a user like others.</summary>
    private (FlowTunnelKind Kind, ulong Id, uint Subject) EspEnd(int tunnel)
    {
        EspPairUser* user = pairs.UserOf(tunnel);
        return user->SessionId != 0 ? (FlowTunnelKind.User, user->SessionId, user->Subject) : (FlowTunnelKind.Esp, (ulong)tunnel, 0);
    }

    /// <summary>A path's end in one number: <see cref="RouteKind"/> and <see cref="RouteWay"/> agree with the kinds that tunnels have.</summary>
    private static uint Path(FlowTunnelKind kind, int index) => ((uint)kind << 24) | (uint)index;
}
