using System.Net;
using CryptoPlane.Tls.Dtls;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.OpenConnect.Strap;

namespace VpnBroker.Sessions;

/// <summary>
/// All sessions: made at log-in, found by cookie, given addresses at the first CONNECT, ended by the client, an operator or time.
/// </summary>
/// <remarks>
/// Control threads call it from anywhere; one lock guards it, and nothing under the lock waits. It calls the data plane under the
/// lock only to keep the order of a session's tunnels; those calls put a message down and return.
/// </remarks>
public sealed class SessionTable
{
    private readonly Lock _gate = new();
    private readonly SessionIndex _index = new();
    private readonly AddressPools _pools;
    private readonly IDataPlane _dataPlane;
    private readonly TimeProvider _clock;
    private ulong _lastSession;
    private long _refusedCookies;
    private ulong _lastTunnel;

    /// <summary>Makes an empty table.</summary>
    /// <param name="config">The pools and lcores, which a reload does not change.</param>
    /// <param name="dataPlane">Where tunnels live; the table takes its <see cref="IDataPlane.TunnelEnded"/>.</param>
    /// <param name="clock">The time.</param>
    public SessionTable(BrokerConfig config, IDataPlane dataPlane, TimeProvider clock)
    {
        _pools = new AddressPools(config);
        _dataPlane = dataPlane;
        _clock = clock;
        dataPlane.TunnelEnded = OnTunnelEnded;
    }

    /// <summary>Called when a session is gone, with its last reason and bytes; outside the lock. It must not block.</summary>
    public Action<Session, TunnelEnded>? SessionEnded { get; set; }

    /// <summary>
    /// Called before a session cannot be found by its number any more, for whoever is asked for its user's name afterwards. Inside the lock:
    /// it must be quick and not call the table.
    /// </summary>
    public Action<Session>? Forgetting { get; set; }

