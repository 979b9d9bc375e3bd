using System.Net;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Policy;
using VpnBroker.Configuration;

namespace VpnBroker.DataPlane.Policy;

/// <summary>Makes the rules of a configuration into rules of the core: peers become the networks behind them, places become kinds. Control threads.</summary>
internal static class PolicyRules
{
    /// <summary>The bit of users' tunnels among kinds.</summary>
    public const uint Users = 1u << (int)FlowTunnelKind.User;

    /// <summary>The bit of ESP tunnels of gateways and brokers.</summary>
    public const uint Esp = 1u << (int)FlowTunnelKind.Esp;

    /// <summary>The bits of the local network.</summary>
    public const uint Local = (1u << (int)FlowTunnelKind.Tun) | (1u << (int)FlowTunnelKind.Port);

    /// <summary>A configuration's rules.</summary>
    /// <param name="config">The configuration, which has a policy.</param>
    /// <param name="numberOf">The number of a rule by its name.</param>
    public static IReadOnlyList<PolicyRule> Of(BrokerConfig config, Func<string, uint> numberOf) =>
        [.. config.Policy!.Rules.Select(rule => Of(config, rule, numberOf(rule.Name)))];

    /// <summary>One of them.</summary>
    /// <exception cref="InvalidOperationException">It can match nothing, which checks of the configuration refuse.</exception>
    public static PolicyRule Of(BrokerConfig config, PolicyRuleConfig rule, uint number) => new()
    {
        Id = number,
        Name = rule.Name,
        Action = rule.Action,
        Users = rule.Users,
        Groups = rule.Groups,
        From = Narrow(config, rule.From, rule.FromPeers) ?? throw new InvalidOperationException($"The rule \"{rule.Name}\" has no source."),
        To = Narrow(config, rule.To, rule.ToPeers) ?? throw new InvalidOperationException($"The rule \"{rule.Name}\" has no destination."),
        Protocols = rule.Protocols,
        SourcePorts = rule.FromPorts,
        Ports = rule.Ports,
        IngressKinds = Kinds(rule.Ingress, rule.FromPeers),
        EgressKinds = Kinds(rule.Egress, rule.ToPeers),
        Log = rule.Log,
    };

    /// <summary>
    /// What is in one of the prefixes and behind one of the peers, where peers are named; null where that is nothing. A list that is empty would
    /// match everything.
    /// </summary>
    public static IReadOnlyList<IPNetwork>? Narrow(BrokerConfig config, IReadOnlyList<IPNetwork> prefixes, IReadOnlyList<string> peers)
    {
        if (peers.Count == 0)
            return prefixes;
        List<IPNetwork> behind = [.. peers.SelectMany(peer => Behind(config, peer))];
        List<IPNetwork> narrowed = prefixes.Count == 0 ? behind : [.. prefixes.SelectMany(prefix => behind.Select(other => Smaller(prefix, other))).OfType<IPNetwork>()];
        return narrowed.Count == 0 ? null : narrowed;
    }

    /// <summary>The networks behind an ESP tunnel or an IPsec peer.</summary>
    public static IEnumerable<IPNetwork> Behind(BrokerConfig config, string peer) =>
    [
        .. (config.Esp?.Tunnels ?? []).Where(tunnel => tunnel.Name == peer).SelectMany(tunnel => tunnel.RemotePrefixes),
        .. (config.Ipsec?.Peers ?? []).Where(known => known.Name == peer).SelectMany(known => known.Children).SelectMany(child => child.Remote),
    ];

    /// <summary>The names that <see cref="Behind"/> knows.</summary>
    public static IEnumerable<string> Peers(BrokerConfig config) =>
        [.. (config.Esp?.Tunnels ?? []).Select(tunnel => tunnel.Name), .. (config.Ipsec?.Peers ?? []).Select(peer => peer.Name)];

    /// <summary>Of two prefixes the one within the other, or null.</summary>
    private static IPNetwork? Smaller(IPNetwork left, IPNetwork right) =>
        left.BaseAddress.AddressFamily != right.BaseAddress.AddressFamily ? null
        : left.PrefixLength >= right.PrefixLength ? (right.Contains(left.BaseAddress) ? left : null)
        : left.Contains(right.BaseAddress) ? right : null;

    private static uint Kinds(IReadOnlyList<PolicyPlace> places, IReadOnlyList<string> peers)
    {
        uint kinds = places.Aggregate(0u, (sum, place) => sum | place switch { PolicyPlace.Users => Users, PolicyPlace.Esp => Esp, _ => Local });
        return kinds == 0 && peers.Count != 0 ? Esp : kinds;
    }
}
