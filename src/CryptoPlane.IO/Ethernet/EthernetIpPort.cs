using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Ports;

namespace CryptoPlane.IO.Ethernet;

/// <summary>
/// Makes a port of IP packets out of a port of Ethernet frames (a DPDK queue, a TAP): addresses, neighbours and the other traffic on the
/// link are dealt with here. Packets begin with their IP header, in both directions.
/// </summary>
/// <remarks>
/// <code>
///  frames ──► headers checked ─┬─ for the lcore (EthernetRole) ──────────────────► Receive
///                              ├─ ARP, neighbour discovery: learned from, then ─┐
///                              └─ everything else ──────────────────────────────┴► exception port, or answered here, or dropped
///
///  Transmit ──► next hop ──► neighbour known: Ethernet header ──► frames
///                            unknown: asked for, the packet waits
/// </code>
/// <para>Belongs to one lcore, like the ports and the pool under it. Call <see cref="Tick"/> in every turn, and
/// <see cref="PumpException"/> when the exception port has something. <see cref="Connect"/> joins the ports that lcores have on one link,
/// since an answer comes to one of their queues only.</para>
/// <para>Behind the exception port is a kernel interface with the same Ethernet and IP addresses: it answers ARP, echo requests and
/// everything that is not tunnel traffic. Without one, this port answers for its addresses itself.</para>
/// </remarks>
public sealed unsafe class EthernetIpPort : IPacketPort, IDisposable
{
    private const int Batch = 64;

    private readonly IPacketPort _frames;
    private readonly IPacketPort? _exception;
    private readonly PacketPool _pool;
    private readonly NextHops _hops;
    private readonly FrameClassifier _classifier;
    private readonly LocalResponder _responder;
    private readonly NeighbourResolver _neighbours;
    private readonly int _mtu;
    private EthernetCounters* _counters;
    private PacketBuffer** _batch;

    /// <summary>Puts a port together; nothing is sent yet.</summary>
    /// <param name="frames">Where frames come and go.</param>
    /// <param name="options">What the port is on its link.</param>
    /// <param name="pool">The lcore's pool, of which all packets are.</param>
    /// <param name="exception">Takes the frames that are not for the lcore, or null; its buffers are of the same pool.</param>
    /// <exception cref="ArgumentException">An option contradicts another.</exception>
    public EthernetIpPort(IPacketPort frames, EthernetIpOptions options, PacketPool pool, IPacketPort? exception = null)
    {
        ArgumentNullException.ThrowIfNull(frames);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(pool);
        options.Validate();
        _frames = frames;
        _exception = exception;
        _pool = pool;
        _mtu = options.Mtu;
        ulong mac = 0;
        options.Mac.GetAddressBytes().CopyTo(new Span<byte>(&mac, 6));
        _hops = new NextHops(options);
        _classifier = new FrameClassifier(options, _hops, mac, tagsWanted: exception != null);
        _responder = new LocalResponder(_hops, mac);
        _counters = (EthernetCounters*)NativeMemory.AlignedAlloc(EthernetCounters.SizeInBytes, 128);
        NativeMemory.Clear(_counters, EthernetCounters.SizeInBytes);
        _batch = (PacketBuffer**)NativeMemory.Alloc(2 * Batch, (nuint)sizeof(PacketBuffer*));
        _neighbours = new NeighbourResolver(options, _hops, mac, pool, frames, _counters);
    }

    /// <summary>Neighbours that are known or asked for.</summary>
    public int NeighbourCount => _neighbours.Count;

    /// <summary>Joins the ports of several lcores on one link, so that each learns what the others hear. Control thread, before they run.</summary>
    public static void Connect(IReadOnlyList<EthernetIpPort> ports)
    {
        ArgumentNullException.ThrowIfNull(ports);
        foreach (EthernetIpPort from in ports)
        {
            foreach (EthernetIpPort to in ports.Where(to => to != from))
                from._neighbours.TellTo(to._neighbours);
        }
    }

