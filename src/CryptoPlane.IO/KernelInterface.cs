using System.Net;
using System.Net.NetworkInformation;
using CryptoPlane.IO.Interop;

namespace CryptoPlane.IO;

/// <summary>
/// Settings of a network interface that another driver made, such as the kernel's end of a DPDK device. For control threads. Needs
/// CAP_NET_ADMIN.
/// </summary>
/// <param name="name">The interface's name. It need not be there yet.</param>
public sealed class KernelInterface(string name)
{
    // What the kernel gives an Ethernet interface (net/ethernet/eth.c).
    private const int DefaultQueueLength = 1000;

    /// <summary>The interface's name.</summary>
    public string Name { get; } = name;

    /// <summary>Sets the Ethernet address and the MTU, and brings the interface up.</summary>
    /// <param name="mac">A station's Ethernet address, 6 bytes.</param>
    /// <param name="mtu">Bytes behind the Ethernet header.</param>
    /// <exception cref="InvalidOperationException">The kernel refused, or there is no such interface; the message says why.</exception>
    public void BringUp(PhysicalAddress mac, int mtu)
    {
        ArgumentNullException.ThrowIfNull(mac);
        InterfaceControl.SetEthernetAddress(Name, mac.GetAddressBytes());
        InterfaceControl.BringUp(Name, mtu, DefaultQueueLength);
    }

    /// <inheritdoc cref="TapDevice.AddAddress"/>
    public void AddAddress(IPAddress address, int prefixLength) => InterfaceControl.AddAddress(Name, address, prefixLength);

    /// <inheritdoc cref="TapDevice.SetRoute"/>
    public void SetRoute(IPNetwork prefix, IPAddress? gateway) => InterfaceControl.SetRoute(Name, prefix, gateway);

    /// <inheritdoc cref="TapDevice.SetCarrier"/>
    public void SetCarrier(bool up) => InterfaceControl.SetCarrier(Name, up);
}
