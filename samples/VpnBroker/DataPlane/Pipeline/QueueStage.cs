using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Traffic;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Queueing;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// Traffic management of one lcore, between routing and sealing: packets are policed, put into classes, and wait here for their turn, so
/// that none that is dropped has used a sequence number. Only there where the configuration has a section <c>traffic</c>.
/// </summary>
/// <remarks>
/// <para>Two schedulers: one towards users and IPsec peers, where a tunnel is whom packets go to, and one towards the local network, where
/// it is whom they come from.</para>
/// <para>Tunnels are numbered in both: users by their slots, ESP tunnels behind them, and one for everything else.</para>
/// </remarks>
internal sealed unsafe class QueueStage : IDisposable
{
    /// <summary>Packets that go on between two bursts of sealing.</summary>
    private const int BurstSize = 512;

    /// <summary>Packets that are taken at a time, and bytes that one user gets before the others of a burst are sealed and sent.</summary>
    private const int Chunk = 64, Budget = 65536;

    /// <summary>The same where a connection took no more a short while ago: what it is given waits behind CoDel's back.</summary>
    private const int SlowChunk = 8, SlowBudget = 8192;

    /// <summary>Nanoseconds for which a connection counts as slow after it took no more.</summary>
    private const long SlowTime = 1_000_000_000;

    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private readonly EspPairs _pairs;
    private readonly OutputQueues _output;
    private readonly TrafficPlan _plan;
    private readonly int _users;
    private readonly int _others;
    private NodePolicy* _nodes;
    private ClassPolice* _classes;
    private PacketBuffer** _burst;
    private int* _paused;
    private int _pausedCount;
    private long _lastBlocked = -SlowTime;

    /// <summary>Makes empty queues; ESP tunnels that have SAs by now are opened by <see cref="OpenEsp"/>.</summary>
    public QueueStage(LcoreContext context, TunnelTable tunnels, EspPairs pairs, OutputQueues output, TrafficPlan plan)
    {
        _context = context;
        _tunnels = tunnels;
        _pairs = pairs;
        _output = output;
        _plan = plan;
        _users = context.Sizes.Tunnels;
        _others = _users + pairs.Count;
        Outside = new TrafficScheduler(plan.Scheduler(plan.Outside, _others + 1));
        Inside = new TrafficScheduler(plan.Scheduler(plan.Inside, _others + 1));
        _nodes = (NodePolicy*)KernelPacketMemory.Instance.Allocate(NodeBytes, 64);
        _classes = (ClassPolice*)NativeMemory.AllocZeroed((nuint)plan.Classes.Count, (nuint)sizeof(ClassPolice));
        for (int i = 0; i < plan.Classes.Count; i++)
            _classes[i].Bucket = new TokenBucket(TrafficPlan.PartOf(plan.Classes[i].Police, plan.Lcores), 0);
        _burst = (PacketBuffer**)NativeMemory.Alloc(BurstSize, (nuint)sizeof(PacketBuffer*));
        _paused = (int*)NativeMemory.Alloc(BurstSize, sizeof(int));
    }

    /// <summary>What waits for users and IPsec peers. Any thread may read its counters.</summary>
    public TrafficScheduler Outside { get; }

    /// <summary>What waits for the local network, likewise.</summary>
    public TrafficScheduler Inside { get; }

    /// <summary>When something may leave, in nanoseconds.</summary>
    public long NextDeadline => Math.Min(Outside.NextDeadline, Inside.NextDeadline);

    private nuint NodeBytes => (nuint)(_others + 1) * (nuint)sizeof(NodePolicy);

    /// <summary>The number of an ESP tunnel.</summary>
    public int NodeOfEsp(int espTunnel) => _users + espTunnel;

    /// <summary>What a class's police has let through and refused on this lcore, in bytes. Any thread.</summary>
    public (long Passed, long Refused) ReadPolice(int trafficClass) => (_classes[trafficClass].PassedBytes, _classes[trafficClass].RefusedBytes);

