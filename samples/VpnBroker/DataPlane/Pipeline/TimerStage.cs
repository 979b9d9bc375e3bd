using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// Times of user tunnels: dead peer detection, keepalives, idle time-outs, the end of those that take leave, and new keys. A part of the
/// arena is looked at every 100 ms, so that each tunnel's turn comes once a second and no turn of the lcore is long.
/// </summary>
internal sealed unsafe class TimerStage
{
    private const long TickNanoseconds = 100_000_000;
    private const int TicksPerRound = 10;

    /// <summary>Unanswered intervals after which a peer is dead.</summary>
    private const int DeadAfter = 3;

    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private long _nextTick;
    private int _cursor;

    public TimerStage(LcoreContext context, TunnelTable tunnels)
    {
        _context = context;
        _tunnels = tunnels;
    }

    /// <summary>When the next part is due, in nanoseconds; never while there are no tunnels.</summary>
    public long NextDeadline => _tunnels.OpenSockets + _tunnels.EndedUnreported == 0 ? long.MaxValue : _nextTick;

    /// <summary>Looks at the part of the arena that is due.</summary>
    public void Run()
    {
        if (_context.Now < _nextTick)
            return;
        _nextTick = _context.Now + TickNanoseconds;
        int part = (_tunnels.HighWater + TicksPerRound - 1) / TicksPerRound;
        for (int i = 0; i < part; i++)
        {
            if (_cursor >= _tunnels.HighWater)
                _cursor = 0;
            Check(_cursor++);
        }
    }

    private void Check(int slot)
    {
        UserTunnel* tunnel = _tunnels[slot];
        long now = _context.NowMilliseconds;
        if (tunnel->State == TunnelState.Open)
            CheckOpen(slot, tunnel, now);
        else if (tunnel->State is TunnelState.Closing or TunnelState.Draining or TunnelState.Lingering && now >= tunnel->CloseDeadline)
            _tunnels.Close(slot, tunnel->EndReason);
    }

    private void CheckOpen(int slot, UserTunnel* tunnel, long now)
    {
        if (IsOver(tunnel->IdleSeconds, now - tunnel->LastPacket))
        {
            _tunnels.End(slot, TunnelEndReason.IdleTimeout, Farewell.Disconnect);
            return;
        }
        long silence = now - tunnel->LastReceived;
        if (IsOver(tunnel->DpdSeconds * DeadAfter, silence))
        {
            _tunnels.End(slot, TunnelEndReason.DeadPeer, Farewell.Disconnect);
            return;
        }
        if (IsOver(tunnel->DpdSeconds, silence) && IsOver(tunnel->DpdSeconds, now - tunnel->DpdAsked))
        {
            tunnel->DpdAsked = now;
            _tunnels.Enqueue(slot, CstpType.DpdRequest, []);
        }
        else if (IsOver(tunnel->KeepaliveSeconds, now - tunnel->LastSent))
        {
            _tunnels.Enqueue(slot, CstpType.Keepalive, []);
        }
        // RFC 8446 §5.5: a key has its limits, and a peer that does not see to its own is asked to, once per key.
        if (tunnel->Traffic[0].IsKeyUpdateNeeded && tunnel->AskedEpoch != tunnel->Traffic[0].KeyUpdates + 1)
        {
            tunnel->AskedEpoch = tunnel->Traffic[0].KeyUpdates + 1;
            tunnel->Flags |= TunnelFlags.KeyUpdateOwed | TunnelFlags.KeyUpdateAsks;
            _tunnels.Activate(slot);
        }
    }

    private static bool IsOver(int seconds, long milliseconds) => seconds > 0 && milliseconds >= seconds * 1000L;
}
