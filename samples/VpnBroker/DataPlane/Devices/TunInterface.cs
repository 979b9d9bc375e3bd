using System.Net;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.IO;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Devices;

/// <summary>The broker's TUN interface: one queue per lcore, its addresses, and the host's routes into it. Control threads.</summary>
internal sealed class TunInterface : IDisposable
{
    private readonly TunDevice _device;
    private readonly List<TunPort> _ports = [];
    private readonly PortCatalog _catalog;

    /// <summary>Makes the interface.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="tun">Its TUN section.</param>
    /// <param name="catalog">Where the ports are noted.</param>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says what is missing.</exception>
    public TunInterface(BrokerConfig config, TunConfig tun, PortCatalog catalog)
    {
        _catalog = catalog;
        _device = TunDevice.Open(new TunOptions { Name = tun.Name, Queues = config.Lcores.Count, Mtu = tun.Mtu });
        try
        {
            foreach (InterfaceAddress address in tun.Addresses)
                _device.AddAddress(address.Address, address.PrefixLength);
            foreach (IPNetwork prefix in RoutesOf(config, tun))
                KernelRoutes.Set(prefix, _device.Name);
        }
        catch
        {
            _device.Dispose();
            throw;
        }
    }

    /// <summary>Makes the port of an lcore's queue.</summary>
    public WatchedPort OpenPort(int lcore, PacketPool pool)
    {
        var port = new TunPort(_device, lcore, pool);
        _ports.Add(port);
        var link = new PortLink(CaptureFraming.Ip, CaptureFraming.Ip, ShowsUsersTraffic: true) { Description = "the TUN interface, seen from the broker" };
        return new WatchedPort(_catalog.Add($"tun:{_device.Name}", lcore, port, () => KernelPortReading.From(port.ReadCounters()), link), port.FileDescriptor);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TunPort port in _ports)
            port.Dispose();
        _device.Dispose();
    }

    /// <summary>What the file says, or else everything that is reached through the broker.</summary>
    private static IEnumerable<IPNetwork> RoutesOf(BrokerConfig config, TunConfig tun)
    {
        if (tun.KernelRoutes.Count > 0)
            return tun.KernelRoutes;
        IEnumerable<IPNetwork?> pools = config.Pools.SelectMany(pool => (IPNetwork?[])[pool.IPv4, pool.IPv6]);
        IEnumerable<IPNetwork> remote = config.Esp?.Tunnels.SelectMany(tunnel => tunnel.RemotePrefixes) ?? [];
        return pools.Where(prefix => prefix.HasValue).Select(prefix => prefix!.Value).Concat(remote);
    }
}