    /// <summary>A copy of the counters. Any thread, until <see cref="Dispose"/>.</summary>
    public EthernetCounters ReadCounters() => EthernetCounters.Copy(_counters);

    /// <summary>Does what is due: asks neighbours again, forgets old ones, takes what other lcores learned.</summary>
    /// <param name="now">A clock that does not go back, in nanoseconds.</param>
    public void Tick(long now) => _neighbours.Tick(now);

    /// <summary>Tells the link where our addresses are: after the start, or after a fail-over.</summary>
    public void Announce() => _neighbours.Announce();

    /// <inheritdoc/>
    public int Receive(PacketBuffer** burst, int capacity)
    {
        int kept = 0;
        // So many frames are looked at, whatever they are: a flood of others does not keep the lcore here.
        int budget = capacity;
        while (budget > 0)
        {
            int wanted = Math.Min(budget, Batch);
            int received = _frames.Receive(_batch, wanted);
            int aside = 0;
            for (int i = 0; i < received; i++)
            {
                PacketBuffer* frame = _batch[i];
                switch (Accept(frame))
                {
                    case Outcome.Packet:
                        burst[kept++] = frame;
                        break;
                    case Outcome.Aside:
                        // Sound: the second half of the array has as many places as the first.
                        _batch[Batch + aside++] = frame;
                        break;
                }
            }
            if (aside > 0)
                PutAside(_batch + Batch, aside);
            _counters->ReceivedFrames += received;
            budget -= received;
            if (received < wanted)
                break;
        }
        return kept;
    }

    /// <inheritdoc/>
    /// <remarks>Takes every packet: what cannot be sent is dropped and counted, what has no neighbour yet waits.</remarks>
    public int Transmit(PacketBuffer** burst, int count)
    {
        int ready = 0;
        long bytes = 0;
        for (int i = 0; i < count; i++)
        {
            int length = burst[i]->Length;
            EthernetDrop reason = Prepare(burst[i], out bool waits);
            if (reason != EthernetDrop.None)
            {
                Drop(burst[i], reason);
                continue;
            }
            if (waits)
                continue;
            bytes += length;
            _batch[ready++] = burst[i];
            if (ready == Batch)
            {
                Send(_batch, ready, bytes);
                (ready, bytes) = (0, 0);
            }
        }
        if (ready > 0)
            Send(_batch, ready, bytes);
        return count;
    }

    /// <summary>Sends what the exception port has: frames of the kernel, as they are.</summary>
    /// <returns>How many frames there were; the caller comes back while it is not 0.</returns>
    public int PumpException()
    {
        if (_exception == null)
            return 0;
        int received = _exception.Receive(_batch, Batch);
        int sent = received == 0 ? 0 : _frames.Transmit(_batch, received);
        _counters->FromException += sent;
        DropAll(_batch + sent, received - sent, EthernetDrop.PortFull);
        return received;
    }

    /// <summary>
    /// Frees what the port holds; waiting packets go back to the pool. The ports under it stay. Once the lcores of all connected ports have
    /// stopped.
    /// </summary>
    public void Dispose()
    {
        if (_counters == null)
            return;
        _neighbours.Dispose();
        NativeMemory.AlignedFree(_counters);
        NativeMemory.Free(_batch);
        _counters = null;
        _batch = null;
    }

    private enum Outcome
    {
        Packet,
        Aside,
        Done,
    }

