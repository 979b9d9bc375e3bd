using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The sections <c>defaults</c>, <c>groups</c> and <c>pools</c>.</summary>
internal static class ProfileSections
{
    /// <summary>openconnect keeps three DNS servers and drops the others.</summary>
    private const int MaxDnsServers = 3;

    public static ProfileConfig? Defaults(ConfigMap root, bool required)
    {
        if ((required ? root.Require("defaults") : root.Find("defaults"))?.AsMap() is not { } map)
            return null;
        string pool = map.Require("pool")?.AsText() ?? "";
        ProfileConfig profile = Settings(map, new ProfileConfig { Pool = pool });
        map.RefuseUnknownKeys();
        return profile;
    }

    public static IReadOnlyList<GroupConfig> Groups(ConfigMap root, ProfileConfig? defaults)
    {
        ConfigParser<GroupConfig> parse = (ConfigNode node, [NotNullWhen(true)] out GroupConfig? value) =>
        {
            value = null;
            if (node.AsMap() is not { } map)
                return false;
            string name = map.Require("name")?.AsText() ?? "";
            ProfileConfig start = defaults ?? new ProfileConfig { Pool = "" };
            value = new GroupConfig { Name = name, Profile = Settings(map, start with { Pool = map.Text("pool") ?? start.Pool }) };
            map.RefuseUnknownKeys();
            return true;
        };
        IReadOnlyList<GroupConfig> groups = root.List("groups", parse) ?? [];
        if (groups.Count != 0 && defaults is null)
            root.Fail("groups change what \"defaults\" gives: add that section");
        foreach (string name in groups.GroupBy(group => group.Name).Where(same => same.Count() > 1).Select(same => same.Key))
            root.Errors.Add(root.Find("groups")!.Value.Line, "groups", $"the name \"{name}\" is there twice: rename one");
        return groups;
    }

    public static IReadOnlyList<PoolConfig> Pools(ConfigMap root)
    {
        IReadOnlyList<PoolConfig> pools = root.List<PoolConfig>("pools", Pool) ?? [];
        foreach (string name in pools.GroupBy(pool => pool.Name).Where(same => same.Count() > 1).Select(same => same.Key))
            root.Errors.Add(root.Find("pools")!.Value.Line, "pools", $"the name \"{name}\" is there twice: rename one");
        return pools;
    }

    private static bool Pool(ConfigNode node, [NotNullWhen(true)] out PoolConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        value = new PoolConfig
        {
            Name = map.Require("name")?.AsText() ?? "",
            IPv4 = OneFamily(map, "ipv4", AddressFamily.InterNetwork),
            IPv6 = OneFamily(map, "ipv6", AddressFamily.InterNetworkV6),
        };
        if (value.IPv4 is null && value.IPv6 is null)
            map.Fail("write a prefix: ipv4: 10.77.0.0/16, or ipv6: fd00:77::/64, or both");
        map.RefuseUnknownKeys();
        return true;
    }

    private static IPNetwork? OneFamily(ConfigMap map, string key, AddressFamily family)
    {
        if (map.Find(key) is not { } node || !NetworkValues.Prefix(node, out IPNetwork prefix))
            return null;
        if (prefix.BaseAddress.AddressFamily == family)
            return prefix;
        node.Fail("this is a prefix of the other family: use the other key");
        return null;
    }

    private static ProfileConfig Settings(ConfigMap map, ProfileConfig start)
    {
        ConfigNode? dnsNode = map.Find("dns");
        IReadOnlyList<IPAddress>? dns = map.List<IPAddress>("dns", NetworkValues.Address);
        if (dns is { Count: > MaxDnsServers })
            dnsNode!.Value.Fail($"clients take {MaxDnsServers} servers: remove the others");
        return start with
        {
            Mtu = map.Number("mtu", start.Mtu, 576, 9000),
            Include = map.List<IPNetwork>("include", NetworkValues.Prefix) ?? start.Include,
            Exclude = map.List<IPNetwork>("exclude", NetworkValues.Prefix) ?? start.Exclude,
            Dns = dns ?? start.Dns,
            TunnelAllDns = map.Flag("tunnelAllDns", start.TunnelAllDns),
            DefaultDomain = HeaderText(map, "defaultDomain", 255) ?? start.DefaultDomain,
            Banner = HeaderText(map, "banner", 1000) ?? start.Banner,
            DpdSeconds = map.Seconds("dpd", start.DpdSeconds, neverAllowed: true),
            KeepaliveSeconds = map.Seconds("keepalive", start.KeepaliveSeconds, neverAllowed: true),
            RekeySeconds = map.Seconds("rekey", start.RekeySeconds, neverAllowed: true),
            RekeyMethod = map.Find("rekeyMethod")?.AsChoice(("ssl", RekeyMethod.Ssl), ("new-tunnel", RekeyMethod.NewTunnel)) ?? start.RekeyMethod,
            IdleSeconds = map.Seconds("idleTime", start.IdleSeconds, neverAllowed: true),
            SessionSeconds = map.Seconds("sessionTime", start.SessionSeconds, neverAllowed: true),
            ReconnectSeconds = map.Seconds("reconnectTime", start.ReconnectSeconds, neverAllowed: false),
            Roaming = map.Flag("roaming", start.Roaming),
        };
    }

    /// <summary>Text that goes into a response header.</summary>
    private static string? HeaderText(ConfigMap map, string key, int maximum)
    {
        if (map.Find(key) is not { } node || node.AsText() is not { } text)
            return null;
        if (text.Length <= maximum && (key == "banner" || text.All(c => c is > ' ' and < '\x7f')))
            return text;
        node.Fail(key == "banner" ? $"write at most {maximum} characters" : $"write a domain of at most {maximum} characters, in ASCII and without spaces");
        return null;
    }
}
