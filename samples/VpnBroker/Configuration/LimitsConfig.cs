namespace VpnBroker.Configuration;

/// <summary>What bounds the work and the memory that a stranger, or a slow reader, can cause.</summary>
public sealed record LimitsConfig
{
    /// <summary>Connections that have not become a tunnel yet, in all.</summary>
    public int HalfOpen { get; init; } = 2000;

    /// <summary>Connections that have not become a tunnel yet, of one address (an IPv6 /64 counts as one).</summary>
    public int HalfOpenPerAddress { get; init; } = 32;

    /// <summary>Bytes of a request line with all header fields.</summary>
    public int HeaderBytes { get; init; } = 16384;

    /// <summary>Bytes of a request body.</summary>
    public int BodyBytes { get; init; } = 65536;

    /// <summary>Seconds from accept to a tunnel; the connection is closed then.</summary>
    public int LoginSeconds { get; init; } = 60;

    /// <summary>Failed log-ins of one address before it must wait.</summary>
    public int AttemptsPerAddress { get; init; } = 5;

    /// <summary>Failed log-ins of one user, from anywhere, before there is a wait for that user.</summary>
    public int AttemptsPerUser { get; init; } = 20;

    /// <summary>Seconds the first wait lasts; it doubles with each further failure, up to an hour (a user's: five minutes).</summary>
    public int BackoffSeconds { get; init; } = 10;

    /// <summary>Sessions in all: log-ins behind that are refused.</summary>
    public int Sessions { get; init; } = 20000;

    /// <summary>Sessions of one user: log-ins behind that end the user's oldest session.</summary>
    public int SessionsPerUser { get; init; } = 8;

    /// <summary>Flows that one user may have at a time, on each lcore where the user has a tunnel; 0 for no limit.</summary>
    public int FlowsPerUser { get; init; }

    /// <summary>Flows that one user may open per second, likewise; 0 for no limit.</summary>
    public int NewFlowsPerUser { get; init; }

    /// <summary>Bytes waiting to be sent on one tunnel's connection; packets behind that are dropped before sealing.</summary>
    public int UnsentBytes { get; init; } = 262144;
}
