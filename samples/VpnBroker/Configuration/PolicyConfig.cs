using System.Net;
using CryptoPlane.Policy;

namespace VpnBroker.Configuration;

/// <summary>Which flows pass. Without this section all do.</summary>
public sealed record PolicyConfig
{
    /// <summary>The name of <see cref="Default"/> in status reports and counters: no rule has it.</summary>
    public const string DefaultName = "default";

    /// <summary>What happens to flows that no rule matches.</summary>
    public required PolicyAction Default { get; init; }

    /// <summary>The rules: the first one that matches decides.</summary>
    public IReadOnlyList<PolicyRuleConfig> Rules { get; init; } = [];
}

/// <summary>A rule: it matches where all of its conditions do, and what is empty matches everything.</summary>
public sealed record PolicyRuleConfig
{
    /// <summary>The name, unique: counters belong to it.</summary>
    public required string Name { get; init; }

    /// <summary>The line of the file, for warnings.</summary>
    public long Line { get; init; }

    /// <summary>What it does.</summary>
    public required PolicyAction Action { get; init; }

    /// <summary>Users who open the flow.</summary>
    public IReadOnlyList<string> Users { get; init; } = [];

    /// <summary>Groups whose members open the flow; with users, one of both suffices.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Where the initiator is.</summary>
    public IReadOnlyList<IPNetwork> From { get; init; } = [];

    /// <summary>Where the responder is.</summary>
    public IReadOnlyList<IPNetwork> To { get; init; } = [];

    /// <summary>ESP tunnels or IPsec peers that the initiator is behind.</summary>
    public IReadOnlyList<string> FromPeers { get; init; } = [];

    /// <summary>ESP tunnels or IPsec peers that the responder is behind.</summary>
    public IReadOnlyList<string> ToPeers { get; init; } = [];

    /// <summary>What the flow comes out of.</summary>
    public IReadOnlyList<PolicyPlace> Ingress { get; init; } = [];

    /// <summary>What the flow goes into.</summary>
    public IReadOnlyList<PolicyPlace> Egress { get; init; } = [];

    /// <summary>Numbers of upper protocols.</summary>
    public IReadOnlyList<byte> Protocols { get; init; } = [];

    /// <summary>The initiator's ports.</summary>
    public IReadOnlyList<PolicyPortRange> FromPorts { get; init; } = [];

    /// <summary>The responder's ports.</summary>
    public IReadOnlyList<PolicyPortRange> Ports { get; init; } = [];

    /// <summary>Whether the audit log tells of its decisions, at a bounded rate.</summary>
    public bool Log { get; init; }
}

/// <summary>What flows come out of and go into, as rules speak of it.</summary>
public enum PolicyPlace
{
    /// <summary>Users' tunnels.</summary>
    Users,

    /// <summary>ESP tunnels of gateways and other brokers.</summary>
    Esp,

    /// <summary>The local network: the TUN interface, or the DPDK port whose role is inside.</summary>
    Local,
}
