using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.IO;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// The last stage: one send per connection, with what the socket does not take kept in order and sent when it can be, in the middle of a
/// record if need be; bursts for the ESP sockets and the TUN queue.
/// </summary>
internal sealed unsafe class TransmitStage : IDisposable
{
    private const int MaxVectors = 64;
    private const int EspCapacity = 512;

    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private readonly EspPairs _pairs;
    private readonly OutputQueues _output;
    private readonly IPacketPort? _tun;
    private readonly IPacketPort[] _espPorts;
    private readonly int[] _espCounts;
    private readonly IPacketPort[] _dtlsPorts;
    private readonly int[] _dtlsCounts;
    private IoVector* _vectors;
    private PacketBuffer** _esp;
    private PacketBuffer** _datagrams;

    public TransmitStage(LcoreContext context, TunnelTable tunnels, EspPairs pairs, OutputQueues output, LcorePorts ports)
    {
        _context = context;
        _tunnels = tunnels;
        _pairs = pairs;
        _output = output;
        _tun = ports.Tun?.Port;
        _espPorts = [.. ports.Esp.Select(port => port.Port)];
        _espCounts = new int[_espPorts.Length];
        _dtlsPorts = [.. ports.Dtls.Select(port => port.Port)];
        _dtlsCounts = new int[_dtlsPorts.Length];
        _datagrams = (PacketBuffer**)NativeMemory.Alloc((nuint)(LcoreContext.BurstSize * Math.Max(1, _dtlsPorts.Length)), (nuint)sizeof(PacketBuffer*));
        _vectors = (IoVector*)NativeMemory.Alloc(MaxVectors, (nuint)sizeof(IoVector));
        _esp = (PacketBuffer**)NativeMemory.Alloc((nuint)(EspCapacity * Math.Max(1, _espPorts.Length)), (nuint)sizeof(PacketBuffer*));
    }

    /// <summary>Sends sealed records, or keeps them: the seal stage has made sure that there is room.</summary>
    public void Send(int slot, byte* bytes, int count)
    {
        UserTunnel* tunnel = _tunnels[slot];
        tunnel->LastSent = _context.NowMilliseconds;
        if (_context.Tap.IsOn)
            _context.Tap.Stream(CapturePoint.Tls, CaptureDirection.Out, bytes, count, ref tunnel->Capture);
        if (tunnel->Unsent.Length == 0)
        {
            switch (TcpSocket.Send(tunnel->Socket, bytes, count, out int sent))
            {
                case IoStatus.Done or IoStatus.WouldBlock:
                    bytes += sent;
                    count -= sent;
                    break;
                default:
                    _tunnels.Close(slot, TunnelEndReason.ConnectionLost);
                    return;
            }
        }
        if (count > 0)
        {
            if (!tunnel->Unsent.TryAppend(_context.UnsentMemory, bytes, count))
            {
                _tunnels.Close(slot, TunnelEndReason.ConnectionLost);
                return;
            }
            AwaitWritable(slot, true);
        }
        else
        {
            CloseIfDrained(slot);
        }
    }

    /// <summary>Sends what waits on a connection whose socket takes something again.</summary>
    public void Resume(int slot)
    {
        UserTunnel* tunnel = _tunnels[slot];
        while (tunnel->Unsent.Length > 0)
        {
            int vectors = 0;
            long offered = 0;
            for (Chunk* chunk = tunnel->Unsent.Head; chunk != null && vectors < MaxVectors; chunk = chunk->Next)
            {
                int part = chunk->End - chunk->Start;
                _vectors[vectors++] = new IoVector(chunk->Data + chunk->Start, part);
                offered += part;
            }
            switch (TcpSocket.SendVector(tunnel->Socket, _vectors, vectors, out long sent))
            {
                case IoStatus.Done:
                    tunnel->Unsent.Consume(_context.UnsentMemory, (int)sent);
                    if (sent < offered)
                        return;
                    break;
                case IoStatus.WouldBlock:
                    return;
                default:
                    _tunnels.Close(slot, TunnelEndReason.ConnectionLost);
                    return;
            }
        }
        AwaitWritable(slot, false);
        CloseIfDrained(slot);
    }

