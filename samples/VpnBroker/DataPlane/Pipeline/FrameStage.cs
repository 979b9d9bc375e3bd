using CryptoPlane.Buffers;
using CryptoPlane.Tls;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>What the frames of users mean: inner packets go to the route stage, everything else is answered here.</summary>
internal sealed unsafe class FrameStage
{
    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private readonly RouteStage _route;

    public FrameStage(LcoreContext context, TunnelTable tunnels, RouteStage route)
    {
        _context = context;
        _tunnels = tunnels;
        _route = route;
    }

    /// <summary>Processes the content of an opened record.</summary>
    /// <param name="slot">The tunnel, which is open.</param>
    /// <param name="packet">The content; this stage's from now on.</param>
    public void Process(int slot, PacketBuffer* packet)
    {
        CstpStatus status = CstpFrame.TryParse(packet->Data, packet->Length, out CstpType type);
        switch (status)
        {
            case CstpStatus.Ok:
                packet->TryTrimFront(CstpFrame.HeaderSize);
                break;
            case CstpStatus.UnknownType:
                _tunnels.Drop(slot, packet, DropReason.FrameUnsupported);
                return;
            default:
                // The peer proved its keys and yet sends no CSTP: nothing behind this can be trusted to be in step.
                _tunnels.Drop(slot, packet, DropReason.FrameMalformed);
                _tunnels.End(slot, TunnelEndReason.ProtocolError, Farewell.CloseNotify);
                return;
        }
        switch (type)
        {
            case CstpType.Data:
                NoteDataByTls(slot);
                if (TryMakeForwardable(slot, ref packet))
                    _route.FromUser(packet, slot);
                break;
            case CstpType.DpdRequest when packet->Capacity == _context.Packets.BufferSize:
                // The answer carries what the question did.
                _tunnels.Enqueue(slot, packet, CstpType.DpdResponse);
                break;
            case CstpType.DpdRequest:
                _tunnels.Enqueue(slot, CstpType.DpdResponse, packet->Span);
                _context.Return(packet);
                break;
            case CstpType.Disconnect:
                _context.Return(packet);
                _tunnels.End(slot, TunnelEndReason.ClientDisconnected, Farewell.CloseNotify);
                break;
            case CstpType.DpdResponse or CstpType.Keepalive:
                _context.Return(packet);
                break;
            default:
                // COMPRESSED was never offered, TERMINATE is the server's to send.
                _tunnels.Drop(slot, packet, DropReason.FrameUnsupported);
                break;
        }
    }

    /// <summary>Processes the content of a record that came by DTLS: one byte that says what it is, then the payload.</summary>
    /// <param name="slot">The tunnel, which is open.</param>
    /// <param name="packet">The content, not empty; this stage's from now on.</param>
    public void ProcessDatagram(int slot, PacketBuffer* packet)
    {
        var type = (CstpType)packet->Data[0];
        packet->TryTrimFront(1);
        switch (type)
        {
            case CstpType.Data:
                _route.FromUser(packet, slot);
                break;
            case CstpType.DpdRequest:
                // The answer carries what the question did: so clients find out how long a datagram may be.
                _tunnels.Enqueue(slot, packet, CstpType.DpdResponse, FrameChannel.Dtls);
                break;
            case CstpType.DpdResponse or CstpType.Keepalive:
                _context.Return(packet);
                break;
            case CstpType.Disconnect:
                // The session ends on its connection; this is the end of the channel.
                _context.Return(packet);
                _tunnels.ReleaseDtls(slot);
                break;
            default:
                _tunnels.Drop(slot, packet, DropReason.FrameUnsupported);
                break;
        }
    }

    /// <summary>A client sends data by TLS while DTLS is silent: it has given that up, sooner than this side could know.</summary>
    private void NoteDataByTls(int slot)
    {
        const long silence = 2000;
        UserTunnel* tunnel = _tunnels[slot];
        if ((tunnel->Flags & TunnelFlags.Dtls) != 0 && _context.NowMilliseconds - tunnel->DtlsReceived >= silence && _tunnels.SuspendDtls(slot))
            _context.Counters->Dtls.Fallbacks++;
    }

    /// <summary>Moves a packet whose record was longer than the packet itself into an ordinary buffer.</summary>
    private bool TryMakeForwardable(int slot, ref PacketBuffer* packet)
    {
        if (packet->Capacity == _context.Packets.BufferSize)
            return true;
        if (!_context.Packets.TryRent(out PacketBuffer* copy))
        {
            _tunnels.Drop(slot, packet, DropReason.BuffersExhausted);
            return false;
        }
        if (packet->Length > _context.Sizes.MaxPacket || !copy->TrySetLength(packet->Length))
        {
            _context.Return(copy);
            _tunnels.Drop(slot, packet, DropReason.Oversize);
            return false;
        }
        packet->Span.CopyTo(copy->Span);
        _context.Return(packet);
        packet = copy;
        return true;
    }
}
