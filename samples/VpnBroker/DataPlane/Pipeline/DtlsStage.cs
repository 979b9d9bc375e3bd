using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.IO;
using CryptoPlane.Lcores;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>Takes users' datagrams from the UDP sockets and from other lcores, finds whose they are, and sends those that were sealed.</summary>
internal sealed unsafe class DtlsStage : IDisposable
{
    private const int BurstSize = 256;

    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private readonly OpenStage _open;
    private readonly WatchedPort[] _ports;
    private readonly UdpPort?[] _segmenting;
    private PacketBuffer** _burst;

    public DtlsStage(LcoreContext context, TunnelTable tunnels, OpenStage open, LcorePorts ports)
    {
        _context = context;
        _tunnels = tunnels;
        _open = open;
        _ports = [.. ports.Dtls];
        _segmenting = [.. ports.Dtls.Select(port => CryptoPlane.Capture.CapturingPort.Behind(port.Port) as UdpPort)];
        _burst = (PacketBuffer**)NativeMemory.Alloc(BurstSize, (nuint)sizeof(PacketBuffer*));
    }

    /// <summary>Whether a port holds datagrams of which no descriptor tells.</summary>
    public bool HasPendingWork
    {
        get
        {
            foreach (UdpPort? port in _segmenting)
            {
                if (port is { HasPendingPackets: true })
                    return true;
            }
            return false;
        }
    }

    /// <summary>Takes a burst from a socket.</summary>
    public int Receive(int port)
    {
        int count = _ports[port].Port.Receive(_burst, Math.Min(BurstSize, _open.DtlsRoom));
        for (int i = 0; i < count; i++)
            Steer(_burst[i]);
        return count;
    }

    /// <summary>Takes what ports hold of which no descriptor tells: the rest of super-packets, and ports without a descriptor.</summary>
    public int ReceivePending()
    {
        int count = 0;
        for (int i = 0; i < _segmenting.Length; i++)
        {
            if (_ports[i].FileDescriptor < 0 || _segmenting[i] is { HasPendingPackets: true })
                count += Receive(i);
        }
        return count;
    }

    /// <summary>Takes a datagram that another lcore has handed over.</summary>
    public void TakeOver(PacketBuffer* packet)
    {
        // Once is enough: whoever has moved on meanwhile sends another.
        if (_context.DtlsPeers != null && TryFind(packet, out int lcore, out int slot) && lcore == _context.Index)
            Accept(packet, slot);
        else
            _context.Drop(packet, DropReason.DtlsUnknownPeer);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_burst);
        _burst = null;
    }

    private void Steer(PacketBuffer* packet)
    {
        if (!TryFind(packet, out int lcore, out int slot))
        {
            _context.Drop(packet, DropReason.DtlsUnknownPeer);
            return;
        }
        if (lcore == _context.Index)
        {
            Accept(packet, slot);
            return;
        }
        PacketHandover? ring = lcore < _context.HandOverTo.Length ? _context.HandOverTo[lcore] : null;
        PacketMeta.Of(packet)->Kind = HandOverKind.Dtls;
        if (ring != null && ring.TryPost(packet))
            _context.Counters->HandedOver++;
        else
            _context.Counters->Drop(DropReason.HandOverFull);
        _context.Return(packet);
    }

    /// <summary>By its whole address, or else by the client that was last seen at that address: its NAT may have given it another port.</summary>
    private bool TryFind(PacketBuffer* packet, out int lcore, out int slot)
    {
        DtlsPeers peers = _context.DtlsPeers!;
        var peer = (PacketEndpoint*)packet->Scratch;
        return peers.TryFind(DtlsPeers.KeyOf(*peer), out lcore, out slot) || peers.TryFind(DtlsPeers.HostKeyOf(*peer), out lcore, out slot);
    }

    private void Accept(PacketBuffer* packet, int slot)
    {
        UserTunnel* tunnel = _tunnels[slot];
        if (tunnel->State == TunnelState.Open && TunnelTable.HasDtls(tunnel))
            _open.AddDtls(packet, slot);
        else
            _context.Drop(packet, DropReason.DtlsUnknownPeer);
    }
}
