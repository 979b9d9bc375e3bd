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

    /// <summary>Milliseconds between probes of DTLS, and of silence behind data that should have been answered by something.</summary>
    private const long DtlsProbePause = 900, DtlsBusySilence = 2000;

    /// <summary>Unanswered probes after which data goes by TLS, after which the channel is given up, and how slow they get: seconds, about.</summary>
    private const int DtlsDeadAfter = 4, DtlsGivenUpAfter = 60, DtlsSlowestProbes = 10;

    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private readonly FlowStage? _flows;
    private long _nextTick;
    private int _cursor;

    public TimerStage(LcoreContext context, TunnelTable tunnels, FlowStage? flows)
    {
        _context = context;
        _tunnels = tunnels;
        _flows = flows;
    }

    /// <summary>When the next part is due, in nanoseconds; never while there are no tunnels.</summary>
    public long NextDeadline =>
        Math.Min(_tunnels.OpenSockets + _tunnels.EndedUnreported == 0 ? long.MaxValue : _nextTick, _flows?.NextDeadline ?? long.MaxValue);

    /// <summary>Looks at the part of the arena that is due.</summary>
    public void Run()
    {
        _flows?.Age();
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
        if (TunnelTable.HasDtls(tunnel))
            CheckDtls(slot, tunnel, now);
        // RFC 8446 §5.5: a key has its limits, and a peer that does not see to its own is asked to, once per key.
        if (tunnel->Traffic[0].IsKeyUpdateNeeded && tunnel->AskedEpoch != tunnel->Traffic[0].KeyUpdates + 1)
        {
            tunnel->AskedEpoch = tunnel->Traffic[0].KeyUpdates + 1;
            tunnel->Flags |= TunnelFlags.KeyUpdateOwed | TunnelFlags.KeyUpdateAsks;
            _tunnels.Activate(slot);
        }
    }

    /// <summary>
    /// Whether the client is still there by DTLS. UDP that is blocked on its way is not told of: data goes by TLS once probes are not answered,
    /// and comes back when one is, or the client has made new keys.
    /// </summary>
    private void CheckDtls(int slot, UserTunnel* tunnel, long now)
    {
        long silence = now - tunnel->DtlsReceived;
        bool isProbeDue = now - tunnel->DtlsProbed >= DtlsProbePause;
        if (tunnel->Dtls[1].IsExhausted || tunnel->DtlsProbes >= DtlsGivenUpAfter)
        {
            _tunnels.ReleaseDtls(slot);
        }
        else if ((tunnel->Flags & TunnelFlags.Dtls) == 0)
        {
            // At once behind the handshake, then less and less often.
            if (isProbeDue && now - tunnel->DtlsProbed >= Math.Min((int)tunnel->DtlsProbes, DtlsSlowestProbes) * DtlsProbePause)
                _tunnels.ProbeDtls(slot);
        }
        else if (tunnel->DtlsProbes >= DtlsDeadAfter && isProbeDue)
        {
            if (_tunnels.SuspendDtls(slot))
                _context.Counters->Dtls.Fallbacks++;
        }
        else if (isProbeDue && ((tunnel->DtlsSent > tunnel->DtlsReceived && silence >= DtlsBusySilence) || IsOver(tunnel->DpdSeconds, silence)))
        {
            _tunnels.ProbeDtls(slot);
        }
        else if (IsOver(tunnel->KeepaliveSeconds, now - tunnel->DtlsSent))
        {
            _tunnels.Enqueue(slot, CstpType.Keepalive, [], Dtls.FrameChannel.Dtls);
        }
    }

    private static bool IsOver(int seconds, long milliseconds) => seconds > 0 && milliseconds >= seconds * 1000L;
}
