using System.Net;
using CryptoPlane.IO;
using CryptoPlane.Ports;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>
/// The kernel's share of a DPDK port: an interface with the port's Ethernet and IP addresses and its link state, with a queue per lcore. What
/// comes to the port and is not the broker's goes in here, and what the kernel sends goes out of the port: so listening sockets, SSH and
/// routing daemons have the same address as ESP. Control threads; lcores use the ports.
/// </summary>
internal interface IExceptionPort : IDisposable
{
    /// <summary>An lcore's queue.</summary>
    IPacketPort PortOf(int lcore);

    /// <summary>How the lcore learns that the queue has something.</summary>
    ExceptionWatch WatchOf(int lcore);

    /// <summary>Tells the kernel how the port's link is.</summary>
    void SetLink(bool up);

    /// <summary>Gives an interface the addresses of a port, and enters the routes that lead to its gateways.</summary>
    static void Configure(KernelInterface device, EthernetPortConfig config)
    {
        foreach (InterfaceAddress address in config.Addresses)
            device.AddAddress(address.Address, address.PrefixLength);
        foreach (IPNetwork prefix in config.KernelRoutes)
            device.SetRoute(prefix, config.Gateways.FirstOrDefault(gateway => gateway.AddressFamily == prefix.BaseAddress.AddressFamily));
    }
}
