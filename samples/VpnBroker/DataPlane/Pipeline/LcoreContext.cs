using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.Esp;
using CryptoPlane.IO;
using CryptoPlane.Lcores;
using CryptoPlane.Policy;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Flows;
using VpnBroker.DataPlane.Policy;
using VpnBroker.DataPlane.Queueing;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>Sizes of one lcore's memory.</summary>
internal sealed record LcoreSizes
{
    /// <summary>User tunnels.</summary>
    public int Tunnels { get; init; } = 1024;

    /// <summary>Remote users by IKEv2, whose tunnels are ESP's.</summary>
    public int EspUsers { get; init; }

    /// <summary>Packet buffers.</summary>
    public int Packets { get; init; } = 4096;

    /// <summary>Largest inner packet that a buffer takes, in bytes.</summary>
    public int MaxPacket { get; init; } = 1600;

    /// <summary>Buffers for records that are larger than their packets (padding).</summary>
    public int LargePackets { get; init; } = 32;

    /// <summary>Inbound SAs, and as many outbound ones.</summary>
    public int EspSas { get; init; } = 1024;

    /// <summary>Largest anti-replay window of an inbound SA, in packets.</summary>
    public int ReplayWindow { get; init; } = 1024;

    /// <summary>Data channels over DTLS of all lcores; 0 where there are none.</summary>
    public int DtlsClients { get; init; }

    /// <summary>Memory for unsent bytes of all tunnels, in chunks.</summary>
    public int UnsentChunks { get; init; } = 32768;

    /// <summary>Memory for unfinished records of all tunnels, in chunks.</summary>
    public int PartialChunks { get; init; } = 32768;
}

/// <summary>
/// What the stages of one lcore share: its engine, pools, tables and counters. Made on a control thread, used by the lcore alone.
/// </summary>
internal sealed unsafe class LcoreContext : IDisposable
{
    /// <summary>Headroom of every buffer: enough for ESP with its outer headers, and for a CSTP header.</summary>
    public const int Headroom = 128;

    /// <summary>Records or packets in one turn of a stage.</summary>
    public const int BurstSize = 512;

    /// <summary>Operations in one AEAD burst: records behind a KeyUpdate are opened twice.</summary>
    public const int OperationCapacity = 2 * BurstSize;

    private const int Tailroom = 64;

