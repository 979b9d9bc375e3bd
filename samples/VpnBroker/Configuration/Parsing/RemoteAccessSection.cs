using CryptoPlane.Ike;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The part <c>remoteAccess</c> of the section <c>ipsec</c>.</summary>
internal static class RemoteAccessSection
{
    public static RemoteAccessConfig? Read(ConfigMap map)
    {
        IkeIdentity? localId = map.Require("localId") is { } node ? IpsecSection.Identity(node, IkeIdentity.Parse) : null;
        IpsecCredentials? credentials = IpsecCredentialFiles.ReadOwn(map, localId);
        var standard = new RemoteAccessConfig { LocalId = localId ?? IkeIdentity.Fqdn("none"), Credentials = credentials ?? new IpsecCredentials() };
        RemoteAccessConfig config = standard with
        {
            ForceEncapsulation = map.Find("encapsulation")?.AsChoice(("udp", true), ("auto", false)) ?? standard.ForceEncapsulation,
            DpdSeconds = map.Seconds("dpd", standard.DpdSeconds, neverAllowed: true, maximum: 86400),
            DpdTimeoutSeconds = map.Seconds("dpdTimeout", standard.DpdTimeoutSeconds, neverAllowed: true, maximum: 86400),
            LifetimeSeconds = map.Seconds("lifetime", standard.LifetimeSeconds, neverAllowed: false),
            EspLifetimeSeconds = map.Seconds("espLifetime", standard.EspLifetimeSeconds, neverAllowed: false),
            Mobike = map.Flag("mobike", standard.Mobike),
        };
        bool named = false;
        if (map.Find("proposals") is { } proposals)
        {
            named = true;
            config = config with { Proposals = [.. proposals.AsList().SelectMany(IpsecProposals.Ike)] };
        }
        // Clients begin: one that offers ML-KEM gets it, and the others do not notice. Proposals that were named are those and no others.
        config = config with { Proposals = IpsecProposals.PostQuantum(map, config.Proposals, named ? PostQuantum.Off : PostQuantum.Preferred) };
        if (map.Find("espProposals") is { } espProposals)
            config = config with { EspProposals = [.. espProposals.AsList().SelectMany(IpsecProposals.Esp)] };
        if (config.Proposals.Count == 0 || config.EspProposals.Count == 0)
            map.Fail("write at least one of each of proposals and espProposals, or leave the key out");
        map.RefuseUnknownKeys();
        return localId is null || credentials is null ? null : config;
    }
}