    /// <summary>Puts a sealed ESP packet into the burst of its socket.</summary>
    public void AddEsp(PacketBuffer* packet, int espTunnel)
    {
        EspPair* pair = _pairs[espTunnel];
        FlowMark.Keep(packet);
        *(PacketEndpoint*)packet->Scratch = pair->Remote;
        // Sound: the encapsulator's burst is not larger than a port's part of the array, and is flushed before the next.
        _esp[(pair->Port * EspCapacity) + _espCounts[pair->Port]++] = packet;
    }

    /// <summary>Sends the ESP packets that were added.</summary>
    public void FlushEsp()
    {
        for (int port = 0; port < _espPorts.Length; port++)
        {
            int count = _espCounts[port];
            if (count == 0)
                continue;
            _espCounts[port] = 0;
            PacketBuffer** burst = _esp + (port * EspCapacity);
            int sent = _espPorts[port].Transmit(burst, count);
            for (int i = sent; i < count; i++)
                _context.DropUnsent(burst[i], DropReason.EspFull);
        }
    }

    /// <summary>Puts a sealed datagram of a user into the burst of its socket.</summary>
    public void AddDatagram(PacketBuffer* packet)
    {
        UserTunnel* tunnel = _tunnels[PacketMeta.Of(packet)->Tunnel];
        int port = tunnel->DtlsPort;
        FlowMark.Keep(packet);
        *(PacketEndpoint*)packet->Scratch = tunnel->DtlsPeer;
        // Sound: the seal stage has no more datagrams than a port's part of the array holds, and flushes them before the next.
        _datagrams[(port * LcoreContext.BurstSize) + _dtlsCounts[port]++] = packet;
    }

    /// <summary>Sends the datagrams that were added.</summary>
    public void FlushDatagrams()
    {
        for (int port = 0; port < _dtlsPorts.Length; port++)
        {
            int count = _dtlsCounts[port];
            if (count == 0)
                continue;
            _dtlsCounts[port] = 0;
            PacketBuffer** burst = _datagrams + (port * LcoreContext.BurstSize);
            int sent = _dtlsPorts[port].Transmit(burst, count);
            for (int i = sent; i < count; i++)
            {
                _tunnels[PacketMeta.Of(burst[i])->Tunnel]->Drops++;
                _context.DropUnsent(burst[i], DropReason.DtlsFull);
            }
        }
    }

    /// <summary>Sends the packets for the kernel.</summary>
    public void FlushTun()
    {
        int count = _output.TunCount;
        if (count == 0)
            return;
        PacketBuffer** burst = _output.Tun;
        int sent = 0;
        if (_tun != null)
        {
            ulong bytes = 0;
            for (int i = 0; i < count; i++)
                bytes += (uint)burst[i]->Length;
            sent = _tun.Transmit(burst, count);
            for (int i = sent; i < count; i++)
                bytes -= (uint)burst[i]->Length;
            _context.Counters->Tun.SentPackets += (uint)sent;
            _context.Counters->Tun.SentBytes += bytes;
        }
        for (int i = sent; i < count; i++)
            _context.DropRouted(burst[i], _tun == null ? DropReason.NoPort : DropReason.TunFull);
        _output.ClearTun();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_esp);
        NativeMemory.Free(_datagrams);
        _vectors = null;
        _datagrams = null;
        _esp = null;
    }

    private void AwaitWritable(int slot, bool await)
    {
        UserTunnel* tunnel = _tunnels[slot];
        if ((tunnel->Flags & TunnelFlags.AwaitsWritable) != 0 == await)
            return;
        tunnel->Flags ^= TunnelFlags.AwaitsWritable;
        _context.Queues?.Hold(slot, await);
        _tunnels.Watch(slot);
    }

    private void CloseIfDrained(int slot)
    {
        UserTunnel* tunnel = _tunnels[slot];
        if (tunnel->State != TunnelState.Draining || tunnel->Unsent.Length != 0)
            return;
        if (tunnel->Farewell == Farewell.Disconnect)
            _tunnels.Linger(slot);
        else
            _tunnels.Close(slot, tunnel->EndReason);
    }
}
