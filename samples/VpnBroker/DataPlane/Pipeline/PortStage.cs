using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.Esp;
using CryptoPlane.IO;
using CryptoPlane.Lcores;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Counters;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>Takes packets from the TUN queue, the ESP sockets and the rings of other lcores.</summary>
internal sealed unsafe class PortStage : IDisposable
{
    private const int BurstSize = 256;

    private readonly LcoreContext _context;
    private readonly RouteStage _route;
    private readonly OpenStage _open;
    private readonly DtlsStage _dtls;
    private readonly IPacketPort? _tun;
    private readonly TunPort? _segmentingTun;
    private readonly bool _asksTun;
    private readonly EspPort[] _esp;
    private readonly UdpPort?[] _segmentingEsp;
    private PacketBuffer** _burst;
    private bool _polledSome;

    public PortStage(LcoreContext context, RouteStage route, OpenStage open, DtlsStage dtls, LcorePorts ports)
    {
        _context = context;
        _route = route;
        _open = open;
        _dtls = dtls;
        _tun = ports.Tun?.Port;
        _segmentingTun = CapturingPort.Behind(_tun) as TunPort;
        _asksTun = ports.Tun is { FileDescriptor: < 0 };
        _esp = [.. ports.Esp];
        _segmentingEsp = [.. ports.Esp.Select(port => CapturingPort.Behind(port.Port) as UdpPort)];
        _burst = (PacketBuffer**)NativeMemory.Alloc(BurstSize, (nuint)sizeof(PacketBuffer*));
    }

    /// <summary>Whether there is something of which no descriptor tells: segments, or packets of another lcore.</summary>
    public bool HasPendingWork
    {
        get
        {
            // A port that wakes nobody and has just had packets is likely to have more.
            if (_polledSome || _segmentingTun is { HasPendingPackets: true })
                return true;
            foreach (UdpPort? port in _segmentingEsp)
            {
                if (port is { HasPendingPackets: true })
                    return true;
            }
            foreach (PacketHandover? ring in _context.HandOverFrom)
            {
                if (ring is { IsEmpty: false })
                    return true;
            }
            return false;
        }
    }

    /// <summary>Takes a burst from the TUN queue.</summary>
    public int ReceiveTun()
    {
        int count = _tun!.Receive(_burst, BurstSize);
        for (int i = 0; i < count; i++)
            _route.FromTun(_burst[i]);
        _route.Flush();
        return count;
    }

    /// <summary>Takes a burst from an ESP socket.</summary>
    public int ReceiveEsp(int port)
    {
        int count = _esp[port].Port.Receive(_burst, Math.Min(BurstSize, _open.EspRoom));
        for (int i = 0; i < count; i++)
        {
            PacketMeta.Of(_burst[i])->Ingress = _esp[port].Ingress;
            Steer(_burst[i], _esp[port].Ingress, port);
        }
        return count;
    }

    /// <summary>Takes what ports hold of which no descriptor tells: the rest of super-packets, and ports without a descriptor.</summary>
    public int ReceivePending()
    {
        int polled = _asksTun ? ReceiveTun() : 0;
        int count = _segmentingTun is { HasPendingPackets: true } && !_asksTun ? ReceiveTun() : 0;
        for (int i = 0; i < _segmentingEsp.Length; i++)
        {
            if (_esp[i].FileDescriptor < 0)
                polled += ReceiveEsp(i);
            else if (_segmentingEsp[i] is { HasPendingPackets: true })
                count += ReceiveEsp(i);
        }
        _polledSome = polled > 0;
        return polled + count;
    }

    /// <summary>Takes what other lcores have handed over.</summary>
    public int ReceiveHandedOver()
    {
        int total = 0;
        foreach (PacketHandover? ring in _context.HandOverFrom)
        {
            if (ring == null || ring.IsEmpty)
                continue;
            int count = ring.Receive(_burst, Math.Min(BurstSize, Math.Min(_open.EspRoom, _open.DtlsRoom)), _context.Packets);
            for (int i = 0; i < count; i++)
            {
                switch (PacketMeta.Of(_burst[i])->Kind)
                {
                    case HandOverKind.Esp:
                        _open.Add(_burst[i]);
                        break;
                    case HandOverKind.Dtls:
                        _dtls.TakeOver(_burst[i]);
                        break;
                    default:
                        _route.FromLcore(_burst[i]);
                        break;
                }
            }
            total += count;
        }
        _route.Flush();
        _context.Counters->TakenOver += (uint)total;
        return total;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_burst);
        _burst = null;
    }

    /// <summary>ESP whose SPI names another lcore goes there, once; everything else is opened here.</summary>
    private void Steer(PacketBuffer* packet, EspIngress ingress, int port)
    {
        int home = HomeOf(packet->Data, packet->Length, ingress);
        if (home < 0 && ingress == EspIngress.UdpPayload && _context.StrayIke != null && UdpEncapsulation.Classify(packet->Span) == UdpPayloadKind.NonEsp)
        {
            GiveToIke(packet, port);
            return;
        }
        PacketHandover? ring = home >= 0 && home < _context.HandOverTo.Length && home != _context.Index ? _context.HandOverTo[home] : null;
        if (ring == null)
        {
            _open.Add(packet);
            return;
        }
        PacketMeta.Of(packet)->Kind = HandOverKind.Esp;
        if (ring.TryPost(packet))
            _context.Counters->HandedOver++;
        else
            _context.Counters->Drop(DropReason.HandOverFull);
        _context.Return(packet);
    }

    /// <summary>The socket's filter has seen the first of several datagrams that a device has put together; this one is IKE's.</summary>
    private void GiveToIke(PacketBuffer* packet, int port)
    {
        PacketMeta.Of(packet)->Tunnel = port;
        if (_context.StrayIke!.TryPost(packet))
            _context.Counters->HandedOver++;
        else
            _context.Counters->Drop(DropReason.HandOverFull);
        _context.Return(packet);
    }

    // Sound: the SPI is read only where the length covers it.
    private static int HomeOf(byte* data, int length, EspIngress ingress)
    {
        int offset = ingress == EspIngress.IpPacket ? OuterHeaderSize(data, length) : 0;
        return length >= offset + sizeof(uint) ? Spi.LcoreOf(NetworkOrder.From(*(uint*)(data + offset))) : -1;
    }

    /// <summary>Bytes of the outer IP header, and of the UDP header where ESP comes in UDP (RFC 3948).</summary>
    // Sound: fields are read behind a check that the fixed header is there.
    private static int OuterHeaderSize(byte* data, int length)
    {
        const int ipv4Header = 20, ipv6Header = 40, udpHeader = 8, udp = 17;
        if (length >= ipv4Header && data[0] >> 4 == 4)
            return ((data[0] & 0x0F) * 4) + (data[9] == udp ? udpHeader : 0);
        return length >= ipv6Header && data[0] >> 4 == 6 ? ipv6Header + (data[6] == udp ? udpHeader : 0) : 0;
    }
}
