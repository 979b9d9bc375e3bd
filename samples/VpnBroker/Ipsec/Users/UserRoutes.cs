using System.Net;
using System.Net.Sockets;
using CryptoPlane.Ike;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.Ipsec.Users;

/// <summary>
/// What of a profile's routes IKEv2 can say: the networks that a user reaches through the tunnel, which are traffic selectors and
/// INTERNAL_IP4_SUBNET or INTERNAL_IP6_SUBNET (RFC 7296 §3.15.2). It has no word for what is kept out of the tunnel, so that is left out of them.
/// </summary>
internal static class UserRoutes
{
    /// <summary>RFC 7296 §3.13: the count of selectors is one byte.</summary>
    private const int MaxSelectors = 255;

    private static readonly IPNetwork s_all4 = new(IPAddress.Any, 0), s_all6 = new(IPAddress.IPv6Any, 0);

    /// <summary>The networks of a profile, its name servers among them; empty: everything.</summary>
    public static IReadOnlyList<IPNetwork> NetworksOf(ProfileConfig profile)
    {
        if (profile.Include.Count == 0 && profile.Exclude.Count == 0)
            return [];
        IEnumerable<IPNetwork> networks = profile.Include.Count == 0 ? [s_all4, s_all6] : profile.Include;
        foreach (IPNetwork excluded in profile.Exclude)
            networks = [.. networks.SelectMany(network => Without(network, excluded))];
        // As openconnect's clients have it: name servers are reached through the tunnel, whatever the routes are.
        return [.. networks, .. profile.Dns.Where(server => !networks.Any(network => network.Contains(server))).Select(RouteTable.HostPrefix)];
    }

    /// <summary>The broker's side of a user's traffic; null: everything.</summary>
    /// <exception cref="ArgumentException">There are too many networks, or none; the message says what to do.</exception>
    public static IReadOnlyList<TrafficSelector>? SelectorsOf(ProfileConfig profile)
    {
        IReadOnlyList<IPNetwork> networks = NetworksOf(profile);
        if (networks.Count == 0 && profile.Exclude.Count != 0)
            throw new ArgumentException("exclude leaves nothing of include: a user by IKEv2 would reach nothing");
        if (networks.Count > MaxSelectors)
            throw new ArgumentException($"include without exclude makes {networks.Count} networks, and IKEv2 has room for {MaxSelectors}: write fewer or larger prefixes");
        return networks.Count == 0 ? null : [.. networks.Select(TrafficSelector.FromPrefix)];
    }

    /// <summary>What is left of a network without another: the network is halved until a half is the other or has nothing of it.</summary>
    private static IEnumerable<IPNetwork> Without(IPNetwork network, IPNetwork excluded)
    {
        if (network.BaseAddress.AddressFamily != excluded.BaseAddress.AddressFamily || !(network.Contains(excluded.BaseAddress) || excluded.Contains(network.BaseAddress)))
            return [network];
        if (excluded.PrefixLength <= network.PrefixLength)
            return [];
        int length = network.PrefixLength + 1;
        byte[] upper = network.BaseAddress.GetAddressBytes();
        upper[(length - 1) >> 3] |= (byte)(0x80 >> ((length - 1) & 7));
        return [.. Without(new IPNetwork(network.BaseAddress, length), excluded), .. Without(new IPNetwork(new IPAddress(upper), length), excluded)];
    }
}
