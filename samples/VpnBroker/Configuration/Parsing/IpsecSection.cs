using System.Diagnostics.CodeAnalysis;
using System.Net;
using CryptoPlane.Ike;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The section <c>ipsec</c>.</summary>
internal static class IpsecSection
{
    public static IpsecConfig? Read(ConfigMap root)
    {
        if (root.Section("ipsec") is not { } map)
            return null;
        var config = new IpsecConfig
        {
            Listen = map.List<IPAddress>("listen", NetworkValues.Address) ?? [],
            MaximumChildren = map.Number("maximumChildren", 1024, 1, 1 << 20),
            InsecureKeyLog = map.Flag("insecureKeyLog", otherwise: false),
            RemoteAccess = map.Section("remoteAccess") is { } users ? RemoteAccessSection.Read(users) : null,
            Peers = map.List<IpsecPeerConfig>("peers", Peer) ?? [],
        };
        if (config.Listen.Count == 0)
            map.Fail("write the broker's own outer addresses: listen: [192.0.2.1]");
        if (config.Peers.Count == 0 && map.Find("remoteAccess") is null)
            map.Fail("write at least one peer below peers, or remoteAccess for users, or leave the section out");
        map.RefuseUnknownKeys();
        return config with { PlainEsp = config.Peers.Any(peer => !peer.ForceEncapsulation) || config.RemoteAccess is { ForceEncapsulation: false } };
    }

    private static bool Peer(ConfigNode node, [NotNullWhen(true)] out IpsecPeerConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        string? name = map.Require("name")?.AsText();
        IkeIdentity? localId = map.Require("localId") is { } own ? Identity(own, IkeIdentity.Parse) : null;
        IkeIdentityPattern? remoteId = map.Require("remoteId") is { } theirs ? Identity(theirs, IkeIdentityPattern.Parse) : null;
        IpsecCredentials? credentials = IpsecCredentialFiles.Read(map);
        var peer = new IpsecPeerConfig
        {
            Name = name ?? "",
            Local = map.Find("local") is { } local && NetworkValues.Address(local, out IPAddress? address) ? address : null,
            Remote = map.Require("remote") is { } remote ? Remote(remote) : null,
            LocalId = localId ?? IkeIdentity.Fqdn("none"),
            RemoteId = remoteId ?? IkeIdentityPattern.Any,
            Credentials = credentials ?? new IpsecCredentials(),
            ForceEncapsulation = map.Find("encapsulation")?.AsChoice(("udp", true), ("auto", false)) ?? true,
            DpdSeconds = map.Seconds("dpd", 30, neverAllowed: true, maximum: 86400),
            DpdTimeoutSeconds = map.Seconds("dpdTimeout", 0, neverAllowed: true, maximum: 86400),
            LifetimeSeconds = map.Seconds("lifetime", 4 * 3600, neverAllowed: false),
            PerLcore = map.Flag("perLcore", otherwise: false),
            Priority = map.Number("priority", 0, 0, 1_000_000),
            Weight = map.Number("weight", 1, 1, IpsecPeerConfig.MaximumWeight),
            Start = map.Flag("start", otherwise: false),
            Mobike = map.Flag("mobike", otherwise: true),
            Mtu = map.Number("mtu", 1400, 576, 9000),
            Children = map.List<IpsecChildConfig>("children", Child) ?? [],
        };
        if (map.Find("proposals") is { } proposals)
            peer = peer with { Proposals = [.. proposals.AsList().SelectMany(IpsecProposals.Ike)] };
        // Off unless asked for: it costs a round trip, and some old gateways take offence at transforms that they do not know.
        peer = peer with { Proposals = IpsecProposals.PostQuantum(map, peer.Proposals, PostQuantum.Off) };
        if (peer.Children.Count == 0)
            map.Fail("write at least one tunnel below children");
        map.RefuseUnknownKeys();
        value = peer;
        return name is not null && localId is not null && remoteId is not null && credentials is not null;
    }

    private static bool Child(ConfigNode node, [NotNullWhen(true)] out IpsecChildConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        value = new IpsecChildConfig
        {
            Name = map.Require("name")?.AsText() ?? "",
            Local = map.List<IPNetwork>("local", NetworkValues.Prefix) ?? [],
            Remote = map.List<IPNetwork>("remote", NetworkValues.Prefix) ?? [],
            LifetimeSeconds = map.Seconds("lifetime", 3600, neverAllowed: false),
            LifetimePackets = map.Find("lifetimePackets")?.AsNumber(100, long.MaxValue) ?? 0,
            LifetimeBytes = map.Find("lifetimeBytes")?.AsNumber(100_000, long.MaxValue) ?? 0,
        };
        if (map.Find("proposals") is { } proposals)
            value = value with { Proposals = [.. proposals.AsList().SelectMany(IpsecProposals.Esp)] };
        if (value.Local.Count == 0 || value.Remote.Count == 0)
            map.Fail("write the prefixes on both sides, local: [10.60.0.0/16] and remote: [10.77.0.0/16]");
        map.RefuseUnknownKeys();
        return true;
    }

    /// <summary>An address, a prefix, or <c>any</c>, which is null.</summary>
    private static IPNetwork? Remote(ConfigNode node)
    {
        string? text = node.AsText();
        if (text is null or "any")
            return null;
        if (text.Contains('/', StringComparison.Ordinal))
            return NetworkValues.Prefix(node, out IPNetwork prefix) ? prefix : null;
        return NetworkValues.Address(node, out IPAddress? address) ? DataPlane.Routing.RouteTable.HostPrefix(address) : null;
    }

    /// <summary>An identity or a pattern of identities; null, and an error, where it is none.</summary>
    public static T? Identity<T>(ConfigNode node, Func<string, T> parse) where T : class
    {
        if (node.AsText() is not { } text)
            return null;
        try
        {
            return parse(text);
        }
        catch (ArgumentException e)
        {
            node.Fail($"{e.Message} Write a domain name, a mail address, an address, or a distinguished name in quotes");
            return null;
        }
    }
}
