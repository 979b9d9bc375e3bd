using CryptoPlane.Lcores;
using CryptoPlane.Policy;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Routing;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>Obeys the supervisor's messages and reports back.</summary>
internal sealed unsafe class MessageStage
{
    /// <summary>Messages each way that wait at most.</summary>
    public const int MailboxCapacity = 4096;

    private const int MessagesPerTurn = 64;

    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private readonly EspPairs _pairs;
    private readonly EspOrderStage _esp;
    private readonly ReceiveStage _receive;
    private readonly Mailbox<LcoreMessage> _inbox;
    private readonly Mailbox<LcoreEvent> _outbox;
    private bool _shuttingDown;
    private bool _shutDownReported;
    private int _shutdownCursor;
    private int _reportCursor;

    public MessageStage(
        LcoreContext context, TunnelTable tunnels, EspPairs pairs, ReceiveStage receive, Mailbox<LcoreMessage> inbox, Mailbox<LcoreEvent> outbox)
    {
        _context = context;
        _tunnels = tunnels;
        _pairs = pairs;
        _esp = new EspOrderStage(context, pairs);
        _receive = receive;
        _inbox = inbox;
        _outbox = outbox;
    }

    /// <summary>Whether a message waits.</summary>
    public bool HasPendingWork => !_inbox.IsEmpty || (_shuttingDown && !_shutDownReported && _tunnels.OpenSockets == 0);

    /// <summary>Obeys what has come.</summary>
    /// <returns>How many messages.</returns>
    public int Run()
    {
        int count = 0;
        // Each message causes one report at most: none is taken that could not be reported.
        while (count < MessagesPerTurn && HasRoomToReport(2) && _receive.HasRoom && _inbox.TryReceive(out LcoreMessage message))
        {
            count++;
            Obey(message);
        }
        return count;
    }

