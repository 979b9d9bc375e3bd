using System.Runtime.CompilerServices;
using CryptoPlane.Flows;
using CryptoPlane.Flows.Sessions;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// Finds the pair of SAs of a packet that goes into an ESP tunnel. Where several peers share its prefix, its flow's hash chooses one, and a flow
/// whose session is kept stays with the one it has while that is up.
/// </summary>
internal sealed unsafe class PeerStage(LcoreContext context, EspPairs pairs) : IDisposable
{
    private const int FragmentedPackets = 1024;

    /// <summary>What receivers wait at most (RFC 8200 §4.5).</summary>
    private const long FragmentLifetime = 60_000_000_000;

    private const SessionPacketFlags Special = SessionPacketFlags.FirstFragment | SessionPacketFlags.LaterFragment | SessionPacketFlags.IcmpError;

    /// <summary>Which flows fragments are of where no sessions are kept, which know it else.</summary>
    private readonly FragmentTable? _fragments =
        context.Flows == null ? new FragmentTable(FragmentedPackets, FragmentLifetime, (ulong)Random.Shared.NextInt64()) : null;

    /// <summary>Whether a packet comes from one of the peers that share its destination's prefix: it would come back until its hops are used up.</summary>
    public bool IsOneOf(RouteTarget peers, RouteTarget origin) =>
        origin.Kind == RouteKind.Esp && context.Forwarding->Peers(peers.Index)->Find(origin.Index) >= 0;

    /// <summary>Finds the pair that takes a packet into the tunnel where its destination is: this lcore's, the fallback, or another lcore's.</summary>
    /// <returns>False when the selectors do not take it.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryFindPair(ref RoutedPacket entry) => pairs[entry.Destination.Index]->Takes(entry.Inner.Source, entry.Packet)
        ? Take(ref entry, RouteWay.Esp, entry.Destination.Index)
        : TryFindOtherPair(ref entry);

    /// <summary>Chooses one of the peers that share a packet's destination.</summary>
    /// <returns>False when none takes it.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public bool TryChoose(ref RoutedPacket entry)
    {
        entry.Shared = entry.Destination;
        PeerGroup* group = context.Forwarding->Peers(entry.Shared.Index);
        int member = group->Find(ChosenBefore(entry));
        if (member < 0)
            member = group->MemberOf(HashOf(entry));
        // What one peer's selectors do not take another's may; and one whose SAs have just gone is still in the table.
        for (int tried = 0; tried < group->Count; tried++)
        {
            if (TryGoBy(ref entry, group->Tunnel(member)))
                return true;
            member = member + 1 < group->Count ? member + 1 : 0;
        }
        return false;
    }

    /// <summary>Brings a packet to the peer that its session goes by, if that is still one of those that share the prefix.</summary>
    /// <param name="entry">The packet; a peer has been chosen for it.</param>
    /// <param name="end">The session's end that it goes to, as <see cref="FlowStage"/> writes it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Follow(ref RoutedPacket entry, uint end)
    {
        if (end != entry.Destination.Value && IsEsp(end))
            Turn(ref entry, (int)(end & 0xFF_FFFF));
    }

    /// <summary>
    /// Of a packet's session the end where it comes from: the tunnel that the session goes by, as long as that is there. The way back comes by
    /// whichever peer sends it, and does not draw the session along.
    /// </summary>
    public uint FromOf(SessionState* session, in RoutedPacket entry, uint from)
    {
        if (entry.Origin.Kind == RouteKind.Lcore && PacketMeta.Of(entry.Packet)->IngressKind == FlowTunnelKind.Esp)
            from = RouteTarget.OfEsp((int)PacketMeta.Of(entry.Packet)->IngressId).Value;
        uint known = entry.IsReverse ? session->Egress : session->Ingress;
        return IsEsp(from) && IsEsp(known) && context.Forwarding->Esp((int)(known & 0xFF_FFFF)).Mtu != 0 ? known : from;
    }

    /// <inheritdoc/>
    public void Dispose() => _fragments?.Dispose();

    /// <summary>Whether an end is an ESP tunnel: sessions write them as routes do, and users by IKEv2 as users.</summary>
    private static bool IsEsp(uint end) => end >> 24 == (uint)RouteKind.Esp;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Turn(ref RoutedPacket entry, int tunnel)
    {
        PeerGroup* group = context.Forwarding->Peers(entry.Shared.Index);
        int member = group->Find(tunnel);
        if (member < 0 || group->Tunnel(member) == entry.Destination.Index)
            return;
        (RouteTarget destination, RouteWay way, int target) = (entry.Destination, entry.Way, entry.Target);
        if (!TryGoBy(ref entry, group->Tunnel(member)))
            (entry.Destination, entry.Way, entry.Target) = (destination, way, target);
    }

    private bool TryGoBy(ref RoutedPacket entry, int tunnel)
    {
        entry.Destination = RouteTarget.OfEsp(tunnel);
        return TryFindPair(ref entry) && (entry.Way != RouteWay.Lcore || IsLcore(entry.Target));
    }

    private bool IsLcore(int lcore) => (uint)lcore < (uint)context.HandOverTo.Length && context.HandOverTo[lcore] != null;

    /// <summary>The peer that the lcore has chosen which handed the packet over to this one, the owner of the SA.</summary>
    private int ChosenBefore(in RoutedPacket entry) =>
        entry.Origin.Kind == RouteKind.Lcore && (entry.IsCounted || context.Flows == null) ? PacketMeta.Of(entry.Packet)->Tunnel : PeerGroup.None;

    /// <summary>A hash of the packet's flow, both directions alike; of an ICMP error that of the flow which it is about.</summary>
    private uint HashOf(in RoutedPacket entry)
    {
        // A checked packet: this cannot fail.
        SessionParser.TryParse(entry.Packet->Data, entry.Packet->Length, out SessionKey key, out SessionPacket packet);
        if ((packet.Flags & Special) != 0)
            Relate(entry, ref key, ref packet);
        return (uint)FlowHash.Of(key, context.Forwarding->PeerSeed);
    }

    private void Relate(in RoutedPacket entry, ref SessionKey key, ref SessionPacket packet)
    {
        if ((packet.Flags & SessionPacketFlags.IcmpError) != 0 && SessionParser.TryParseQuoted(entry.Packet->Data, packet, out SessionKey quoted, out _))
            key = quoted;
        else if ((packet.Flags & SessionPacketFlags.FirstFragment) != 0)
            _fragments?.Note(key, packet, context.Now);
        else if ((packet.Flags & SessionPacketFlags.LaterFragment) != 0)
            _fragments?.TryFind(ref key, ref packet, context.Now);
    }

    private static bool Take(ref RoutedPacket entry, RouteWay way, int target)
    {
        entry.Way = way;
        entry.Target = target;
        return true;
    }

    /// <summary>This lcore's pair does not take the packet, or there is none: the fallback does, here or on its lcore.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryFindOtherPair(ref RoutedPacket entry)
    {
        int espTunnel = entry.Destination.Index;
        bool refused = pairs[espTunnel]->Outbound != null;
        EspTarget target = context.Forwarding->Esp(espTunnel);
        if (target.HasFallback)
        {
            int fallback = target.Fallback;
            if (pairs[fallback]->Takes(entry.Inner.Source, entry.Packet))
                return Take(ref entry, RouteWay.Esp, fallback);
            refused = pairs[fallback]->Outbound != null;
            target = context.Forwarding->Esp(fallback);
        }
        return !refused && Take(ref entry, RouteWay.Lcore, target.DefaultLcore);
    }
}
