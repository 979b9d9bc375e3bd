using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Traffic;

/// <summary>
/// Who sends next where a port is the bottleneck: packets wait in a queue per class of each tunnel; tunnels take turns by deficit round
/// robin, classes by priority and then likewise; shapers hold back a tunnel, a class, or the port; CoDel keeps queues from standing.
/// </summary>
/// <remarks>
/// <para>One lcore's own; made and disposed of by the control thread that makes the lcore. It reads no clock, allocates nothing after the
/// constructor, and its cost per packet does not depend on the number of tunnels (but for tunnels that wait for a shaper, which lie in a
/// heap).</para>
/// <para>Call order of a turn: <see cref="Enqueue"/> for what has come; <see cref="Dequeue"/> until it gives less than it could;
/// <see cref="TakeDropped"/> until it gives null; sleep no longer than <see cref="NextDeadline"/>.</para>
/// <para>A packet that was enqueued is the scheduler's until it comes out, once, of <see cref="Dequeue"/> or of <see cref="TakeDropped"/>.
/// Until then the first 16 bytes of its scratch are used here. Packets of one class of a tunnel come out in their order.</para>
/// <para>Turns: M. Shreedhar, G. Varghese, "Efficient Fair Queueing Using Deficit Round Robin", SIGCOMM 1995, with deficits that are paid
/// after sending; tunnels that were silent are served before those in a queue, as RFC 8290 §4.2 does with flows. CoDel: RFC 8289.</para>
/// </remarks>
public sealed unsafe partial class TrafficScheduler : IDisposable
{
    private readonly int _tunnels;
    private readonly int _classes;
    private readonly int _quantum;
    private readonly int _overhead;
    private readonly long _totalBytes;
    private readonly long _totalPackets;
    private readonly CoDelParameters _coDel;
    private readonly ClassSettings* _settings;
    private readonly QueueCounters* _classCounters;
    private readonly WaitHeap _waiting;
    private readonly LongestTunnels _longest;
    private readonly ushort* _levelMasks;
    private readonly ushort _shapedClasses;
    private TunnelNode* _nodes;
    private ClassQueue* _queues;
    private TokenBucket* _classShapers;
    private TurnList _new = new(TunnelPlace.New);
    private TurnList _old = new(TunnelPlace.Old);
    private TokenBucket _port;
    private PacketBuffer* _droppedHead;
    private PacketBuffer* _droppedTail;
    private long _bytes;
    private long _packets;

