using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Inner;

namespace VpnBroker.DataPlane.Routing;

/// <summary>A route as the table is built from it.</summary>
/// <param name="Prefix">The destinations.</param>
/// <param name="Target">Where they lead.</param>
internal readonly record struct Route(IPNetwork Prefix, RouteTarget Target);

/// <summary>
/// The routes of one lcore: an immutable snapshot, made on a control thread, swapped by the lcore, freed once the lcore has said so.
/// </summary>
internal sealed class RouteTable : IDisposable
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

    /// <summary>The target of the longest prefix that covers an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RouteTarget Find(in InnerAddress address) =>
        address.Family == 4 ? _ipv4.Find((uint)address.Low) : _ipv6.Find(address.High, address.Low);

    /// <summary>
    /// The routes of a configuration: each pool's part of each lcore, the ESP tunnels' remote prefixes, the TUN port's routes, and the
    /// TUN interface's own addresses, which are the broker's.
    /// </summary>
    public static IEnumerable<Route> RoutesOf(BrokerConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var tun = new RouteTarget(RouteKind.Tun, 0);
        if (config.Tun != null)
        {
            foreach (InterfaceAddress address in config.Tun.Addresses)
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
        if (config.Esp != null)
        {
            for (int tunnel = 0; tunnel < config.Esp.Tunnels.Count; tunnel++)
            {
                foreach (IPNetwork prefix in config.Esp.Tunnels[tunnel].RemotePrefixes)
                    yield return new Route(prefix, new RouteTarget(RouteKind.Esp, tunnel));
            }
        }
        if (config.Tun != null)
        {
            foreach (IPNetwork prefix in config.Tun.Routes)
                yield return new Route(prefix, tun);
        }
    }

    /// <summary>The prefix that covers one address.</summary>
    public static IPNetwork HostPrefix(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ipv4.Dispose();
        _ipv6.Dispose();
    }
}