    /// <summary>Sessions that have not ended.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _index.Count;
        }
    }

    /// <summary>Cookies that were refused: unknown, expired or ended ones, and those of another client.</summary>
    public long RefusedCookies => Interlocked.Read(ref _refusedCookies);

    /// <summary>Notes what share of its time an lcore works: new sessions go to those that have time left. What there is stays where it is.</summary>
    public void MeasureLcore(int lcore, double busy)
    {
        lock (_gate)
            _pools.Measure(lcore, busy);
    }

    /// <summary>Makes a session for a user who has logged in.</summary>
    /// <param name="user">The user's name.</param>
    /// <param name="group">The group whose profile counts, or null.</param>
    /// <param name="profile">What the session gets.</param>
    /// <param name="remote">Where the client is.</param>
    /// <param name="limits">The bounds on sessions.</param>
    /// <param name="key">The key that the client named, or null.</param>
    /// <param name="cookie">The cookie for the client; only its hash is kept.</param>
    /// <returns>Null when there are as many sessions as there may be.</returns>
    public Session? Create(string user, string? group, ProfileConfig profile, IPEndPoint remote, LimitsConfig limits, StrapKey? key, out string cookie)
    {
        CookieHash hash = CookieHash.Create(out cookie);
        Session? oldest, session;
        lock (_gate)
        {
            session = Add(user, group, profile, remote, limits, hash, terminate: null, out oldest);
            if (session is not null)
                session.StrapKey = key;
        }
        if (oldest is not null)
            End(oldest, TunnelEndReason.Replaced);
        return session;
    }

    /// <summary>Makes a session for a user who has logged in by IKEv2: it has its addresses and its tunnel at once, and no cookie.</summary>
    /// <param name="user">The user's name.</param>
    /// <param name="groups">The user's groups.</param>
    /// <param name="group">The group whose profile counts, or null.</param>
    /// <param name="profile">What the session gets.</param>
    /// <param name="remote">Where the client is.</param>
    /// <param name="limits">The bounds on sessions.</param>
    /// <param name="terminate">Ends the tunnel; see <see cref="Session.Terminate"/>.</param>
    /// <param name="refusal">Why there is no session, for the audit log.</param>
    /// <returns>The session, whose lease is there; or null.</returns>
    public Session? CreateIke(
        string user, IReadOnlyList<string> groups, string? group, ProfileConfig profile, IPEndPoint remote, LimitsConfig limits,
        Action<Session, TunnelEndReason> terminate, out string refusal)
    {
        refusal = "too many sessions";
        Session? oldest, session;
        lock (_gate)
        {
            // Nobody knows this cookie: it only stands for the session in the table.
            session = Add(user, group, profile, remote, limits, CookieHash.Create(out _), terminate, out oldest);
            if (session is not null && (session.Lease = _pools.Lease(profile.Pool)) is null)
            {
                refusal = "no address is free";
                _index.Revoke(session);
                Forget(session);
                (session, oldest) = (null, null);
            }
            if (session is not null)
                (session.TunnelId, session.Groups) = (++_lastTunnel, groups);
        }
        if (oldest is not null)
            End(oldest, TunnelEndReason.Replaced);
        return session;
    }

    /// <summary>The client of a session of IKEv2 is elsewhere now.</summary>
    public void Move(Session session, IPEndPoint remote)
    {
        lock (_gate)
            session.Remote = remote;
    }

    /// <summary>The tunnel of a session of IKEv2 is gone, from the data plane as well: its addresses are free.</summary>
    public void Closed(TunnelEnded ended) => OnTunnelEnded(ended);

    /// <summary>Whose session a number is; null when it has ended, or never was.</summary>
    public string? UserOf(ulong session)
    {
        lock (_gate)
            return _index.Find(session)?.User;
    }

    /// <summary>Finds the session of a cookie.</summary>
    /// <returns>Null when there is none, or its time is over.</returns>
    public Session? Find(ReadOnlySpan<char> cookie)
    {
        if (!CookieHash.TryParse(cookie, out CookieHash hash))
            return null;
        lock (_gate)
            return _index.Find(hash) is { } session && !IsOver(session, _clock.GetUtcNow()) ? session : null;
    }

    /// <summary>Takes the key that a session's client goes on with.</summary>
    /// <param name="session">The session.</param>
    /// <param name="present">The key that signed for the next one.</param>
    /// <param name="next">The next key.</param>
    /// <returns>False when another connection was faster: the present key is not the session's any more.</returns>
    public bool ReplaceKey(Session session, StrapKey present, StrapKey next)
    {
        lock (_gate)
        {
            if (session.StrapKey != present)
                return false;
            session.StrapKey = next;
            return true;
        }
    }

    /// <summary>Counts a cookie that was refused.</summary>
    public void CountRefusedCookie() => Interlocked.Increment(ref _refusedCookies);

    /// <summary>Gives a session its addresses: those it has, or new ones of a pool.</summary>
    /// <returns>Null when none is free, or the session has ended.</returns>
    public AddressLease? Lease(Session session, string pool)
    {
        lock (_gate)
        {
            if (session.Ended)
                return null;
            return session.Lease ??= _pools.Lease(pool);
        }
    }

    /// <summary>Prepares a session's data channel; one that was prepared before can not be begun any more.</summary>
    /// <param name="session">The session.</param>
    /// <param name="psk">The key that both sides have; the table's from now on.</param>
    /// <returns>The App-ID for the client; null when the session has ended.</returns>
    public string? OfferDtls(Session session, byte[] psk)
    {
        lock (_gate)
        {
            if (session.Ended)
                return null;
            var dtls = new DtlsCredential(psk);
            _index.Offer(session, dtls);
            return dtls.AppId;
        }
    }

    /// <summary>Begins the data channel that a client's hello names.</summary>
    /// <param name="options">What is offered.</param>
    /// <param name="hello">The hello.</param>
    /// <param name="now">The clock of the association, in milliseconds.</param>
    /// <returns>The association, the tunnel that it is for, and the user; null when the App-ID is none of a session with a tunnel.</returns>
    public (DtlsServer Server, ulong TunnelId, string User)? BeginDtls(DtlsServerOptions options, DtlsClientHello hello, long now)
    {
        string appId = Convert.ToHexStringLower(hello.SessionId.Span);
        lock (_gate)
        {
            if (_index.FindByAppId(appId) is not { Ended: false, TunnelId: not 0 } session || session.Dtls!.TunnelId != session.TunnelId)
                return null;
            return (session.Dtls.Begin(options, hello, now), session.TunnelId, session.User);
        }
    }

    /// <summary>Seconds until a session's absolute end; 0 for never.</summary>
    public int SecondsLeft(Session session)
    {
        lock (_gate)
            return session.Expires == DateTimeOffset.MaxValue ? 0 : Math.Max(1, (int)(session.Expires - _clock.GetUtcNow()).TotalSeconds);
    }

    /// <summary>Moves a connection to the data plane as the session's tunnel, in place of the one it has.</summary>
    /// <param name="session">The session; its lease is the tunnel's.</param>
    /// <param name="remote">Where the client is.</param>
    /// <param name="request">Makes the request with the tunnel's number. Called under the lock, and only when the session lives.</param>
    /// <returns>The data plane's answer; null when the session has ended meanwhile, and nothing was handed over.</returns>
    public Task? Attach(Session session, IPEndPoint remote, Func<ulong, UserTunnelRequest> request)
    {
        lock (_gate)
        {
            if (session.Ended)
                return null;
            UserTunnelRequest moved = request(_lastTunnel + 1);
            ulong replaced = session.TunnelId;
            session.TunnelId = ++_lastTunnel;
            session.Remote = remote;
            if (moved.OffersDtls && session.Dtls is { } dtls)
                dtls.TunnelId = session.TunnelId;
            return AttachAsync(moved, replaced);
        }
    }

    /// <summary>Ends a session: its cookie is worth nothing from now on, and its tunnel is taken down.</summary>
    /// <returns>False when it had ended before.</returns>
    public bool End(Session session, TunnelEndReason reason)
    {
        ulong tunnel;
        lock (_gate)
        {
            if (session.Ended)
                return false;
            _index.Revoke(session);
            tunnel = session.TunnelId;
            if (tunnel == 0)
                Forget(session);
        }
        if (tunnel == 0)
            SessionEnded?.Invoke(session, new TunnelEnded(0, session.Id, reason, 0, 0));
        else if (session.Terminate is { } terminate)
            terminate(session, reason);
        else
            _ = DetachAsync(session, tunnel, reason);
        return true;
    }

    /// <summary>Ends all sessions of a user.</summary>
    /// <returns>How many there were.</returns>
    public int EndUser(string user, TunnelEndReason reason)
    {
        List<Session> sessions;
        lock (_gate)
            sessions = _index.Of(user);
        return sessions.Count(session => End(session, reason));
    }

    /// <summary>Ends what has reached its absolute end, or has waited too long for a reconnect.</summary>
    public void Sweep()
    {
        DateTimeOffset now = _clock.GetUtcNow();
        List<Session> over;
        lock (_gate)
            over = [.. _index.Living.Where(session => IsOver(session, now))];
        foreach (Session session in over)
            End(session, TunnelEndReason.SessionTimeout);
    }

    /// <summary>The sessions of now, in the order of their numbers.</summary>
    public IReadOnlyList<Session> List()
    {
        lock (_gate)
            return [.. _index.Living.OrderBy(session => session.Id)];
    }

    /// <summary>Makes a session, if there may be one; under the lock.</summary>
    /// <param name="oldest">The user's oldest session, which has to end for it.</param>
    private Session? Add(
        string user, string? group, ProfileConfig profile, IPEndPoint remote, LimitsConfig limits, CookieHash cookie, Action<Session, TunnelEndReason>? terminate,
        out Session? oldest)
    {
        oldest = null;
        DateTimeOffset now = _clock.GetUtcNow();
        if (_index.Of(user) is var mine && mine.Count >= limits.SessionsPerUser)
            oldest = mine.MinBy(other => other.Id);
        if (oldest is null && _index.Count >= limits.Sessions)
            return null;
        var session = new Session(++_lastSession, user, group, remote, now)
        {
            Cookie = cookie,
            Terminate = terminate,
            Expires = profile.SessionSeconds == 0 ? DateTimeOffset.MaxValue : now.AddSeconds(profile.SessionSeconds),
            ReconnectTime = TimeSpan.FromSeconds(profile.ReconnectSeconds),
        };
        _index.Add(session);
        return session;
    }

    private async Task AttachAsync(UserTunnelRequest request, ulong replaced)
    {
        try
        {
            await _dataPlane.AttachUserAsync(request);
        }
        catch (InvalidOperationException)
        {
            // The new tunnel, which would have ended the old one, was refused. The session knows the old one no more: left alone, it would
            // outlive the session, with an address that somebody else may get.
            if (replaced != 0)
                await _dataPlane.DetachUserAsync(replaced, TunnelEndReason.Replaced);
            OnTunnelEnded(new TunnelEnded(request.TunnelId, request.SessionId, TunnelEndReason.ConnectionLost, 0, 0));
            throw;
        }
    }

    private async Task DetachAsync(Session session, ulong tunnel, TunnelEndReason reason)
    {
        // A tunnel that the data plane does not know will not be reported as ended.
        if (!await _dataPlane.DetachUserAsync(tunnel, reason))
            OnTunnelEnded(new TunnelEnded(tunnel, session.Id, reason, 0, 0));
    }

    private void OnTunnelEnded(TunnelEnded ended)
    {
        Session? gone = null;
        lock (_gate)
        {
            // A tunnel that a newer one of the same session took the place of says nothing about the session.
            if (_index.Find(ended.SessionId) is not { } session || session.TunnelId != ended.TunnelId)
                return;
            session.TunnelId = 0;
            session.Detached = _clock.GetUtcNow();
            if (session.Ended || session.IsIke || !MayReconnectAfter(ended.Reason))
            {
                if (!session.Ended)
                    _index.Revoke(session);
                Forget(session);
                gone = session;
            }
        }
        if (gone is not null)
            SessionEnded?.Invoke(gone, ended);
    }

    private static bool MayReconnectAfter(TunnelEndReason reason) =>
        reason is TunnelEndReason.ConnectionLost or TunnelEndReason.DeadPeer or TunnelEndReason.ProtocolError or TunnelEndReason.Replaced;

    private static bool IsOver(Session session, DateTimeOffset now) =>
        now >= session.Expires || (session.TunnelId == 0 && now >= session.Detached + session.ReconnectTime);

    private void Forget(Session session)
    {
        Forgetting?.Invoke(session);
        _index.Forget(session);
        if (session.Lease is { } lease)
            _pools.Release(lease);
    }
}