    /// <summary>Makes empty queues. A tunnel that was not opened has weight 1, and no limits of its own.</summary>
    /// <param name="options">What it is made of.</param>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    public TrafficScheduler(TrafficSchedulerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _tunnels = options.Tunnels;
        _classes = options.Classes.Count;
        _quantum = options.Quantum;
        _overhead = options.OverheadBytes;
        _totalBytes = options.TotalBytes;
        _totalPackets = options.TotalPackets;
        _coDel = options.CoDel;
        _port = new TokenBucket(options.Port, 0);
        _settings = (ClassSettings*)NativeMemory.AllocZeroed(TrafficSchedulerOptions.MaxClasses, (nuint)sizeof(ClassSettings));
        _classCounters = (QueueCounters*)NativeMemory.AllocZeroed(TrafficSchedulerOptions.MaxClasses, (nuint)sizeof(QueueCounters));
        _levelMasks = (ushort*)NativeMemory.AllocZeroed(TrafficSchedulerOptions.MaxClasses, sizeof(ushort));
        for (int i = 0; i < _classes; i++)
        {
            TrafficClassOptions one = options.Classes[i];
            _settings[i] = new ClassSettings { Quantum = one.Weight * _quantum, Bytes = one.QueueBytes, Packets = one.QueuePackets, Shape = one.Shape };
            if (one.Shape.IsLimited)
                _shapedClasses |= (ushort)(1 << i);
        }
        int levels = 0;
        foreach (IGrouping<int, int> level in Enumerable.Range(0, _classes).GroupBy(i => options.Classes[i].Priority).OrderBy(level => level.Key))
            _levelMasks[levels++] = (ushort)level.Sum(i => 1 << i);
        // Huge pages where there are: any packet's tunnel is anywhere.
        _nodes = (TunnelNode*)KernelPacketMemory.Instance.Allocate(NodeBytes, 64);
        _queues = (ClassQueue*)KernelPacketMemory.Instance.Allocate(QueueBytes, 64);
        if (_shapedClasses != 0)
            _classShapers = (TokenBucket*)KernelPacketMemory.Instance.Allocate(ShaperBytes, 64);
        _waiting = new WaitHeap(_nodes, _tunnels);
        _longest = new LongestTunnels(_nodes);
    }

    /// <summary>Packets that wait.</summary>
    public long WaitingPackets => _packets;

    /// <summary>Their bytes.</summary>
    public long WaitingBytes => _bytes;

    /// <summary>How many classes there are.</summary>
    public int ClassCount => _classes;

    /// <summary>How many tunnels there can be.</summary>
    public int TunnelCount => _tunnels;

    private nuint NodeBytes => (nuint)_tunnels * (nuint)sizeof(TunnelNode);

    private nuint QueueBytes => (nuint)_tunnels * (nuint)_classes * (nuint)sizeof(ClassQueue);

    private nuint ShaperBytes => (nuint)_tunnels * (nuint)_classes * (nuint)sizeof(TokenBucket);

    /// <summary>Begins a tunnel, with counters at zero and full buckets. One that has packets is cleared first.</summary>
    /// <param name="tunnel">Its number.</param>
    /// <param name="weight">Its share where the port is the bottleneck: 1 to <see cref="TrafficClassOptions.MaxWeight"/>.</param>
    /// <param name="shape">What it may send at most.</param>
    /// <param name="now">The clock, in nanoseconds; more than 0, here and everywhere.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such tunnel, or a value is out of its range.</exception>
    public void Open(int tunnel, int weight, in TrafficRate shape, long now)
    {
        TunnelNode* node = NodeOf(tunnel);
        Clear(tunnel);
        node->Counters = default;
        node->Shaper = new TokenBucket(shape, now);
        node->IsHeld = false;
        if (_classShapers != null)
        {
            for (int i = 0; i < _classes; i++)
                _classShapers[(tunnel * (long)_classes) + i] = new TokenBucket(_settings[i].Shape, now);
        }
        Change(tunnel, weight, shape, now);
    }

    /// <summary>Changes a tunnel's weight and rate; what waits stays.</summary>
    /// <inheritdoc cref="Open" path="/param|/exception"/>
    public void Change(int tunnel, int weight, in TrafficRate shape, long now)
    {
        TunnelNode* node = NodeOf(tunnel);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(weight);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(weight, TrafficClassOptions.MaxWeight);
        node->Quantum = weight * _quantum;
        node->Shaper.SetRate(shape, now);
        // It may be due earlier than it was.
        if (node->Place == TunnelPlace.Waiting)
            StopWaiting(tunnel);
    }

    /// <summary>Changes the port's rate.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public void ChangePort(in TrafficRate rate, long now) => _port.SetRate(rate, now);

    /// <summary>Holds a tunnel back, since what is behind it takes nothing (a connection whose peer does not read), or lets it go on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such tunnel.</exception>
    public void Hold(int tunnel, bool isHeld)
    {
        TunnelNode* node = NodeOf(tunnel);
        node->IsHeld = isHeld;
        if (!isHeld && node->Place == TunnelPlace.None && node->Active != 0)
            _old.Push(_nodes, tunnel);
    }

    /// <summary>Drops what waits in a tunnel, to be taken with <see cref="TakeDropped"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such tunnel.</exception>
    public void Clear(int tunnel)
    {
        TunnelNode* node = NodeOf(tunnel);
        for (int i = 0; node->Active != 0; i++)
        {
            while (QueueOf(tunnel, i)->Head != null)
                Drop(tunnel, i, Take(tunnel, i), TrafficDropReason.Cleared);
        }
    }

    /// <summary>Puts a packet into its queue. Where that has no room, or all of them together, a packet is dropped.</summary>
    /// <param name="packet">The packet; the scheduler's from now on.</param>
    /// <param name="tunnel">The tunnel.</param>
    /// <param name="trafficClass">The class; what is no class is the last one.</param>
    /// <param name="now">The clock, in nanoseconds.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such tunnel.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enqueue(PacketBuffer* packet, int tunnel, int trafficClass, long now)
    {
        TunnelNode* node = NodeOf(tunnel);
        int number = (uint)trafficClass < (uint)_classes ? trafficClass : _classes - 1;
        ClassQueue* queue = QueueOf(tunnel, number);
        int length = packet->Length;
        // Sound: as many settings as classes.
        if (queue->Bytes + length > _settings[number].Bytes || queue->Packets >= _settings[number].Packets)
        {
            Drop(tunnel, number, packet, TrafficDropReason.QueueFull);
            return;
        }
        queue->Push(packet, now);
        // A class that was silent may send though those that the tunnel waits for may not.
        if (node->WaitsForClass && (node->Active & (1 << number)) == 0)
            StopWaiting(tunnel);
        node->Active |= (ushort)(1 << number);
        node->Counters.Came(length);
        _classCounters[number].Came(length);
        _bytes += length;
        _packets++;
        _longest.Note(tunnel, node->Counters.WaitingBytes);
        if (node->Place == TunnelPlace.None && !node->IsHeld)
        {
            if (node->Quantum == 0)
                node->Quantum = _quantum;
            node->Deficit = node->Quantum;
            _new.Push(_nodes, tunnel);
        }
        if (_bytes > _totalBytes || _packets > _totalPackets)
            DropFromLongest();
    }

    /// <summary>Takes a packet that was dropped.</summary>
    /// <param name="reason">Why.</param>
    /// <returns>The packet, the caller's from now on; null when there is none.</returns>
    public PacketBuffer* TakeDropped(out TrafficDropReason reason)
    {
        PacketBuffer* packet = _droppedHead;
        reason = default;
        if (packet == null)
            return null;
        QueuedPacket* note = QueuedPacket.Of(packet);
        reason = (TrafficDropReason)note->Time;
        _droppedHead = note->Next;
        if (_droppedHead == null)
            _droppedTail = null;
        return packet;
    }

    /// <summary>A tunnel's counters. Any thread may read: each number is one that was there.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such tunnel.</exception>
    public QueueCounters ReadTunnel(int tunnel) => NodeOf(tunnel)->Counters;

    /// <summary>A class's counters, over all tunnels. Any thread may read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public QueueCounters ReadClass(int trafficClass)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)trafficClass, (uint)_classes, nameof(trafficClass));
        return _classCounters[trafficClass];
    }

    /// <summary>Frees the queues. Packets in them are not given back: clear the tunnels first, or dispose of the packets' pool.</summary>
    public void Dispose()
    {
        if (_nodes == null)
            return;
        _waiting.Dispose();
        _longest.Dispose();
        KernelPacketMemory.Instance.Free((byte*)_nodes, NodeBytes);
        KernelPacketMemory.Instance.Free((byte*)_queues, QueueBytes);
        if (_classShapers != null)
            KernelPacketMemory.Instance.Free((byte*)_classShapers, ShaperBytes);
        NativeMemory.Free(_settings);
        NativeMemory.Free(_classCounters);
        NativeMemory.Free(_levelMasks);
        _nodes = null;
        _queues = null;
        _classShapers = null;
    }

    // Sound: the number is compared with the count that the memory was made for.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TunnelNode* NodeOf(int tunnel)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)tunnel, (uint)_tunnels, nameof(tunnel));
        return _nodes + tunnel;
    }

    // Sound: callers have checked the tunnel, and count classes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ClassQueue* QueueOf(int tunnel, int number) => _queues + ((long)tunnel * _classes) + number;

    /// <summary>RFC 8290 §4.1: who has the most waiting loses its oldest packet, whose sender learns of it soonest.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void DropFromLongest()
    {
        while (_bytes > _totalBytes || _packets > _totalPackets)
        {
            int tunnel = _longest.First;
            int longest = 0;
            for (int i = 1; i < _classes; i++)
            {
                if (QueueOf(tunnel, i)->Bytes > QueueOf(tunnel, longest)->Bytes)
                    longest = i;
            }
            Drop(tunnel, longest, Take(tunnel, longest), TrafficDropReason.TotalFull);
        }
    }

    private void StopWaiting(int tunnel)
    {
        _waiting.Remove(tunnel);
        _nodes[tunnel].WaitsForClass = false;
        _old.Push(_nodes, tunnel);
    }

    private void Drop(int tunnel, int number, PacketBuffer* packet, TrafficDropReason reason)
    {
        _nodes[tunnel].Counters.Drop(reason);
        _classCounters[number].Drop(reason);
        QueuedPacket* note = QueuedPacket.Of(packet);
        note->Next = null;
        note->Time = (long)reason;
        if (_droppedTail == null)
            _droppedHead = packet;
        else
            QueuedPacket.Of(_droppedTail)->Next = packet;
        _droppedTail = packet;
    }

    /// <summary>A class's settings, as the data path reads them.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ClassSettings
    {
        public int Quantum;
        public int Bytes;
        public int Packets;
        public TrafficRate Shape;
    }
}