    /// <summary>Tells the supervisor which tunnels have ended, and that SAs are worn out, and goes on with a shutdown.</summary>
    public void Report()
    {
        if (HasRoomToReport(1) && TakeNotices())
            _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.EspLifetime });
        if (_shuttingDown)
            EndSome();
        ReportMoved();
        for (int seen = 0; _tunnels.EndedUnreported > 0 && seen < _tunnels.HighWater && HasRoomToReport(1); seen++)
        {
            int slot = _reportCursor;
            _reportCursor = slot + 1 >= _tunnels.HighWater ? 0 : slot + 1;
            UserTunnel* tunnel = _tunnels[slot];
            // A tunnel stays in the list of active ones to the end of its turn; its slot is the lcore's until then.
            if (tunnel->State != TunnelState.Ended || (tunnel->Flags & TunnelFlags.Active) != 0)
                continue;
            tunnel->State = TunnelState.Free;
            _tunnels.EndedUnreported--;
            _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.Ended, Slot = slot });
        }
        if (_shuttingDown && !_shutDownReported && _tunnels.OpenSockets == 0 && _tunnels.EndedUnreported == 0 && HasRoomToReport(1))
            _shutDownReported = _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.ShutDown });
    }

    private void ReportMoved()
    {
        if (_tunnels.DtlsMovedUnreported == 0)
            return;
        _tunnels.DtlsMovedUnreported = 0;
        for (int slot = 0; slot < _tunnels.HighWater; slot++)
        {
            UserTunnel* tunnel = _tunnels[slot];
            if ((tunnel->Flags & TunnelFlags.DtlsMoved) == 0)
                continue;
            if (!HasRoomToReport(1))
            {
                _tunnels.DtlsMovedUnreported = 1;
                return;
            }
            tunnel->Flags &= ~TunnelFlags.DtlsMoved;
            _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.DtlsMoved, Slot = slot, Pointer = (nint)DtlsPeers.KeyOf(tunnel->DtlsPeer) });
        }
    }

    /// <summary>Whether SAs have something to tell. Which ones is seen by their counters.</summary>
    private bool TakeNotices()
    {
        bool any = false;
        while (_context.Sad.TryTakeNotice(out _))
            any = true;
        return any;
    }

    private bool HasRoomToReport(int events) => _outbox.Count <= MailboxCapacity - events;

    private void Obey(in LcoreMessage message)
    {
        switch (message.Kind)
        {
            case LcoreMessageKind.Attach:
                if (_tunnels.Open(message.Slot) && message.Length > 0 && !_receive.TryInject(message.Slot, (byte*)message.Pointer, message.Length))
                    _tunnels.End(message.Slot, TunnelEndReason.ConnectionLost, Farewell.None);
                _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.Attached, Slot = message.Slot, Pointer = message.Pointer });
                break;
            case LcoreMessageKind.Detach:
                if (_tunnels[message.Slot]->TunnelId == message.Value)
                    _tunnels.End(message.Slot, message.Reason, message.Reason == TunnelEndReason.Replaced ? Farewell.None : Farewell.Disconnect);
                break;
            case LcoreMessageKind.Forwarding:
                ForwardingSnapshot* old = _context.Forwarding;
                _context.Forwarding = (ForwardingSnapshot*)message.Pointer;
                // ESP tunnels may have gone with the old routes.
                _context.Flows?.SweepSoon();
                _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.ForwardingReplaced, Pointer = (nint)old });
                break;
            case LcoreMessageKind.SequenceLimit:
                if (message.Value > _pairs[message.Slot]->Outbound->SequenceLimit)
                    _pairs[message.Slot]->Outbound->RaiseSequenceLimit(message.Value);
                _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.SequenceLimitRaised, Slot = message.Slot });
                break;
            case LcoreMessageKind.Esp:
                _esp.Obey((EspOrder*)message.Pointer);
                _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.EspObeyed, Pointer = message.Pointer });
                break;
            case LcoreMessageKind.Capture:
                _context.Tap.Attach(message.Pointer);
                _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.CaptureSwitched });
                break;
            case LcoreMessageKind.Policy:
                _context.Policy = (PolicyTables*)message.Pointer;
                _context.UserFlows.SetLimits(message.Length, message.Slot);
                _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.PolicyReplaced });
                break;
            case LcoreMessageKind.Flows:
                _context.Flows?.Reader.Begin((FlowFilter*)message.Pointer, message.Slot);
                _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.FlowsBegun, Pointer = message.Pointer });
                break;
            case LcoreMessageKind.Shares:
                _context.Queues?.TakeShares((Queueing.LcoreShares*)message.Pointer);
                _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.SharesTaken, Pointer = message.Pointer });
                break;
            case LcoreMessageKind.Peers:
                PeerGroup* peers = _context.Forwarding->SwapPeers((PeerGroup*)message.Pointer);
                _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.PeersReplaced, Pointer = (nint)peers });
                break;
            case LcoreMessageKind.DtlsAttach:
                _tunnels.AttachDtls(message.Slot, message.Value, (DtlsBinding*)message.Pointer);
                _outbox.TryPost(new LcoreEvent { Kind = LcoreEventKind.DtlsAttached, Slot = message.Slot, Pointer = message.Pointer });
                break;
            case LcoreMessageKind.DtlsPeer when message.Length != 0:
                _context.DtlsPeers?.TrySet(message.Value, message.Slot, slot: -1);
                _context.DtlsPeers?.TrySet((ulong)message.Pointer, message.Slot, slot: -1);
                break;
            case LcoreMessageKind.DtlsPeer:
                _context.DtlsPeers?.Remove(message.Value, message.Slot, slot: -1);
                _context.DtlsPeers?.Remove((ulong)message.Pointer, message.Slot, slot: -1);
                break;
            case LcoreMessageKind.Shutdown:
                _shuttingDown = true;
                break;
        }
    }

    /// <summary>A shutdown takes its tunnels in slices, so that buffers and memory for their farewells suffice.</summary>
    private void EndSome()
    {
        for (int i = 0; i < MessagesPerTurn && _shutdownCursor < _tunnels.HighWater; i++)
            _tunnels.End(_shutdownCursor++, TunnelEndReason.Shutdown, Farewell.Disconnect);
    }
}
