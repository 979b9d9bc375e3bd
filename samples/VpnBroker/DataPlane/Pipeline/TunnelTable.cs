using CryptoPlane.Buffers;
using CryptoPlane.IO;
using CryptoPlane.Tls;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// The user tunnels of one lcore: how they begin and end, their queues of packets to seal, and the list of those that have any.
/// </summary>
internal sealed unsafe partial class TunnelTable
{
    /// <summary>How long unsent bytes may take to leave once a tunnel ends, in milliseconds.</summary>
    public const int DrainMilliseconds = 2000;

    /// <summary>Marks a tunnel in the epoll set's user data; the slot lies below.</summary>
    public const ulong EpollTag = 1UL << 63;

    private readonly LcoreContext _context;
    private int _firstActive = -1;
    private int _lastActive = -1;

    public TunnelTable(LcoreContext context) => _context = context;

    /// <summary>Slots that were ever used are below this.</summary>
    public int HighWater { get; private set; }

    /// <summary>Tunnels whose end the supervisor has not been told.</summary>
    public int EndedUnreported { get; set; }

    /// <summary>Tunnels whose socket is open: those that flow and those that take leave.</summary>
    public int OpenSockets { get; private set; }

    /// <summary>Whether some tunnel has something to seal.</summary>
    public bool HasActive => _firstActive >= 0;

    /// <summary>A slot of the arena.</summary>
    // Sound: slots come from the supervisor, from epoll data and from tables that this class filled, and are checked when they come in.
    public UserTunnel* this[int slot] => _context.Tunnels + slot;

    /// <summary>Starts the tunnel whose parameters the supervisor has written into the slot.</summary>
    /// <returns>False when the kernel will not watch the socket; the tunnel has ended then.</returns>
    public bool Open(int slot)
    {
        UserTunnel* tunnel = this[slot];
        HighWater = Math.Max(HighWater, slot + 1);
        EndHolder(tunnel->IPv4, slot);
        EndHolder(tunnel->IPv6, slot);
        tunnel->State = TunnelState.Open;
        OpenSockets++;
        tunnel->NextActive = -1;
        _context.Queues?.OpenUser(slot);
        tunnel->LastReceived = tunnel->LastSent = tunnel->LastPacket = _context.NowMilliseconds;
        _context.Counters->Tunnels++;
        TcpSocket.SetNoDelay(tunnel->Socket);
        // Where packets have queues of their own, as little as possible waits behind them.
        TcpSocket.SetNotSentLowWater(tunnel->Socket, _context.Queues == null ? Math.Max(tunnel->UnsentBound / 2, 16384) : 16384);
        bool watched = _context.Epoll.TryAdd(tunnel->Socket, EpollEvents.Readable, EpollTag | (uint)slot);
        if (watched && TryEnter(tunnel->IPv4, slot) && TryEnter(tunnel->IPv6, slot))
            return true;
        Close(slot, TunnelEndReason.ConnectionLost);
        return false;
    }

    /// <summary>Ends an open tunnel. Its address is free at once; the client is told as <paramref name="farewell"/> says.</summary>
    public void End(int slot, TunnelEndReason reason, Farewell farewell, TlsAlert alert = TlsAlert.CloseNotify)
    {
        UserTunnel* tunnel = this[slot];
        if (tunnel->State != TunnelState.Open)
            return;
        if (farewell == Farewell.None)
        {
            Close(slot, reason);
            return;
        }
        Forget(slot);
        SuspendDtls(slot);
        tunnel->State = TunnelState.Closing;
        tunnel->EndReason = reason;
        tunnel->Farewell = farewell;
        tunnel->Alert = alert;
        tunnel->CloseDeadline = _context.NowMilliseconds + DrainMilliseconds;
        DropQueue(slot);
        tunnel->Partial.Clear(_context.PartialMemory);
        Watch(slot);
        if (farewell == Farewell.Disconnect)
            EnqueueDisconnect(slot, reason);
        Activate(slot);
    }

    /// <summary>Closes the socket and frees what the tunnel held, except the slot, which the supervisor gets back.</summary>
    public void Close(int slot, TunnelEndReason reason)
    {
        UserTunnel* tunnel = this[slot];
        if (tunnel->State is TunnelState.Free or TunnelState.Ended)
            return;
        if (tunnel->State == TunnelState.Open)
        {
            Forget(slot);
            tunnel->EndReason = reason;
        }
        // Closing the only descriptor takes it out of the epoll set as well.
        TcpSocket.Close(tunnel->Socket);
        tunnel->Socket = -1;
        DropQueue(slot);
        tunnel->Unsent.Clear(_context.UnsentMemory);
        tunnel->Partial.Clear(_context.PartialMemory);
        ReleaseDtls(slot);
        tunnel->Traffic[0].Release(_context.Engine);
        tunnel->Traffic[1].Release(_context.Engine);
        tunnel->State = TunnelState.Ended;
        tunnel->Flags &= TunnelFlags.Active;
        OpenSockets--;
        EndedUnreported++;
    }

    /// <summary>
    /// Everything was sent: the sending direction is closed, and the client's end awaited. Closing at once would reset the connection
    /// where bytes of the client are unread, and a reset may overtake what the client was told.
    /// </summary>
    public void Linger(int slot)
    {
        UserTunnel* tunnel = this[slot];
        tunnel->State = TunnelState.Lingering;
        TcpSocket.ShutdownSend(tunnel->Socket);
        Watch(slot);
    }