    /// <summary>Makes what an lcore needs.</summary>
    /// <param name="index">The lcore's number.</param>
    /// <param name="sizes">How much of everything.</param>
    /// <param name="supplies">What it works with.</param>
    public LcoreContext(int index, LcoreSizes sizes, LcoreSupplies? supplies = null)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        supplies ??= new LcoreSupplies();
        Index = index;
        Sizes = sizes;
        Memory = supplies.Memory;
        Engine = supplies.Engine ?? AeadEngine.CreateDefault(new AeadEngineOptions { Log = supplies.Warn });
        Burst = new AeadBurst(OperationCapacity);
        Packets = Pool(sizes.Packets, sizes.MaxPacket + Cstp.CstpFrame.HeaderSize, supplies);
        LargePackets = Pool(sizes.LargePackets, CryptoPlane.Tls.Record.TlsRecordSizes.MaxInnerPlaintext, supplies);
        UnsentMemory = new ChunkPool(sizes.UnsentChunks);
        PartialMemory = new ChunkPool(sizes.PartialChunks);
        Hosts = new HostTable((sizes.Tunnels + sizes.EspUsers) * 2);
        DtlsPeers = sizes.DtlsClients == 0 ? null : new DtlsPeers(sizes.DtlsClients);
        Epoll = new EpollSet();
        Sad = new Sad(sizes.EspSas, Engine);
        Associations = new SaArena(sizes.EspSas, sizes.EspSas, sizes.ReplayWindow);
        Tunnels = (UserTunnel*)KernelPacketMemory.Instance.Allocate(TunnelBytes, 4096);
        Counters = (TrafficCounters*)NativeMemory.AlignedAlloc((nuint)sizeof(TrafficCounters), 128);
        NativeMemory.Clear(Counters, (nuint)sizeof(TrafficCounters));
    }

    public int Index { get; }

    public LcoreSizes Sizes { get; }

    public AeadEngine Engine { get; }

    /// <summary>Where everything lies that the engine reads and writes.</summary>
    public IPacketMemory Memory { get; }

    /// <summary>One burst is enough: opening ends before sealing begins.</summary>
    public AeadBurst Burst { get; }

    public PacketPool Packets { get; }

    public PacketPool LargePackets { get; }

    public ChunkPool UnsentMemory { get; }

    public ChunkPool PartialMemory { get; }

    public HostTable Hosts { get; }

    /// <summary>Whose datagrams come from where; null without DTLS.</summary>
    public DtlsPeers? DtlsPeers { get; }

    public EpollSet Epoll { get; }

    public Sad Sad { get; }

    /// <summary>Where packets of this lcore can be captured.</summary>
    public CaptureTap Tap { get; } = new();

    /// <summary>Where the SAs of <see cref="Sad"/> lie, and their keys. Control threads make them before the lcore starts.</summary>
    public SaArena Associations { get; }

    /// <summary>The arena: slots are chosen by the supervisor, and zero until they are first used.</summary>
    public UserTunnel* Tunnels { get; private set; }

    public TrafficCounters* Counters { get; private set; }

    /// <summary>What packets are forwarded by; null only before the lcore starts.</summary>
    public ForwardingSnapshot* Forwarding { get; set; }

    /// <summary>Which flows pass; null where all do.</summary>
    public PolicyTables* Policy { get; set; }

    /// <summary>What the policy's rules have decided here.</summary>
    public PolicyCounters RuleCounters { get; } = new();

    /// <summary>Decisions on their way to the audit log.</summary>
    public PolicyLog PolicyLog { get; } = new();

    /// <summary>How many flows each user has here.</summary>
    public UserFlows UserFlows { get; } = new();

    /// <summary>The sessions of its tunnels; null where they are not kept. Set before the worker is made, and freed with the context.</summary>
    public FlowLedger? Flows { get; set; }

    /// <summary>What is known of traffic management; null where there is none.</summary>
    public TrafficPlan? Traffic { get; set; }

    /// <summary>Where packets wait for their turn; null without <see cref="Traffic"/>.</summary>
    public QueueStage? Queues { get; set; }

    /// <summary>Measures the stages; null where nobody wants to know.</summary>
    public StageClock? Stages { get; set; }

    /// <summary>The clock of this turn, in nanoseconds.</summary>
    public long Now { get; private set; }

    /// <summary>The clock of this turn, in milliseconds.</summary>
    public long NowMilliseconds { get; private set; }

    /// <summary>Rings to the other lcores, by their index; null to itself.</summary>
    public PacketHandover?[] HandOverTo { get; set; } = [];

    /// <summary>Rings from the other lcores.</summary>
    public PacketHandover?[] HandOverFrom { get; set; } = [];

    /// <summary>The ring to IKE's thread, or null.</summary>
    public PacketHandover? StrayIke { get; set; }

    private static PacketPool Pool(int count, int bytes, LcoreSupplies supplies) => supplies.Blocks == null
        ? new PacketPool(count, Headroom + bytes + Tailroom, Headroom, supplies.Memory)
        : new PacketPool(count, Headroom + bytes + Tailroom, Headroom, supplies.Blocks);

    private nuint TunnelBytes => (nuint)Sizes.Tunnels * (nuint)sizeof(UserTunnel);

    /// <summary>Begins a turn.</summary>
    public void SetClock(long nanoseconds)
    {
        Now = nanoseconds;
        NowMilliseconds = nanoseconds / 1_000_000;
        Flows?.SetClock(nanoseconds);
    }

    /// <summary>Gives a buffer back to the pool that it came from, which its size tells.</summary>
    public void Return(PacketBuffer* packet)
    {
        if (packet->Capacity == LargePackets.BufferSize)
            LargePackets.Return(packet);
        else
            Packets.Return(packet);
    }

    /// <summary>Counts a drop and gives the buffer back.</summary>
    public void Drop(PacketBuffer* packet, DropReason reason)
    {
        Counters->Drop(reason);
        if (Tap.IsOn)
            InnerCapture.Dropped(Tap, packet, reason);
        Return(packet);
    }

    /// <summary>Drops a packet that was routed: its session has counted it as one that goes on, and counts a drop in its place.</summary>
    public void DropRouted(PacketBuffer* packet, DropReason reason)
    {
        Flows?.TakeBack(*FlowMark.Of(packet), PacketMeta.Of(packet)->FlowLength, reason);
        Drop(packet, reason);
    }

    /// <summary>The same of a packet that a port has not taken, whose mark was kept from the peer's address.</summary>
    public void DropUnsent(PacketBuffer* packet, DropReason reason)
    {
        Flows?.TakeBack(*FlowMark.KeptOf(packet), PacketMeta.Of(packet)->FlowLength, reason);
        Drop(packet, reason);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Tunnels == null)
            return;
        Flows?.Dispose();
        Sad.Dispose();
        Epoll.Dispose();
        Burst.Dispose();
        Engine.Dispose();
        Associations.Dispose();
        Hosts.Dispose();
        DtlsPeers?.Dispose();
        Packets.Dispose();
        LargePackets.Dispose();
        UnsentMemory.Dispose();
        PartialMemory.Dispose();
        RuleCounters.Dispose();
        UserFlows.Dispose();
        PolicyLog.Dispose();
        KernelPacketMemory.Instance.Free((byte*)Tunnels, TunnelBytes);
        NativeMemory.AlignedFree(Counters);
        Tunnels = null;
        Counters = null;
    }
}
