using System.Net;
using System.Net.Sockets;
using CryptoPlane.Lcores;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>What holds between sections: names that exist, pools that do not overlap, keys that are used once.</summary>
internal static class ConfigChecks
{
    /// <summary>An inner packet of this size fits a slot between lcores, in ESP with an outer header as well.</summary>
    private const int MaxMtuBetweenLcores = PacketHandover.MaximumLength - MaxEspOverhead;

    /// <summary>Outer IPv6 header, UDP, ESP header, IV, padding, trailer and ICV.</summary>
    private const int MaxEspOverhead = 40 + 8 + 8 + 8 + 3 + 2 + 16;

    public static void Run(BrokerConfig config, ConfigMap root, ConfigErrors errors)
    {
        long Line(string section) => root.Find(section)?.Line ?? 1;

        if (config.Listen is null && config.Esp is null && config.Ipsec is null)
            errors.Add(1, "", "there is nothing to do: write a listen section, an ipsec section, or both");
        if (config.OffersDtls && config.Ipsec is not null
            && config.Listen!.Endpoints.Any(listen => (config.Dtls.Port ?? listen.Port) is IpsecConfig.IkePort or IpsecConfig.NatPort))
            errors.Add(Line("dtls"), "dtls", "the UDP ports 500 and 4500 are IPsec's: choose another port, or write dtls: {enabled: false}");
        Pools(config, Line("pools"), errors);
        Profiles(config, Line("defaults"), Line("groups"), errors);
        HandOvers(config, Line, errors);
        if (config.Dpdk is { } dpdk)
            DpdkChecks.Run(dpdk, config, Line("dpdk"), errors);
        if (config.Esp is { } esp)
        {
            Tunnels(esp, config, Line("esp"), errors);
            Keys(esp, Line("esp"), errors);
        }
        if (config.Ipsec is { } ipsec)
            IpsecChecks.Run(ipsec, config, Line("ipsec"), errors);
        PolicyChecks.Run(config, errors);
        if (config.Export is not null && !config.KeepsFlows)
            errors.Add(Line("export"), "export", "there are no records without sessions: write flows: {enabled: true}, or leave the export section out");
        if (config.Traffic is { } traffic)
            TrafficChecks.Run(traffic, config, Line("traffic"), errors);
    }

    private static void Pools(BrokerConfig config, long line, ConfigErrors errors)
    {
        int extra = PoolPartition.ExtraBits(config.Lcores.Count);
        var prefixes = new List<(string Pool, IPNetwork Prefix)>();
        foreach (PoolConfig pool in config.Pools)
        {
            foreach (IPNetwork prefix in new[] { pool.IPv4, pool.IPv6 }.OfType<IPNetwork>())
            {
                int bits = prefix.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
                // Each lcore's part has at least four addresses: the pool's first and last ones are not given out.
                if (prefix.PrefixLength + extra > bits - 2)
                    errors.Add(line, "pools", $"{prefix} of pool \"{pool.Name}\" is too small to be cut into parts for {config.Lcores.Count} lcores: use a prefix length of at most {bits - 2 - extra}");
                foreach ((string other, IPNetwork taken) in prefixes)
                {
                    if (Overlap(prefix, taken))
                        errors.Add(line, "pools", $"{prefix} of pool \"{pool.Name}\" overlaps {taken} of pool \"{other}\": an address belongs to one pool");
                }
                prefixes.Add((pool.Name, prefix));
            }
        }
    }

    private static void Profiles(BrokerConfig config, long defaultsLine, long groupsLine, ConfigErrors errors)
    {
        if (config.DefaultProfile is { } defaults)
            Profile(defaults, "defaults", defaultsLine);
        foreach (GroupConfig group in config.Groups)
            Profile(group.Profile, $"groups \"{group.Name}\"", groupsLine);

        void Profile(ProfileConfig profile, string key, long line)
        {
            PoolConfig? pool = config.Pools.FirstOrDefault(pool => pool.Name == profile.Pool);
            if (pool is null)
                errors.Add(line, key, $"there is no pool \"{profile.Pool}\": add it below pools, or name one of: {string.Join(", ", config.Pools.Select(known => known.Name))}");
            // RFC 8200 §5: every link that carries IPv6 has an MTU of at least 1280.
            else if (pool.IPv6 is not null && profile.Mtu < 1280)
                errors.Add(line, key, $"pool \"{pool.Name}\" has IPv6 addresses, which need an mtu of at least 1280");
        }
    }