    /// <summary>Packets to an ESP tunnel that its queue or its police has dropped on this lcore. Any thread.</summary>
    public long DropsOfEsp(int espTunnel) =>
        Outside.ReadTunnel(NodeOfEsp(espTunnel)).DroppedPackets + _nodes[NodeOfEsp(espTunnel)].Send.RefusedPackets;

    /// <summary>Begins a user's tunnel with the limits that lie in its slot.</summary>
    public void OpenUser(int slot) => Open(slot, _tunnels[slot]->Limits);

    /// <summary>Drops what waits for a user, or came from it.</summary>
    public void CloseUser(int slot) => Close(slot);

    /// <summary>Begins an ESP tunnel.</summary>
    public void OpenEsp(int espTunnel, in TunnelLimits limits) => Open(NodeOfEsp(espTunnel), limits);

    /// <summary>Changes an ESP tunnel's limits; what waits stays.</summary>
    public void ChangeEsp(int espTunnel, in TunnelLimits limits) => Change(NodeOfEsp(espTunnel), limits);

    /// <summary>What has come for a tunnel's limits. Any thread.</summary>
    /// <param name="node">A user's slot, or <see cref="NodeOfEsp"/>.</param>
    public TunnelDemand ReadDemand(int node) => new()
    {
        SendShape = OfferedTraffic.Of(Outside.ReadTunnel(node)),
        SendPolice = _nodes[node].Send.Offered,
        ReceiveShape = OfferedTraffic.Of(Inside.ReadTunnel(node)),
        ReceivePolice = _nodes[node].Receive.Offered,
    };

    /// <summary>Changes a tunnel's limits; what waits stays.</summary>
    private void Change(int node, in TunnelLimits limits)
    {
        int weight = Math.Max(1, limits.Weight);
        Outside.Change(node, weight, limits.SendShape, _context.Now);
        Inside.Change(node, weight, limits.ReceiveShape, _context.Now);
        _nodes[node].Send.SetRate(limits.SendPolice, _context.Now);
        _nodes[node].Receive.SetRate(limits.ReceivePolice, _context.Now);
    }

    /// <summary>Drops what waits for an ESP tunnel, or came from it: its number may soon be another one's.</summary>
    public void CloseEsp(int espTunnel) => Close(NodeOfEsp(espTunnel));

    /// <summary>Takes this lcore's shares of limits that are divided.</summary>
    public void TakeShares(LcoreShares* shares)
    {
        Outside.ChangePort(shares->Outside, _context.Now);
        Inside.ChangePort(shares->Inside, _context.Now);
        for (int i = 0; i < _plan.Classes.Count; i++)
            _classes[i].Bucket.SetRate(shares->Class(i), _context.Now);
        for (int i = 0; i < shares->TunnelCount; i++)
            Change(shares->Tunnel(i)->Node, shares->Tunnel(i)->Limits);
    }

    /// <summary>Holds a user's packets back while its connection takes nothing, so that they wait where CoDel sees them, or lets them go.</summary>
    public void Hold(int slot, bool isHeld)
    {
        NodePolicy* node = _nodes + slot;
        node->IsBlocked = isHeld;
        if (isHeld)
            node->BlockedAt = _lastBlocked = _context.Now;
        // Who is paused goes on with the next release.
        if (isHeld || !node->IsPaused)
            Outside.Hold(slot, isHeld);
    }

    /// <summary>Whether a packet that came from a tunnel is within the tunnel's police.</summary>
    /// <param name="node">The tunnel.</param>
    /// <param name="length">Bytes of the packet.</param>
    // Sound, here and below: nodes are slots of the arena, numbers of pairs behind those, or the one for everything else.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReceive(int node, int length) => !_nodes[node].Receive.IsLimited || _nodes[node].Receive.TryTake(length, _context.Now);

    /// <summary>Takes a packet for a user.</summary>
    /// <returns>None, or why it was dropped.</returns>
    public DropReason ToUser(in RoutedPacket entry) => ToOutside(entry, entry.Target);

    /// <summary>Takes a packet for an ESP tunnel.</summary>
    /// <inheritdoc cref="ToUser" path="/returns"/>
    public DropReason ToEsp(in RoutedPacket entry) => ToOutside(entry, NodeOfEsp(entry.Target));

