namespace VpnBroker.Sessions;

/// <summary>The ways to a session: by its cookie, its number, its user, and the App-ID of its data channel. The table's lock guards it.</summary>
internal sealed class SessionIndex
{
    private readonly Dictionary<CookieHash, Session> _byCookie = [];
    private readonly Dictionary<ulong, Session> _byId = [];
    private readonly Dictionary<string, Session> _byUser = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Session> _byAppId = new(StringComparer.Ordinal);

    /// <summary>Sessions that have not ended.</summary>
    public int Count => _byCookie.Count;

    /// <summary>The sessions that have not ended, in no order.</summary>
    public IEnumerable<Session> Living => _byCookie.Values;

    /// <summary>The session of a cookie.</summary>
    public Session? Find(CookieHash cookie) => _byCookie.GetValueOrDefault(cookie);

    /// <summary>The session of a number; also one that has ended, until it is forgotten.</summary>
    public Session? Find(ulong id) => _byId.GetValueOrDefault(id);

    /// <summary>The session of a data channel.</summary>
    public Session? FindByAppId(string appId) => _byAppId.GetValueOrDefault(appId);

    /// <summary>A user's sessions that have not ended, the newest first.</summary>
    public List<Session> Of(string user)
    {
        var sessions = new List<Session>();
        for (Session? session = _byUser.GetValueOrDefault(user); session is not null; session = session.NextOfUser)
            sessions.Add(session);
        return sessions;
    }

    /// <summary>Takes a new session in.</summary>
    public void Add(Session session)
    {
        _byCookie.Add(session.Cookie, session);
        _byId.Add(session.Id, session);
        session.NextOfUser = _byUser.GetValueOrDefault(session.User);
        _byUser[session.User] = session;
    }

    /// <summary>Ends a session: there is no way to it any more but its number, which the tunnel's end still needs, and its App-ID.</summary>
    public void Revoke(Session session)
    {
        session.Ended = true;
        _byCookie.Remove(session.Cookie);
        if (_byUser[session.User] == session)
        {
            if (session.NextOfUser is { } next)
                _byUser[session.User] = next;
            else
                _byUser.Remove(session.User);
            return;
        }
        Session before = _byUser[session.User];
        while (before.NextOfUser != session)
            before = before.NextOfUser!;
        before.NextOfUser = session.NextOfUser;
    }

    /// <summary>Takes the last ways to a session that was revoked.</summary>
    public void Forget(Session session)
    {
        ForgetDtls(session);
        _byId.Remove(session.Id);
    }

    /// <summary>Makes a session known by the App-ID of a data channel, which takes the place of the one before.</summary>
    public void Offer(Session session, DtlsCredential dtls)
    {
        ForgetDtls(session);
        session.Dtls = dtls;
        _byAppId.Add(dtls.AppId, session);
    }

    private void ForgetDtls(Session session)
    {
        if (session.Dtls is not { } dtls)
            return;
        _byAppId.Remove(dtls.AppId);
        dtls.Erase();
        session.Dtls = null;
    }
}
