using System.Net;

namespace VpnBroker.Configuration;

/// <summary>The port towards the local network as forwarding sees it: a TUN interface, or a DPDK port whose role is inside.</summary>
/// <param name="Addresses">The broker's own addresses there.</param>
/// <param name="Mtu">Largest packet, in bytes.</param>
/// <param name="Routes">Prefixes that are sent there.</param>
public sealed record LocalNetworkConfig(IReadOnlyList<InterfaceAddress> Addresses, int Mtu, IReadOnlyList<IPNetwork> Routes);
