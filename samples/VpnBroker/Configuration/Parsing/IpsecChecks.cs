using System.Net;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>What holds within the section <c>ipsec</c> and between it and others.</summary>
internal static class IpsecChecks
{
    public static void Run(IpsecConfig ipsec, BrokerConfig config, long line, ConfigErrors errors)
    {
        foreach (IPAddress address in ipsec.Listen.Where(address => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)))
            errors.Add(line, "ipsec.listen", $"{address} is no address of the broker's: name those that peers send to, since answers leave from them");
        foreach (IPAddress address in ipsec.Listen.Where(address => config.CarrierOf(address) is { ExceptionTap: null }))
            errors.Add(line, "ipsec.listen", $"{address} is a DPDK port's, by whose exceptionTap IKE reaches the broker: give the port one");
        if (ipsec.Listen.Distinct().Count() != ipsec.Listen.Count)
            errors.Add(line, "ipsec.listen", "an address is there twice: write each once");
        if (ipsec.RemoteAccess is { } users)
            Users(users, config, line, errors);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (IpsecPeerConfig peer in ipsec.Peers)
        {
            string key = $"ipsec peer \"{peer.Name}\"";
            if (Ipsec.IpsecConnections.IsOfUsers(peer.Name))
                errors.Add(line, key, "the name is that of remote users' connections: choose another");
            if (!names.Add(peer.Name))
                errors.Add(line, key, "the name is there twice: rename one");
            Addresses(peer, ipsec, key, line, errors);
            if (peer.Children.DistinctBy(child => child.Name).Count() != peer.Children.Count)
                errors.Add(line, key, "two children have one name: rename one");
            foreach (IPNetwork prefix in peer.Children.SelectMany(child => child.Remote))
            {
                foreach (PoolConfig pool in config.Pools.Where(pool => ConfigChecks.Contains(pool.IPv4, prefix) || ConfigChecks.Contains(pool.IPv6, prefix)))
                    errors.Add(line, key, $"{prefix} takes addresses of pool \"{pool.Name}\" away from its users: choose another prefix or pool");
            }
        }
    }

    private static void Users(RemoteAccessConfig users, BrokerConfig config, long line, ConfigErrors errors)
    {
        const string Key = "ipsec.remoteAccess";
        if (config.Authentication?.IkeUsersFile is null && users.Credentials.TrustFiles.Count == 0)
            errors.Add(line, Key, "nobody could log in: write authentication.ikeUsersFile for users with passwords, or userTrustFiles for users with certificates");
        foreach (ProfileConfig profile in config.Groups.Select(group => group.Profile).Append(config.DefaultProfile!))
        {
            try
            {
                _ = Ipsec.Users.UserRoutes.SelectorsOf(profile);
            }
            catch (ArgumentException e)
            {
                errors.Add(line, Key, e.Message);
            }
        }
    }

    private static void Addresses(IpsecPeerConfig peer, IpsecConfig ipsec, string key, long line, ConfigErrors errors)
    {
        if (peer.Local is { } local && !ipsec.Listen.Contains(local))
            errors.Add(line, key, $"local: {local} is none of ipsec.listen: name one of {string.Join(", ", ipsec.Listen)}");
        if (peer.Remote is not { } remote)
        {
            if (peer.Start)
                errors.Add(line, key, "start needs the peer's address below remote");
            return;
        }
        bool single = remote.PrefixLength == remote.BaseAddress.GetAddressBytes().Length * 8;
        if (peer.Start && !single)
            errors.Add(line, key, "start needs a single address below remote, not a prefix");
        if (peer.Local is { } own && own.AddressFamily != remote.BaseAddress.AddressFamily)
            errors.Add(line, key, "local and remote are of different families: use IPv4 for both or IPv6 for both");
        int candidates = ipsec.Listen.Count(address => address.AddressFamily == remote.BaseAddress.AddressFamily);
        if (peer.Local is null && candidates == 0)
            errors.Add(line, key, "ipsec.listen has no address of the family of remote: add one");
        else if (peer.Local is null && candidates > 1 && peer.Start)
            errors.Add(line, key, "ipsec.listen has several addresses: say below local which one this peer is reached from");
    }
}