    /// <summary>Takes a packet for the local network.</summary>
    /// <inheritdoc cref="ToUser" path="/returns"/>
    public DropReason ToTun(in RoutedPacket entry)
    {
        int from = OriginOf(entry);
        int number = ClassOf(entry, _nodes[from].Rules);
        if (!TryPolice(entry.Packet, number))
            return Drop(entry.Packet, from, DropReason.Policed);
        PacketMeta.Of(entry.Packet)->Tunnel = from;
        Inside.Enqueue(entry.Packet, from, number, _context.Now);
        return DropReason.None;
    }

    /// <summary>Lets packets go on to be sealed and sent, as far as it is their turn.</summary>
    /// <returns>Whether there may be more that can go in this turn of the lcore.</returns>
    public bool Release()
    {
        Resume();
        int room = Math.Min(BurstSize, OutputQueues.Capacity - _output.EspCount);
        int chunk = _context.Now - _lastBlocked < SlowTime ? SlowChunk : Chunk;
        int outside = 0;
        for (int count = chunk; count == chunk && outside + chunk <= room; outside += count)
        {
            count = Outside.Dequeue(_burst, chunk, _context.Now);
            for (int i = 0; i < count; i++)
                ReleaseOutside(_burst[i]);
        }
        int inside = Inside.Dequeue(_burst, Math.Min(BurstSize, OutputQueues.Capacity - _output.TunCount), _context.Now);
        for (int i = 0; i < inside; i++)
        {
            if (!_output.TryAddTun(_burst[i]))
                _context.DropRouted(_burst[i], DropReason.TunFull);
        }
        ReturnDropped(Outside);
        ReturnDropped(Inside);
        return outside + chunk > room || inside == BurstSize || _pausedCount > 0;
    }