    /// <summary>Decides about a received frame: a packet for the lcore, something for the exception port, or done with.</summary>
    private Outcome Accept(PacketBuffer* frame)
    {
        FrameClass kind = _classifier.Classify(frame, out int length, out EthernetDrop reason);
        if (kind == FrameClass.PriorityTagged)
        {
            EthernetFrame.TakeTagOff(frame);
            kind = _classifier.Classify(frame, out length, out reason);
        }
        bool answered = false;
        switch (kind)
        {
            case FrameClass.Drop:
                Drop(frame, reason);
                return Outcome.Done;
            case FrameClass.Deliver:
                frame->TryTrimFront(EthernetFrame.HeaderSize);
                frame->TrySetLength(length);
                _counters->ReceivedPackets++;
                _counters->ReceivedBytes += length;
                return Outcome.Packet;
            case FrameClass.Arp:
                if (!Arp.TryRead(frame->Data + EthernetFrame.HeaderSize, frame->Length - EthernetFrame.HeaderSize, out Arp.Message arp))
                    break;
                _counters->NeighbourMessages++;
                _neighbours.Learn(in arp);
                answered = _exception == null && _responder.TryAnswer(frame, in arp);
                break;
            case FrameClass.NeighbourDiscovery:
                if (!NeighbourDiscovery.TryRead(frame->Data + EthernetFrame.HeaderSize, length, out NeighbourDiscovery.Message discovery))
                    break;
                _counters->NeighbourMessages++;
                _neighbours.Learn(in discovery);
                answered = _exception == null && _responder.TryAnswer(frame, in discovery);
                break;
            case FrameClass.OwnIcmp:
                // The answer goes back where the request came from: no neighbour is looked up or learned for it.
                answered = _exception == null && _responder.TryAnswerEcho(frame, length);
                break;
        }
        if (!answered)
            return Outcome.Aside;
        _counters->Answered++;
        _neighbours.Send(frame);
        return Outcome.Done;
    }

    private void PutAside(PacketBuffer** frames, int count)
    {
        if (_exception == null)
        {
            DropAll(frames, count, EthernetDrop.NotForUs);
            return;
        }
        int taken = _exception.Transmit(frames, count);
        _counters->ToException += taken;
        DropAll(frames + taken, count - taken, EthernetDrop.ExceptionFull);
    }

    /// <summary>Puts the Ethernet header before a packet, or lets it wait for its neighbour.</summary>
    private EthernetDrop Prepare(PacketBuffer* packet, out bool waits)
    {
        waits = false;
        byte* data = packet->Data;
        int version = packet->Length < Offload.HeaderFields.IPv4HeaderSize ? 0 : data[0] >> 4;
        if (version != 4 && (version != 6 || packet->Length < Offload.HeaderFields.IPv6HeaderSize))
            return EthernetDrop.NoIpPacket;
        if (packet->Length > _mtu)
            return EthernetDrop.TooLong;
        LinkAddress destination = version == 4 ? LinkAddress.IPv4(data + 16) : LinkAddress.IPv6(data + 24);
        if (version == 6 && destination.IsIPv4)
            return EthernetDrop.NoRoute;
        EthernetDrop reason = _neighbours.Resolve(in destination, out Neighbour* neighbour);
        if (reason != EthernetDrop.None)
            return reason;
        if (!neighbour->IsUsable)
        {
            waits = _neighbours.TryQueue(neighbour, packet);
            return waits ? EthernetDrop.None : EthernetDrop.NeighbourQueueFull;
        }
        if (!packet->TryPrepend(EthernetFrame.HeaderSize))
            return EthernetDrop.NoHeadroom;
        neighbour->WriteHeader(packet->Data);
        return EthernetDrop.None;
    }

    private void Send(PacketBuffer** frames, int count, long bytes)
    {
        int sent = _frames.Transmit(frames, count);
        for (int i = sent; i < count; i++)
            bytes -= frames[i]->Length - EthernetFrame.HeaderSize;
        _counters->TransmittedPackets += sent;
        _counters->TransmittedBytes += bytes;
        DropAll(frames + sent, count - sent, EthernetDrop.PortFull);
    }

    private void Drop(PacketBuffer* packet, EthernetDrop reason)
    {
        _counters->Add(reason);
        _pool.Return(packet);
    }

    private void DropAll(PacketBuffer** packets, int count, EthernetDrop reason)
    {
        for (int i = 0; i < count; i++)
            Drop(packets[i], reason);
    }
}
