using System.Net;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;
using CryptoPlane.Lcores;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Tunnels;
using LoopCounters = CryptoPlane.Lcores.LcoreCounters;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>
/// Reads the lcores' counters without stopping them. On the supervisor's thread, which alone lets slots and SAs go, so that what is read
/// exists; each counter is read whole, though not all at one instant.
/// </summary>
internal static unsafe class StatusReader
{
    /// <summary>One lcore.</summary>
    public static LcoreStatus ReadLcore(LcoreUnit unit)
    {
        TrafficCounters counters = *unit.Context.Counters;
        LoopCounters loop = unit.Lcore!.ReadCounters();
        return new LcoreStatus
        {
            Index = unit.Context.Index,
            Cpu = unit.Options.Cpu ?? -1,
            Tunnels = counters.Tunnels,
            BusyNanoseconds = (ulong)loop.BusyNanoseconds,
            IdleNanoseconds = (ulong)(loop.SpinNanoseconds + loop.SleepNanoseconds),
            Ports = [Port("users", counters.Users), Port("esp", counters.Esp), Port("tun", counters.Tun)],
            Drops = [.. DropsOf(counters), .. EspDropsOf(unit.Worker!.EspOpenDrops), .. EspDropsOf(unit.Worker.EspSealDrops)],
            HandedOver = counters.HandedOver,
            TakenOver = counters.TakenOver,
            IcmpSent = counters.IcmpSent,
            ResetsSent = counters.ResetsSent,
            KeyUpdates = counters.KeyUpdates,
            Dtls = new DtlsStatus(counters.Dtls.Channels, counters.Dtls.Begun, counters.Dtls.Fallbacks, counters.Dtls.Moved),
            Flows = counters.Flows.Maximum == 0 ? null : Flows(counters.Flows),
            PacketsHeld = Held(unit.Context.Packets) + Held(unit.Context.LargePackets),
            ChunksHeld = Held(unit.Context.UnsentMemory) + Held(unit.Context.PartialMemory),
        };
    }

    /// <summary>One user tunnel.</summary>
    public static UserTunnelStatus ReadTunnel(LcoreUnit unit, int slot)
    {
        UserTunnel* tunnel = unit.Tunnels + slot;
        return new UserTunnelStatus
        {
            TunnelId = tunnel->TunnelId,
            SessionId = tunnel->SessionId,
            InnerIPv4 = tunnel->IPv4.ToIPAddress(),
            InnerIPv6 = tunnel->IPv6.ToIPAddress(),
            Lcore = unit.Context.Index,
            Traffic = Port("users", tunnel->Counters),
            Drops = tunnel->Drops,
            DataByDtls = tunnel->Dtls == null ? null : (tunnel->Flags & TunnelFlags.Dtls) != 0,
            UnsentBytes = tunnel->Unsent.Length,
            Queues = QueueReader.ReadUser(unit, slot),
        };
    }

    /// <summary>One pair of ESP SAs.</summary>
    public static EspPairStatus ReadEsp(LcoreUnit unit, int number, string name)
    {
        EspPair* pair = unit.Pairs[number];
        return new EspPairStatus
        {
            Tunnel = name,
            Lcore = unit.Context.Index,
            InboundSpi = pair->Inbound->Spi,
            OutboundSpi = pair->Outbound->Spi,
            Traffic = new PortStatus("esp", pair->Inbound->Packets, pair->Inbound->Bytes, pair->Outbound->Packets, pair->Outbound->Bytes),
            NextSequence = pair->Outbound->Sequence + 1,
            SequenceLimit = pair->Outbound->SequenceLimit + 1,
            Drops = [.. EspDropsOf(pair->Inbound->Drops), .. EspDropsOf(pair->Outbound->Drops)],
            Queues = QueueReader.ReadEsp(unit, number),
        };
    }

    /// <summary>One negotiated pair of ESP SAs.</summary>
    public static EspPairStatus ReadEsp(LcoreUnit unit, EspChildPlace place) => new()
    {
        Tunnel = place.Request.Name,
        Lcore = place.Request.Lcore,
        InboundSpi = place.Inbound->Spi,
        OutboundSpi = place.Outbound->Spi,
        Traffic = new PortStatus("esp", place.Inbound->Packets, place.Inbound->Bytes, place.Outbound->Packets, place.Outbound->Bytes),
        NextSequence = place.Outbound->Sequence + 1,
        SequenceLimit = place.Request.Esn ? ulong.MaxValue : uint.MaxValue,
        Drops = [.. EspDropsOf(place.Inbound->Drops), .. EspDropsOf(place.Outbound->Drops)],
        Sends = place.Tunnel.SenderOn(place.Request.Lcore) == place.Request.InboundSpi,
        Queues = place.Tunnel.SenderOn(place.Request.Lcore) == place.Request.InboundSpi ? QueueReader.ReadEsp(unit, place.Tunnel.Number) : [],
    };

    private static FlowStatus Flows(in FlowCounters flows) =>
        new(flows.Active, flows.Denied, flows.Maximum, flows.Begun, flows.Expired, flows.Evicted, flows.DeniedEvicted, flows.Untracked,
            flows.Records, flows.RecordsLost);

    /// <summary>A remote user by IKEv2, over all pairs of SAs that the user has had.</summary>
    public static UserTunnelStatus ReadUser(NegotiatedTunnel tunnel, IEnumerable<EspChildPlace> places)
    {
        EspActivity sum = tunnel.Carried;
        ulong drops = 0;
        int lcore = -1;
        foreach (EspChildPlace place in places)
        {
            sum = sum.Plus(place.ReadActivity());
            drops += EspDropsOf(place.Inbound->Drops).Concat(EspDropsOf(place.Outbound->Drops)).Aggregate(0UL, (all, drop) => all + drop.Packets);
            lcore = place.Request.Lcore;
        }
        return new UserTunnelStatus
        {
            TunnelId = tunnel.User!.TunnelId,
            SessionId = tunnel.User.SessionId,
            InnerIPv4 = tunnel.User.IPv4,
            InnerIPv6 = tunnel.User.IPv6,
            Lcore = lcore,
            Traffic = new PortStatus("users", sum.ReceivedPackets, sum.ReceivedBytes, sum.SentPackets, sum.SentBytes),
            Drops = drops,
            UnsentBytes = 0,
        };
    }

    private static int Held(PacketPool pool) => pool.Count - pool.Available;

    private static int Held(ChunkPool pool) => pool.Count - pool.Available;

    private static PortStatus Port(string name, in PortCounters counters) =>
        new(name, counters.ReceivedPackets, counters.ReceivedBytes, counters.SentPackets, counters.SentBytes);

    private static IEnumerable<DropStatus> DropsOf(TrafficCounters counters)
    {
        for (DropReason reason = DropReason.None + 1; reason < DropReason.Count; reason++)
        {
            if (counters.Dropped(reason) != 0)
                yield return new DropStatus(DropReasonNames.Of(reason), counters.Dropped(reason));
        }
    }

    private static IEnumerable<DropStatus> EspDropsOf(EspCounters counters)
    {
        foreach (EspDropReason reason in Enum.GetValues<EspDropReason>())
        {
            if (reason != EspDropReason.None && counters[reason] != 0)
                yield return new DropStatus("esp-" + DropReasonNames.ToHyphens(reason.ToString()), counters[reason]);
        }
    }
}
