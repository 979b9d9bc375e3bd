using CryptoPlane.Flows;
using CryptoPlane.Flows.Sessions;

namespace VpnBroker.Configuration;

/// <summary>The sessions inside of tunnels: how many are kept, and for how long.</summary>
public sealed record FlowConfig
{
    /// <summary>Whether sessions are kept at all.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Most sessions of an lcore.</summary>
    public int Maximum { get; init; } = 131_072;

    /// <summary>What becomes of a new session when an lcore has so many.</summary>
    public WhenFull WhenFull { get; init; } = WhenFull.EvictOldestIdle;

    /// <summary>Seconds after which a session that goes on is reported.</summary>
    public int ActiveTimeoutSeconds { get; init; } = 60;

    /// <summary>Whether sessions without a user have a home lcore too, which a policy needs.</summary>
    public bool HomesForAll { get; init; }

    /// <summary>Records of an lcore that wait for the exporter: a power of two.</summary>
    public int RecordQueue { get; init; } = 16_384;

    /// <summary>How long sessions live.</summary>
    public SessionTimeouts Timeouts { get; init; } = SessionTimeouts.Default;
}