    /// <summary>What arrives at another lcore than its own is copied to it, and slots have a size: larger packets would be lost there.</summary>
    private static void HandOvers(BrokerConfig config, Func<string, long> line, ConfigErrors errors)
    {
        if (config.Lcores.Count == 1)
            return;
        var mtus = new List<(string Section, int Mtu)>();
        if (config.DefaultProfile is { } defaults)
            mtus.Add(("defaults", defaults.Mtu));
        mtus.AddRange(config.Groups.Select(group => ("groups", group.Profile.Mtu)));
        if (config.LocalNetwork is { } network)
            mtus.Add((config.Tun is null ? "dpdk" : "tun", network.Mtu));
        mtus.AddRange((config.Esp?.Tunnels ?? []).Select(tunnel => ("esp", tunnel.Mtu)));
        mtus.AddRange((config.Ipsec?.Peers ?? []).Select(peer => ("ipsec", peer.Mtu)));
        foreach ((string section, int mtu) in mtus.Where(entry => entry.Mtu > MaxMtuBetweenLcores))
            errors.Add(line(section), section, $"with several lcores an mtu is at most {MaxMtuBetweenLcores}, not {mtu}: use less, or one lcore");
    }

    private static void Tunnels(EspConfig esp, BrokerConfig config, long line, ConfigErrors errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var inboundSpis = new Dictionary<uint, string>();
        var prefixes = new Dictionary<IPNetwork, string>();
        foreach (EspTunnelConfig tunnel in esp.Tunnels)
        {
            string key = $"esp tunnel \"{tunnel.Name}\"";
            if (!names.Add(tunnel.Name))
                errors.Add(line, key, "the name is there twice: rename one");
            foreach (IPNetwork prefix in tunnel.RemotePrefixes)
            {
                if (!prefixes.TryAdd(prefix, tunnel.Name))
                    errors.Add(line, key, $"{prefix} is a remote prefix of tunnel \"{prefixes[prefix]}\" already: a prefix is behind one peer");
                foreach (PoolConfig pool in config.Pools.Where(pool => Contains(pool.IPv4, prefix) || Contains(pool.IPv6, prefix)))
                    errors.Add(line, key, $"{prefix} takes addresses of pool \"{pool.Name}\" away from its users: choose another prefix or pool");
            }
            var lcores = new HashSet<int>();
            foreach (EspSaPairConfig pair in tunnel.Pairs)
            {
                if (pair.Lcore >= config.Lcores.Count)
                    errors.Add(line, key, $"there is no lcore {pair.Lcore}: the last one is {config.Lcores.Count - 1}");
                if (!lcores.Add(pair.Lcore))
                    errors.Add(line, key, $"lcore {pair.Lcore} has two pairs: give each lcore one");
                if (pair.Inbound.Spi >> 24 != pair.Lcore + 1)
                    errors.Add(line, key, $"the inbound SPI 0x{pair.Inbound.Spi:x8} must begin with 0x{pair.Lcore + 1:x2}, which steers it to lcore {pair.Lcore}");
                if (!inboundSpis.TryAdd(pair.Inbound.Spi, tunnel.Name))
                    errors.Add(line, key, $"the inbound SPI 0x{pair.Inbound.Spi:x8} is used by tunnel \"{inboundSpis[pair.Inbound.Spi]}\" already: choose another");
            }
            foreach (int lcore in Enumerable.Range(0, config.Lcores.Count).Where(lcore => !lcores.Contains(lcore)))
                errors.Add(line, key, $"lcore {lcore} has no pair: each lcore seals with SAs of its own");
        }
    }

    /// <summary>One key in two SAs repeats IVs, which gives AES-GCM's authentication key away: refused, whatever the salts are.</summary>
    private static void Keys(EspConfig esp, long line, ConfigErrors errors)
    {
        var used = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (EspTunnelConfig tunnel in esp.Tunnels)
        {
            foreach (EspSaPairConfig pair in tunnel.Pairs)
            {
                Use(pair.Inbound, $"the inbound SA of tunnel \"{tunnel.Name}\", lcore {pair.Lcore}");
                Use(pair.Outbound, $"the outbound SA of tunnel \"{tunnel.Name}\", lcore {pair.Lcore}");
            }
        }

        void Use(EspSaConfig sa, string where)
        {
            if (!used.TryAdd(sa.Key.Fingerprint, where))
                errors.Add(line, "esp", $"{where} has the key of {used[sa.Key.Fingerprint]}: every SA, direction and lcore needs a key of its own (make one with: openssl rand -hex 16)");
        }
    }

    internal static bool Contains(IPNetwork? outer, IPNetwork inner) =>
        outer is { } prefix && prefix.PrefixLength <= inner.PrefixLength && prefix.Contains(inner.BaseAddress);

    private static bool Overlap(IPNetwork left, IPNetwork right) => Contains(left, right) || Contains(right, left);
}
