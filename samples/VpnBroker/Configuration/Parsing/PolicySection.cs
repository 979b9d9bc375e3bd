using System.Diagnostics.CodeAnalysis;
using System.Net;
using CryptoPlane.Policy;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The section <c>policy</c>.</summary>
internal static class PolicySection
{
    private const int MaxNameLength = 64;

    /// <summary>A condition with more prefixes than this is better told by fewer, larger ones.</summary>
    private const int MaxPrefixes = 1000;

    public static PolicyConfig? Read(ConfigMap root)
    {
        if (root.Section("policy") is not { } map)
            return null;
        PolicyAction otherwise = map.Require("default")?.AsChoice(("deny", PolicyAction.Deny), ("allow", PolicyAction.Allow), ("reject", PolicyAction.Reject)) ?? PolicyAction.Deny;
        IReadOnlyDictionary<string, IReadOnlyList<IPNetwork>> networks = Networks(map);
        ConfigParser<PolicyRuleConfig> rule = (ConfigNode node, [NotNullWhen(true)] out PolicyRuleConfig? value) => Rule(node, networks, out value);
        var config = new PolicyConfig { Default = otherwise, Rules = map.List("rules", rule) ?? [] };
        if (config.Rules.Count > PolicySnapshot.MaximumRules)
            map.Find("rules")!.Value.Fail($"there are {config.Rules.Count} rules: {PolicySnapshot.MaximumRules} is the most, so put networks or ports of several rules into one");
        foreach (IGrouping<string, PolicyRuleConfig> same in config.Rules.GroupBy(rule => rule.Name).Where(same => same.Count() > 1))
            root.Errors.Add(same.Last().Line, "policy.rules", $"the name \"{same.Key}\" is there twice: rename one, since counters belong to names");
        map.RefuseUnknownKeys();
        return config;
    }

    private static Dictionary<string, IReadOnlyList<IPNetwork>> Networks(ConfigMap policy)
    {
        var networks = new Dictionary<string, IReadOnlyList<IPNetwork>>(StringComparer.Ordinal);
        if (policy.Section("networks") is not { } map)
            return networks;
        foreach (string name in map.Keys)
        {
            if (PolicyValues.LooksLikePrefix(name))
                map.Find(name)!.Value.Fail("a network's name must not look like an address: begin it with a letter, and use neither \"/\" nor \":\"");
            networks.Add(name, NotEmpty(map, name, map.List<IPNetwork>(name, NetworkValues.Prefix)));
        }
        return networks;
    }

    private static bool Rule(ConfigNode node, IReadOnlyDictionary<string, IReadOnlyList<IPNetwork>> networks, [NotNullWhen(true)] out PolicyRuleConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        value = new PolicyRuleConfig
        {
            Name = Name(map),
            Line = node.Line,
            Action = map.Require("action")?.AsChoice(("allow", PolicyAction.Allow), ("deny", PolicyAction.Deny), ("reject", PolicyAction.Reject)) ?? PolicyAction.Deny,
            Users = Texts(map, "users"),
            Groups = Texts(map, "groups"),
            From = Prefixes(map, "from", networks),
            To = Prefixes(map, "to", networks),
            FromPeers = Texts(map, "fromPeers"),
            ToPeers = Texts(map, "toPeers"),
            Ingress = NotEmpty(map, "ingress", map.List<PolicyPlace>("ingress", Place)),
            Egress = NotEmpty(map, "egress", map.List<PolicyPlace>("egress", Place)),
            Protocols = [.. NotEmpty(map, "protocols", map.List<IReadOnlyList<byte>>("protocols", PolicyValues.Protocol)).SelectMany(numbers => numbers).Distinct()],
            FromPorts = NotEmpty(map, "fromPorts", map.List<PolicyPortRange>("fromPorts", PolicyValues.Ports)),
            Ports = NotEmpty(map, "ports", map.List<PolicyPortRange>("ports", PolicyValues.Ports)),
            Log = map.Flag("log", otherwise: false),
        };
        foreach (byte protocol in value.Protocols.Where(_ => map.Find("ports") is not null || map.Find("fromPorts") is not null))
        {
            if (!PolicyRule.ProtocolsWithPorts.Contains(protocol))
                map.Fail($"{PolicyValues.NameOf(protocol)} has no ports: write a rule without ports for it");
        }
        map.RefuseUnknownKeys();
        return true;
    }

    private static string Name(ConfigMap map)
    {
        if (map.Require("name") is not { } node || node.AsText() is not { } name)
            return "";
        if (name.Length > MaxNameLength || name.Any(char.IsControl) || name == PolicyConfig.DefaultName)
            node.Fail($"write a name of at most {MaxNameLength} characters, and not \"{PolicyConfig.DefaultName}\", which is the name of what happens where no rule matches");
        return name;
    }

    private static List<IPNetwork> Prefixes(ConfigMap map, string key, IReadOnlyDictionary<string, IReadOnlyList<IPNetwork>> networks)
    {
        ConfigParser<IReadOnlyList<IPNetwork>> parse = (ConfigNode node, [NotNullWhen(true)] out IReadOnlyList<IPNetwork>? value) =>
        {
            value = null;
            if (node.AsText() is not { } text)
                return false;
            if (networks.TryGetValue(text, out value))
                return true;
            if (PolicyValues.LooksLikePrefix(text))
            {
                bool parsed = NetworkValues.Prefix(node, out IPNetwork prefix);
                value = parsed ? [prefix] : null;
                return parsed;
            }
            node.Fail(networks.Count == 0
                ? $"there is no network \"{text}\": write a prefix such as 10.20.0.0/16, or define the name below policy.networks"
                : $"there is no network \"{text}\": write a prefix such as 10.20.0.0/16, or one of: {string.Join(", ", networks.Keys)}");
            return false;
        };
        List<IPNetwork> prefixes = [.. NotEmpty(map, key, map.List(key, parse)).SelectMany(list => list)];
        if (prefixes.Count > MaxPrefixes)
            map.Find(key)!.Value.Fail($"these are {prefixes.Count} prefixes: {MaxPrefixes} is the most of one rule");
        return prefixes;
    }

    private static IReadOnlyList<string> Texts(ConfigMap map, string key) =>
        NotEmpty(map, key, map.List(key, (ConfigNode node, [NotNullWhen(true)] out string? value) => (value = node.AsText()) is not null));

    /// <summary>An empty list reads like "nobody" and would mean "everybody".</summary>
    private static IReadOnlyList<T> NotEmpty<T>(ConfigMap map, string key, IReadOnlyList<T>? list)
    {
        if (list is { Count: 0 } && map.Find(key)!.Value.IsEmptyList)
            map.Find(key)!.Value.Fail("an empty list would match everything: leave the key out if that is meant, or name something");
        return list ?? [];
    }

    private static bool Place(ConfigNode node, out PolicyPlace value)
    {
        PolicyPlace? place = node.AsChoice(("users", PolicyPlace.Users), ("esp", PolicyPlace.Esp), ("local", PolicyPlace.Local));
        value = place ?? default;
        return place is not null;
    }
}
