using CryptoPlane.Policy;
using VpnBroker.Authentication;
using VpnBroker.Configuration.Yaml;
using VpnBroker.DataPlane.Policy;

namespace VpnBroker.Configuration.Parsing;

/// <summary>What holds between rules and the rest of the configuration; and which rules are allowed, but never decide.</summary>
internal static class PolicyChecks
{
    private const string Section = "policy.rules";

    public static void Run(BrokerConfig config, ConfigErrors errors)
    {
        var peers = PolicyRules.Peers(config).ToHashSet(StringComparer.Ordinal);
        foreach (PolicyRuleConfig rule in config.Policy?.Rules ?? [])
        {
            string key = $"{Section} \"{rule.Name}\"";
            foreach (string peer in rule.FromPeers.Concat(rule.ToPeers).Where(peer => !peers.Contains(peer)))
            {
                errors.Add(rule.Line, key, peers.Count == 0
                    ? $"there is no peer \"{peer}\": the configuration has neither ESP tunnels nor IPsec peers"
                    : $"there is no peer \"{peer}\": name one of: {string.Join(", ", peers)}");
            }
            Peers(config, rule.From, rule.FromPeers, rule.Ingress, "from", rule, key, errors);
            Peers(config, rule.To, rule.ToPeers, rule.Egress, "to", rule, key, errors);
            if ((rule.Users.Count != 0 || rule.Groups.Count != 0) && rule.Ingress.Count != 0 && !rule.Ingress.Contains(PolicyPlace.Users))
                errors.Add(rule.Line, key, "users open flows out of their tunnels only: add users to ingress, or leave ingress out");
            foreach (string group in rule.Groups.Where(group => !UsersFile.IsName(group)))
                errors.Add(rule.Line, key, $"\"{group}\" cannot be a group's name: write it as the users file does");
        }
    }

    /// <summary>Rules that can never decide, since an earlier one takes whatever they would: sentences for the operator.</summary>
    public static IReadOnlyList<string> Warnings(BrokerConfig config)
    {
        if (config.Policy is not { } policy)
            return [];
        IReadOnlyList<PolicyRule> rules = PolicyRules.Of(config, _ => 1);
        var warnings = new List<string>();
        for (int i = 0; i < rules.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (!rules[j].Covers(rules[i]))
                    continue;
                warnings.Add(
                    $"line {policy.Rules[i].Line}: {Section} \"{rules[i].Name}\" never decides: the rule \"{rules[j].Name}\" above it (line {policy.Rules[j].Line}) takes all that it would; move it up, or remove it");
                break;
            }
        }
        return warnings;
    }

    private static void Peers(
        BrokerConfig config, IReadOnlyList<System.Net.IPNetwork> prefixes, IReadOnlyList<string> peers, IReadOnlyList<PolicyPlace> places, string side,
        PolicyRuleConfig rule, string key, ConfigErrors errors)
    {
        if (peers.Count == 0)
            return;
        if (places.Count != 0 && (places.Count != 1 || places[0] != PolicyPlace.Esp))
            errors.Add(rule.Line, key, $"peers are behind esp: leave {(side == "from" ? "ingress" : "egress")} out with {side}Peers");
        if (PolicyRules.Narrow(config, prefixes, peers) is null && peers.All(PolicyRules.Peers(config).Contains))
            errors.Add(rule.Line, key, $"none of the networks in \"{side}\" is behind {string.Join(" or ", peers)}: the rule would never match");
    }
}
