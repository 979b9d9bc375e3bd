using CryptoPlane.Flows;
using CryptoPlane.Flows.Sessions;
using VpnBroker.Configuration;

namespace VpnBroker.DataPlane.Flows;

/// <summary>How an lcore keeps the sessions of its tunnels.</summary>
internal sealed record FlowSettings
{
    private const long Second = 1_000_000_000;

    /// <summary>What a configuration says; null where sessions are not kept.</summary>
    public static FlowSettings? From(BrokerConfig config) => !config.KeepsFlows ? null : new FlowSettings
    {
        Maximum = config.Flows.Maximum,
        WhenFull = config.Flows.WhenFull,
        Timeouts = config.Flows.Timeouts,
        ActiveTimeout = config.Flows.ActiveTimeoutSeconds * Second,
        Records = config.ExportsFlows ? config.Flows.RecordQueue : 0,
        StartRecords = config.Export is { StartRecords: true },
        HomesForAll = config.Flows.HomesForAll || config.Policy != null,
    };

    /// <summary>Most sessions.</summary>
    public int Maximum { get; init; } = 131_072;

    /// <summary>Sessions that there is memory for from the beginning.</summary>
    public int Initial { get; init; } = 8192;

    /// <summary>What becomes of a new session when there are so many.</summary>
    public WhenFull WhenFull { get; init; } = WhenFull.EvictOldestIdle;

    /// <summary>How long sessions live.</summary>
    public SessionTimeouts Timeouts { get; init; } = SessionTimeouts.Default;

    /// <summary>Nanoseconds after which a session that goes on gets a record.</summary>
    public long ActiveTimeout { get; init; } = 60 * Second;

    /// <summary>Records that wait for the exporter: a power of two; 0 where nobody reads them, so that none are made.</summary>
    public int Records { get; init; }

    /// <summary>Whether a session's first packet makes a record too.</summary>
    public bool StartRecords { get; init; }

    /// <summary>Packets whose fragments are followed at a time: a power of two.</summary>
    public int Fragments { get; init; } = 1024;

    /// <summary>Nanoseconds that fragments are waited for: what receivers wait at most (RFC 8200 §4.5).</summary>
    public long FragmentLifetime { get; init; } = 60 * Second;

    /// <summary>
    /// Whether sessions without a user have a home lcore too, so that both directions meet there: what a policy needs. Without, a session
    /// whose directions are on two lcores has an entry on each.
    /// </summary>
    public bool HomesForAll { get; init; }
}
