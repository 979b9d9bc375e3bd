using System.Net;
using CryptoPlane.Ike;
using CryptoPlane.Ike.Authentication.Eap;
using CryptoPlane.Ike.RemoteAccess;
using Microsoft.Extensions.Logging;
using VpnBroker.Audit;
using VpnBroker.Authentication;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Sessions;

namespace VpnBroker.Ipsec.Users;

/// <summary>
/// Remote users by IKEv2: who may log in, what they are given, and their sessions, which are those of the session table like openconnect
/// users'. IKE's thread, but for <see cref="Refresh"/>.
/// </summary>
/// <param name="config">Gives the configuration of now.</param>
/// <param name="sessions">The sessions.</param>
/// <param name="source">The users.</param>
/// <param name="attempts">Counts failed log-ins, those of openconnect too.</param>
/// <param name="audit">The audit log.</param>
/// <param name="logger">The log.</param>
internal sealed partial class RemoteUsers(
    Func<BrokerConfig> config, SessionTable sessions, IIkeUserSource source, AttemptLimiter attempts, AuditLog audit, ILogger logger) : IIkeRemoteAccess, IEapUsers
{
    private readonly Dictionary<ulong, RemoteUser> _byIkeSa = [];
    private readonly Dictionary<ulong, string> _refusals = [];
    private readonly List<(RemoteUser User, TunnelEndReason Reason)> _closing = [];
    private readonly RefusalThrottle _throttle = new();

    /// <summary>Deletes an IKE SA; called from any thread, it must not wait. Set before the first log-in.</summary>
    public Action<Func<ulong>> Terminate { get; set; } = _ => { };

    /// <summary>Users who are logged in.</summary>
    public int Count => _byIkeSa.Count;

    /// <inheritdoc/>
    public EapUserStatus Find(string userName, IPEndPoint remote, Span<byte> ntHash)
    {
        // Looked up in any case: who is blocked, and who is nobody, waits as long as a user.
        bool known = source.TryGetHash(userName, ntHash);
        bool mayTry = attempts.MayTry(remote.Address, userName, out _);
        return !mayTry ? EapUserStatus.Blocked : known ? EapUserStatus.Known : EapUserStatus.Unknown;
    }

    /// <inheritdoc/>
    public IkeUserGrant? Admit(IkeUserRequest user)
    {
        ArgumentNullException.ThrowIfNull(user);
        if (source.GroupsOf(user.User) is not { } groups)
        {
            _refusals[user.IkeSa] = "not in the users file";
            return null;
        }
        BrokerConfig now = config();
        string? group = now.GroupOf(groups);
        ProfileConfig profile = now.ProfileOf(group);
        if (sessions.CreateIke(user.User, groups, group, profile, user.Remote, now.Limits, End, out string refusal) is not { } session)
        {
            _refusals[user.IkeSa] = refusal;
            return null;
        }
        _byIkeSa.Add(user.IkeSa, new RemoteUser(session, profile) { IkeSa = user.IkeSa, LastPacket = Environment.TickCount64 });
        AddressLease lease = session.Lease!;
        return new IkeUserGrant
        {
            Addresses = [.. new[] { lease.IPv4, lease.IPv6 }.OfType<IPAddress>()],
            NameServers = profile.Dns,
            Subnets = UserRoutes.NetworksOf(profile),
            // RFC 8598 §3.2: with domains, other names go to the client's own servers.
            Domains = profile.DefaultDomain is { } domain && !profile.TunnelAllDns ? [domain] : [],
            LocalSelectors = UserRoutes.SelectorsOf(profile),
            Resource = lease.Lcore,
        };
    }

    /// <inheritdoc/>
    public void Release(IkeUserGrant grant)
    {
        // The addresses are free when the data plane has let the SAs go, which IKE has only announced by now: see Settle.
    }

    /// <summary>The user of an IKE SA; null for a gateway's.</summary>
    public RemoteUser? UserOf(ulong ikeSa) => _byIkeSa.GetValueOrDefault(ikeSa);

    /// <summary>An IKE SA of a users' connection is there.</summary>
    public void Handle(IkeSaEstablished sa)
    {
        if (sa.Replaces is { } old)
        {
            if (!_byIkeSa.Remove(old, out RemoteUser? moved))
                return;
            moved.IkeSa = sa.IkeSa;
            _byIkeSa.Add(sa.IkeSa, moved);
            return;
        }
        string name = sa.RemoteId.ToString();
        if (sa.Connection == IpsecConnections.UsersByPassword)
            attempts.Note(sa.Remote.Address, name, success: true, config().Limits);
        if (!_byIkeSa.TryGetValue(sa.IkeSa, out RemoteUser? user))
        {
            string reason = _refusals.Remove(sa.IkeSa, out string? refusal) ? refusal : "the client asked for no address";
            Refused(name, sa.Remote, reason);
            Terminate(() => sa.IkeSa);
            return;
        }
        Log.LoggedIn(logger, name, sa.Remote, user.Session.Id);
        Record(new AuditRecord(AuditEvent.Login, name, sa.Remote, true, null, user.Session.Id));
        Record(new AuditRecord(AuditEvent.Connect, name, sa.Remote, true, null, user.Session.Id) { Lease = user.Session.Lease });
    }

    /// <summary>An IKE SA of a users' connection is gone.</summary>
    /// <param name="sa">The IKE SA.</param>
    /// <param name="stopping">Whether the broker stops.</param>
    public void Handle(IkeSaClosed sa, bool stopping)
    {
        if (sa.Reason == IkeCloseReason.Rekeyed || !_byIkeSa.Remove(sa.IkeSa, out RemoteUser? user))
            return;
        _closing.Add((user, user.EndReason ?? sa.Reason switch
        {
            IkeCloseReason.DeletedByPeer => TunnelEndReason.ClientDisconnected,
            IkeCloseReason.PeerDead => TunnelEndReason.DeadPeer,
            IkeCloseReason.Expired => TunnelEndReason.SessionTimeout,
            IkeCloseReason.PeerRestarted => TunnelEndReason.Replaced,
            IkeCloseReason.ProtocolError => TunnelEndReason.ProtocolError,
            _ => stopping ? TunnelEndReason.Shutdown : TunnelEndReason.Administrator,
        }));
    }

    /// <summary>Somebody who wanted to be a user was turned away.</summary>
    public void Handle(PeerRefused refused, long now)
    {
        string name = refused.RemoteId?.ToString() ?? "";
        if (refused.Cause == PeerRefusalCause.WrongPassword)
            attempts.Note(refused.Remote.Address, name, success: false, config().Limits);
        string reason = refused.Cause switch
        {
            PeerRefusalCause.WrongPassword => source.GroupsOf(name) is null ? "unknown user" : "wrong password",
            PeerRefusalCause.TooManyAttempts => attempts.MayTry(refused.Remote.Address, out _) ? "too many attempts as this user" : "too many attempts from this address",
            _ => refused.Reason,
        };
        if (_throttle.TryWrite(now, out long omitted))
            Refused(name, refused.Remote, omitted == 0 ? reason : $"{reason} ({omitted} refusals before it are not listed)");
    }

    /// <summary>A client is elsewhere now.</summary>
    public void Handle(PeerMoved moved)
    {
        if (_byIkeSa.TryGetValue(moved.IkeSa, out RemoteUser? user))
            sessions.Move(user.Session, moved.Remote);
    }

    /// <summary>Ends the sessions of IKE SAs that are gone; the data plane has let their SAs go.</summary>
    public void Settle()
    {
        foreach ((RemoteUser user, TunnelEndReason reason) in _closing)
            sessions.Closed(user.Ended(reason));
        _closing.Clear();
    }

    /// <summary>Ends the sessions of users without packets for their profile's idle time.</summary>
    public void EndIdle(long now)
    {
        foreach (RemoteUser user in _byIkeSa.Values)
        {
            if (user.Profile.IdleSeconds != 0 && now - user.LastPacket > user.Profile.IdleSeconds * 1000L)
                sessions.End(user.Session, TunnelEndReason.IdleTimeout);
        }
    }

    /// <summary>Any thread: reads the users again, and ends sessions of those who are none any more.</summary>
    /// <exception cref="UsersFileException">They cannot be read: those of before stay.</exception>
    public void Refresh()
    {
        source.Refresh();
        foreach (Session session in sessions.List().Where(session => session.IsIke && source.GroupsOf(session.User) is null))
            sessions.End(session, TunnelEndReason.Administrator);
    }

    /// <summary>Any thread: the session table wants a session to end.</summary>
    private void End(Session session, TunnelEndReason reason) => Terminate(() =>
    {
        RemoteUser? user = _byIkeSa.Values.FirstOrDefault(user => user.Session == session);
        if (user is null)
            return 0;
        user.EndReason = reason;
        return user.IkeSa;
    });

    private void Refused(string name, IPEndPoint remote, string reason)
    {
        Log.LoginFailed(logger, PrintableName.Of(name), remote, reason);
        Record(new AuditRecord(AuditEvent.Login, name, remote, false, reason, 0));
    }

    private void Record(in AuditRecord record)
    {
        if (!audit.Write(record))
            Log.AuditFailed(logger, record.Event, PrintableName.Of(record.User));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{User} logged in by IKEv2 from {Remote}: session {Session}")]
        public static partial void LoggedIn(ILogger logger, string user, IPEndPoint remote, ulong session);

        [LoggerMessage(2, LogLevel.Warning, "Log-in of {User} by IKEv2 from {Remote} failed: {Reason}")]
        public static partial void LoginFailed(ILogger logger, string user, IPEndPoint remote, string reason);

        [LoggerMessage(3, LogLevel.Error, "The audit log cannot be written to: the {Event} of {User} is not in it; free some space or correct log.auditFile")]
        public static partial void AuditFailed(ILogger logger, AuditEvent @event, string user);
    }
}
