using System.Net;
using System.Net.NetworkInformation;
using CryptoPlane.Buffers;
using CryptoPlane.IO;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Devices;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>
/// The kernel's share of a DPDK port: a TAP interface with the port's Ethernet and IP addresses and its link state, one queue per lcore. What
/// comes to the port and is not the broker's goes in here, and what the kernel sends goes out of the port: so listening sockets, SSH and
/// routing daemons have the same address as ESP. Control threads.
/// </summary>
internal sealed class ExceptionTap : IDisposable
{
    private readonly TapDevice _device;
    private readonly List<TapPort> _ports = [];

    /// <summary>Makes the interface.</summary>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says what is missing.</exception>
    public ExceptionTap(EthernetPortConfig config, PhysicalAddress mac, IReadOnlyList<PacketPool> pools, PortCatalog catalog)
    {
        _device = TapDevice.Open(new TapOptions { Name = config.ExceptionTap!, Queues = pools.Count, Mac = mac, Mtu = config.Mtu });
        try
        {
            foreach (InterfaceAddress address in config.Addresses)
                _device.AddAddress(address.Address, address.PrefixLength);
            foreach (IPNetwork prefix in config.KernelRoutes)
                _device.SetRoute(prefix, config.Gateways.FirstOrDefault(gateway => gateway.AddressFamily == prefix.BaseAddress.AddressFamily));
            for (int lcore = 0; lcore < pools.Count; lcore++)
            {
                var port = new TapPort(_device, lcore, pools[lcore]);
                _ports.Add(port);
                catalog.Add(new PortEntry($"tap:{_device.Name}", lcore, () => KernelPortReading.From(port.ReadCounters())));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>An lcore's queue.</summary>
    public TapPort PortOf(int lcore) => _ports[lcore];

    /// <summary>Tells the kernel how the port's link is.</summary>
    public void SetLink(bool up) => _device.SetCarrier(up);

    /// <inheritdoc/>
    public void Dispose()
    {
        _ports.ForEach(port => port.Dispose());
        _device.Dispose();
    }
}
