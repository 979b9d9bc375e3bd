using System.Net;

namespace VpnBroker.Configuration;

/// <summary>What a user's tunnel is given: pool, routes, names, sizes and times.</summary>
public sealed record ProfileConfig
{
    /// <summary>The name of the pool that the inner addresses come from.</summary>
    public required string Pool { get; init; }

    /// <summary>The inner MTU, in bytes.</summary>
    public int Mtu { get; init; } = 1400;

    /// <summary>Prefixes the client sends into the tunnel; none means everything.</summary>
    public IReadOnlyList<IPNetwork> Include { get; init; } = [];

    /// <summary>Prefixes the client keeps out of the tunnel.</summary>
    public IReadOnlyList<IPNetwork> Exclude { get; init; } = [];

    /// <summary>DNS servers for the client; at most three per family.</summary>
    public IReadOnlyList<IPAddress> Dns { get; init; } = [];

    /// <summary>Whether the client sends every DNS query into the tunnel.</summary>
    public bool TunnelAllDns { get; init; }

    /// <summary>The DNS search domain, or null.</summary>
    public string? DefaultDomain { get; init; }

    /// <summary>A text the client shows when it has connected, or null.</summary>
    public string? Banner { get; init; }

    /// <summary>Seconds of silence after which either side asks whether the other is alive; 0 for never.</summary>
    public int DpdSeconds { get; init; } = 30;

    /// <summary>Seconds of silence after which a keepalive keeps middleboxes' state; 0 for never.</summary>
    public int KeepaliveSeconds { get; init; } = 20;

    /// <summary>Seconds between new keys; 0 for never (the record layer's own limits still hold).</summary>
    public int RekeySeconds { get; init; } = 86400;

    /// <summary>How new keys are made.</summary>
    public RekeyMethod RekeyMethod { get; init; } = RekeyMethod.Ssl;

    /// <summary>Seconds without an inner packet after which the tunnel ends; 0 for never.</summary>
    public int IdleSeconds { get; init; }

    /// <summary>Seconds after the log-in at which the session ends; 0 for never.</summary>
    public int SessionSeconds { get; init; } = 86400;

    /// <summary>Seconds that a session without a tunnel is kept for a reconnect.</summary>
    public int ReconnectSeconds { get; init; } = 600;

    /// <summary>Whether the cookie of a session without a STRAP key is good from addresses other than that of the log-in.</summary>
    public bool Roaming { get; init; }
}

/// <summary>What X-CSTP-Rekey-Method says.</summary>
public enum RekeyMethod
{
    /// <summary><c>ssl</c>: a KeyUpdate on the same connection.</summary>
    Ssl,

    /// <summary><c>new-tunnel</c>: a new connection with the same cookie.</summary>
    NewTunnel,
}