    /// <summary>Drops everything, when the lcore stops.</summary>
    public void Clear()
    {
        for (int node = 0; node <= _others && Outside.WaitingPackets + Inside.WaitingPackets > 0; node++)
            Close(node);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_nodes == null)
            return;
        Outside.Dispose();
        Inside.Dispose();
        KernelPacketMemory.Instance.Free((byte*)_nodes, NodeBytes);
        NativeMemory.Free(_classes);
        NativeMemory.Free(_burst);
        NativeMemory.Free(_paused);
        _paused = null;
        _nodes = null;
        _classes = null;
        _burst = null;
    }

    /// <summary>As what a scheduler's drop is counted.</summary>
    public static DropReason ReasonOf(TrafficDropReason reason) => reason switch
    {
        TrafficDropReason.Delay => DropReason.QueueDelay,
        TrafficDropReason.QueueFull => DropReason.QueueFull,
        TrafficDropReason.TotalFull => DropReason.QueuesFull,
        _ => DropReason.TunnelEnding,
    };

    private void Open(int node, in TunnelLimits limits)
    {
        int weight = Math.Max(1, limits.Weight);
        Outside.Open(node, weight, limits.SendShape, _context.Now);
        Inside.Open(node, weight, limits.ReceiveShape, _context.Now);
        _nodes[node] = new NodePolicy
        {
            Rules = limits.Rules,
            Send = new TunnelPolice(limits.SendPolice, _context.Now),
            Receive = new TunnelPolice(limits.ReceivePolice, _context.Now),
            BlockedAt = -SlowTime,
        };
        ReturnDropped(Outside);
        ReturnDropped(Inside);
    }

    private void Close(int node)
    {
        Outside.Clear(node);
        Inside.Clear(node);
        ReturnDropped(Outside);
        ReturnDropped(Inside);
    }

    private DropReason ToOutside(in RoutedPacket entry, int node)
    {
        PacketBuffer* packet = entry.Packet;
        if (_nodes[node].Send.IsLimited && !_nodes[node].Send.TryTake(packet->Length, _context.Now))
            return Drop(packet, node, DropReason.Policed);
        int number = ClassOf(entry, _nodes[node].Rules | _nodes[OriginOf(entry)].Rules);
        if (!TryPolice(packet, number))
            return Drop(packet, node, DropReason.Policed);
        PacketMeta.Of(packet)->Tunnel = node;
        Outside.Enqueue(packet, node, number, _context.Now);
        return DropReason.None;
    }

    /// <summary>The tunnel that a packet came from.</summary>
    private int OriginOf(in RoutedPacket entry) =>
        entry.Sender >= 0 ? entry.Sender : entry.Origin.Kind == RouteKind.Esp ? NodeOfEsp(entry.Origin.Index) : _others;

    /// <summary>A packet's class: that of its session, which its first packet has decided, plus 1 there; else its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int ClassOf(in RoutedPacket entry, ulong rules)
    {
        if (entry.Session == null)
            return _plan.Classifier.Classify(entry.Packet->Data, entry.Packet->Length, rules);
        if (entry.Session->TrafficClass == 0)
            entry.Session->TrafficClass = (byte)(_plan.Classifier.Classify(entry.Packet->Data, entry.Packet->Length, rules) + 1);
        return entry.Session->TrafficClass - 1;
    }

    /// <summary>Whether a packet is within its class's police.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryPolice(PacketBuffer* packet, int number)
    {
        // What a policy calls a class of its own may be none of these.
        ClassPolice* police = _classes + Math.Min(number, _plan.Classes.Count - 1);
        if (!police->Bucket.IsLimited)
            return true;
        bool passes = police->Bucket.TryTake(packet->Length, _context.Now);
        if (passes)
            police->PassedBytes += packet->Length;
        else
            police->RefusedBytes += packet->Length;
        return passes;
    }

    /// <summary>Lets those go on who have had enough for a moment, if their connections have taken it.</summary>
    private void Resume()
    {
        for (int i = 0; i < _pausedCount; i++)
        {
            NodePolicy* node = _nodes + _paused[i];
            node->IsPaused = false;
            node->Released = 0;
            if (!node->IsBlocked)
                Outside.Hold(_paused[i], false);
        }
        _pausedCount = 0;
    }

    private void ReleaseOutside(PacketBuffer* packet)
    {
        int number = PacketMeta.Of(packet)->Tunnel;
        if (number >= _users)
        {
            AddEsp(packet, number - _users);
            return;
        }
        NodePolicy* node = _nodes + number;
        node->Released += packet->Length;
        _tunnels.Enqueue(number, packet, CstpType.Data);
        if (node->IsPaused || node->Released < (_context.Now - node->BlockedAt < SlowTime ? SlowBudget : Budget))
            return;
        // Sound: a tunnel is paused once, by one of the packets of a burst at most.
        node->IsPaused = true;
        _paused[_pausedCount++] = number;
        Outside.Hold(number, true);
    }

    private void AddEsp(PacketBuffer* packet, int espTunnel)
    {
        PacketMeta.Of(packet)->Tunnel = espTunnel;
        if (_pairs[espTunnel]->Outbound == null)
            _context.DropRouted(packet, DropReason.NoPort);
        else if (!_output.TryAddEsp(packet))
            _context.DropRouted(packet, DropReason.EspFull);
    }

    private void ReturnDropped(TrafficScheduler scheduler)
    {
        for (PacketBuffer* packet = scheduler.TakeDropped(out TrafficDropReason why); packet != null; packet = scheduler.TakeDropped(out why))
            DropRouted(packet, PacketMeta.Of(packet)->Tunnel, ReasonOf(why));
    }

    /// <summary>Drops a packet that has waited.</summary>
    private void DropRouted(PacketBuffer* packet, int node, DropReason reason)
    {
        if (node < _users)
            _tunnels.DropRouted(node, packet, reason);
        else
            _context.DropRouted(packet, reason);
    }

    /// <summary>Drops a packet that does not begin to wait: who called counts that in its session.</summary>

    private DropReason Drop(PacketBuffer* packet, int node, DropReason reason)
    {
        if (node < _users)
            _tunnels.Drop(node, packet, reason);
        else
            _context.Drop(packet, reason);
        return reason;
    }

    /// <summary>A class's police on this lcore.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ClassPolice
    {
        public TokenBucket Bucket;
        public long PassedBytes;
        public long RefusedBytes;
    }
}
