using System.Net;
using Microsoft.Extensions.Logging;
using VpnBroker.Audit;
using VpnBroker.Authentication;
using VpnBroker.Configuration;
using VpnBroker.Sessions;

namespace VpnBroker.OpenConnect;

/// <summary>What all conversations with clients share.</summary>
/// <param name="Config">Gives the configuration of now.</param>
/// <param name="Authenticator">Finds out who users are.</param>
/// <param name="Attempts">Counts failed log-ins.</param>
/// <param name="Sessions">The sessions.</param>
/// <param name="Audit">The audit log.</param>
/// <param name="Logger">The log.</param>
public sealed record Portal(
    Func<BrokerConfig> Config, IAuthenticator Authenticator, AttemptLimiter Attempts, SessionTable Sessions, AuditLog Audit, ILogger Logger)
{
    /// <summary>The UDP port of the data channel for clients that came to an endpoint; null where there is none.</summary>
    public Func<IPEndPoint, int?> DtlsPortOf { get; init; } = _ => null;

    /// <summary>The profile of a group, or the defaults when the group is null or gone.</summary>
    public ProfileConfig ProfileOf(string? group) => Config().ProfileOf(group);

    /// <summary>The group whose profile counts for a user: the first of the file that the user is in.</summary>
    public string? GroupOf(IReadOnlyList<string> groups) => Config().GroupOf(groups);

    /// <summary>Writes an audit record, and says so in the log when that fails.</summary>
    public void Record(in AuditRecord record)
    {
        if (!Audit.Write(record))
            PortalLog.AuditFailed(Logger, record.Event, PrintableName.Of(record.User));
    }
}

/// <summary>The portal's log messages.</summary>
internal static partial class PortalLog
{
    [LoggerMessage(1, LogLevel.Error, "The audit log cannot be written to: the {Event} of {User} is not in it; free some space or correct log.auditFile")]
    public static partial void AuditFailed(ILogger logger, AuditEvent @event, string user);

    [LoggerMessage(2, LogLevel.Information, "{User} logged in from {Remote}: session {Session}")]
    public static partial void LoggedIn(ILogger logger, string user, IPEndPoint remote, ulong session);

    [LoggerMessage(3, LogLevel.Warning, "Log-in of {User} from {Remote} failed: {Reason}")]
    public static partial void LoginFailed(ILogger logger, string user, IPEndPoint remote, string reason);

    [LoggerMessage(4, LogLevel.Warning, "No address is free in pool {Pool}: {User} is refused; make the pool larger")]
    public static partial void PoolEmpty(ILogger logger, string pool, string user);

    [LoggerMessage(5, LogLevel.Warning, "The cookie of {User} (session {Session}, logged in from {LoginAddress}) was used from {Remote} and refused: {Reason}")]
    public static partial void CookieRefused(ILogger logger, string user, ulong session, IPAddress loginAddress, IPEndPoint remote, string reason);
}