    /// <summary>Puts a frame into a tunnel's queue.</summary>
    /// <param name="slot">The tunnel.</param>
    /// <param name="packet">The payload; the tunnel's from now on.</param>
    /// <param name="type">The frame's type.</param>
    /// <param name="channel">What it goes by.</param>
    public void Enqueue(int slot, PacketBuffer* packet, CstpType type, FrameChannel channel = FrameChannel.Any)
    {
        UserTunnel* tunnel = this[slot];
        PacketMeta* meta = PacketMeta.Of(packet);
        meta->Next = null;
        meta->Type = type;
        meta->Channel = channel;
        // What the broker says itself is in no session; a buffer's notes are those of its last packet.
        if (type != CstpType.Data)
            FlowMark.Clear(packet);
        if (tunnel->OutTail == null)
            tunnel->OutHead = packet;
        else
            PacketMeta.Of(tunnel->OutTail)->Next = packet;
        tunnel->OutTail = packet;
        Activate(slot);
    }

    /// <summary>Puts a frame with a payload of a few bytes into a tunnel's queue; without a buffer it is dropped and counted.</summary>
    public void Enqueue(int slot, CstpType type, ReadOnlySpan<byte> payload, FrameChannel channel = FrameChannel.Any)
    {
        if (!_context.Packets.TryRent(out PacketBuffer* packet))
        {
            _context.Counters->Drop(DropReason.BuffersExhausted);
            return;
        }
        if (!packet->TrySetLength(payload.Length))
        {
            _context.Drop(packet, DropReason.Oversize);
            return;
        }
        payload.CopyTo(packet->Span);
        Enqueue(slot, packet, type, channel);
    }

    /// <summary>Notes that a tunnel has something to seal.</summary>
    public void Activate(int slot)
    {
        UserTunnel* tunnel = this[slot];
        if ((tunnel->Flags & TunnelFlags.Active) != 0)
            return;
        tunnel->Flags |= TunnelFlags.Active;
        tunnel->NextActive = -1;
        if (_lastActive < 0)
            _firstActive = slot;
        else
            this[_lastActive]->NextActive = slot;
        _lastActive = slot;
    }

    /// <summary>The first tunnel that has something to seal; it stays in the list.</summary>
    public int PeekActive() => _firstActive;

    /// <summary>Takes the first tunnel out of the list.</summary>
    public void PopActive()
    {
        UserTunnel* tunnel = this[_firstActive];
        tunnel->Flags &= ~TunnelFlags.Active;
        _firstActive = tunnel->NextActive;
        if (_firstActive < 0)
            _lastActive = -1;
    }

    /// <summary>Tells the epoll set what the tunnel waits for now.</summary>
    public void Watch(int slot)
    {
        UserTunnel* tunnel = this[slot];
        EpollEvents events = tunnel->State is TunnelState.Open or TunnelState.Lingering ? EpollEvents.Readable : EpollEvents.None;
        if ((tunnel->Flags & TunnelFlags.AwaitsWritable) != 0)
            events |= EpollEvents.Writable;
        _context.Epoll.TryModify(tunnel->Socket, events, EpollTag | (uint)slot);
    }

    /// <summary>Counts a packet from or to a user that was dropped.</summary>
    public void Drop(int slot, PacketBuffer* packet, DropReason reason)
    {
        this[slot]->Drops++;
        _context.Drop(packet, reason);
    }

    /// <summary>The same of a packet to a user that was routed: it is taken back from its session.</summary>
    public void DropRouted(int slot, PacketBuffer* packet, DropReason reason)
    {
        this[slot]->Drops++;
        _context.DropRouted(packet, reason);
    }

    private void EnqueueDisconnect(int slot, TunnelEndReason reason)
    {
        // The client shows the text behind the reason byte to its user.
        ReadOnlySpan<byte> text = reason switch
        {
            TunnelEndReason.Administrator => "\0Disconnected by an administrator"u8,
            TunnelEndReason.IdleTimeout => "\0Idle timeout"u8,
            TunnelEndReason.SessionTimeout => "\0Session timeout"u8,
            TunnelEndReason.DeadPeer => "\0No answer"u8,
            _ => "\0The server is shutting down"u8,
        };
        Enqueue(slot, CstpType.Disconnect, text);
    }

    private void EndHolder(in InnerAddress address, int slot)
    {
        if (address.Family == 0)
            return;
        int holder = _context.Hosts.Find(address);
        if (HostTarget.IsSlot(holder) && holder != slot)
            Close(holder, TunnelEndReason.Replaced);
    }

    private bool TryEnter(in InnerAddress address, int slot) => address.Family == 0 || _context.Hosts.TrySet(address, slot);

    /// <summary>Takes the tunnel's addresses out of the table: no packet is routed to it any more.</summary>
    private void Forget(int slot)
    {
        UserTunnel* tunnel = this[slot];
        if (tunnel->IPv4.Family != 0)
            _context.Hosts.Remove(tunnel->IPv4, slot);
        if (tunnel->IPv6.Family != 0)
            _context.Hosts.Remove(tunnel->IPv6, slot);
        _context.Counters->Tunnels--;
        _context.Flows?.SweepSoon();
    }

    private void DropQueue(int slot)
    {
        UserTunnel* tunnel = this[slot];
        _context.Queues?.CloseUser(slot);
        while (tunnel->OutHead != null)
        {
            PacketBuffer* packet = tunnel->OutHead;
            tunnel->OutHead = PacketMeta.Of(packet)->Next;
            DropRouted(slot, packet, DropReason.TunnelEnding);
        }
        tunnel->OutTail = null;
    }
}
