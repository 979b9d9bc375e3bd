using System.Net;
using System.Net.Sockets;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Inner;

namespace VpnBroker.DataPlane.Routing;

/// <summary>A route as the table is built from it.</summary>
/// <param name="Prefix">The destinations.</param>
/// <param name="Target">Where they lead.</param>
internal readonly record struct Route(IPNetwork Prefix, RouteTarget Target);

/// <summary>
/// Builds the look-up tables of both families from routes, on a control thread.
/// </summary>
internal sealed unsafe class RouteTable : IDisposable
{
    private readonly PrefixTrie _ipv4 = new(32);
    private readonly PrefixTrie _ipv6 = new(128);

    /// <summary>Builds a table. Of two routes with the same prefix the first counts.</summary>
    public RouteTable(IEnumerable<Route> routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        foreach (Route route in routes.DistinctBy(route => route.Prefix).OrderBy(route => route.Prefix.PrefixLength))
        {
            InnerAddress address = InnerAddress.From(route.Prefix.BaseAddress);
            if (address.Family == 4)
                _ipv4.Insert(address.Low << 32, 0, route.Prefix.PrefixLength, route.Target);
            else
                _ipv6.Insert(address.High, address.Low, route.Prefix.PrefixLength, route.Target);
        }
    }

    /// <summary>Hands the finished tables over, to be freed as <see cref="PrefixTrie.Detach"/> says.</summary>
    public void Detach(out uint* ipv4, out uint* ipv6)
    {
        ipv4 = _ipv4.Detach();
        ipv6 = _ipv6.Detach();
    }

    /// <summary>
    /// The routes of a configuration: each pool's part of each lcore, the ESP tunnels' remote prefixes, the routes of the port
    /// towards the local network, and that port's own addresses, which are the broker's.
    /// </summary>
    /// <param name="config">The configuration.</param>
    /// <param name="espTunnels">The numbers of the ESP tunnels by their names; others get no routes.</param>
    /// <param name="negotiated">Routes to peers of IKE; where one has the prefix of a static tunnel, the static one counts.</param>
    public static IEnumerable<Route> RoutesOf(BrokerConfig config, IReadOnlyDictionary<string, int> espTunnels, IEnumerable<Route> negotiated)
    {
        var tun = new RouteTarget(RouteKind.Tun, 0);
        LocalNetworkConfig? local = config.LocalNetwork;
        if (local != null)
        {
            foreach (InterfaceAddress address in local.Addresses)
                yield return new Route(HostPrefix(address.Address), tun);
        }
        foreach (PoolConfig pool in config.Pools)
        {
            foreach (IPNetwork? prefix in (IPNetwork?[])[pool.IPv4, pool.IPv6])
            {
                if (prefix is not { } network)
                    continue;
                for (int lcore = 0; lcore < config.Lcores.Count; lcore++)
                    yield return new Route(PoolPartition.PrefixOf(network, lcore, config.Lcores.Count), new RouteTarget(RouteKind.Users, lcore));
            }
        }
        foreach (EspTunnelConfig tunnel in config.Esp?.Tunnels ?? [])
        {
            if (!espTunnels.TryGetValue(tunnel.Name, out int number))
                continue;
            foreach (IPNetwork prefix in tunnel.RemotePrefixes)
                yield return new Route(prefix, new RouteTarget(RouteKind.Esp, number));
        }
        foreach (Route route in negotiated)
            yield return route;
        if (local != null)
        {
            foreach (IPNetwork prefix in local.Routes)
                yield return new Route(prefix, tun);
        }
    }

    /// <summary>The prefix that covers one address.</summary>
    public static IPNetwork HostPrefix(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
    }

    /// <summary>Frees what was not handed over.</summary>
    public void Dispose()
    {
        _ipv4.Dispose();
        _ipv6.Dispose();
    }
}
