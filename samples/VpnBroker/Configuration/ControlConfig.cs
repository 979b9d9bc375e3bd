using Microsoft.Extensions.Logging;

namespace VpnBroker.Configuration;

/// <summary>The control socket.</summary>
public sealed record ControlConfig
{
    /// <summary>Path of the Unix socket that <c>broker status</c> and its sisters talk to.</summary>
    public string Socket { get; init; } = "/run/cryptoplane/broker.sock";
}

/// <summary>The audit log and the structured log.</summary>
public sealed record LogConfig
{
    /// <summary>Path of the audit log of log-ins (JSON lines), or null for none.</summary>
    public string? AuditFile { get; init; }

    /// <summary>The least level that is logged.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>Whether log lines are JSON objects instead of text.</summary>
    public bool Json { get; init; }
}
