using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace CryptoPlane.IO.Ethernet;

/// <summary>What an <see cref="EthernetIpPort"/> is on its link.</summary>
public sealed class EthernetIpOptions
{
    /// <summary>The port's address, also the exception port's.</summary>
    public required PhysicalAddress Mac { get; init; }

    /// <summary>Our addresses, each with the length of its on-link prefix.</summary>
    public required IReadOnlyList<(IPAddress Address, int PrefixLength)> Addresses { get; init; }

    /// <summary>Where packets go whose destination is on no prefix of ours: at most one router per address family.</summary>
    public IReadOnlyList<IPAddress> Gateways { get; init; } = [];

    /// <summary>Bytes behind the Ethernet header that the link carries.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>What is for the lcore.</summary>
    public EthernetRole Role { get; init; }

    /// <summary>UDP ports at which ESP comes (RFC 3948), for <see cref="EthernetRole.Outside"/>.</summary>
    public IReadOnlyList<int> EspUdpPorts { get; init; } = [4500];

    /// <summary>
    /// Neighbours that the port knows at most, 16 to 65,536; beyond that, those that were not used for long are forgotten. Half of the places
    /// are never taken by addresses that do not answer, and gateways always find one.
    /// </summary>
    public int Neighbours { get; init; } = 1024;

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Mac);
        byte[] mac = Mac.GetAddressBytes();
        if (mac.Length != 6 || (mac[0] & 1) != 0 || Array.TrueForAll(mac, part => part == 0))
            throw new ArgumentException($"{Mac} is not a station's Ethernet address: 6 bytes, the first of them even.", nameof(Mac));
        foreach ((IPAddress address, int length) in Addresses)
        {
            int bits = address.GetAddressBytes().Length * 8;
            if (length < 0 || length > bits)
                throw new ArgumentException($"{address}/{length}: the prefix of an address of {bits} bits has 0 to {bits}.", nameof(Addresses));
            if (!IsStation(address))
                throw new ArgumentException($"{address} is not the address of one station.", nameof(Addresses));
        }
        if (Gateways.Select(gateway => gateway.AddressFamily).Distinct().Count() != Gateways.Count)
            throw new ArgumentException("One gateway per address family.", nameof(Gateways));
        foreach (IPAddress gateway in Gateways)
        {
            if (!IsStation(gateway) || Addresses.Any(own => own.Address.Equals(gateway)))
                throw new ArgumentException($"{gateway} is no gateway: take the address of another station on the link.", nameof(Gateways));
            if (!Addresses.Any(own => own.Address.AddressFamily == gateway.AddressFamily))
                throw new ArgumentException($"The gateway {gateway} cannot be asked: the port has no address of its family.", nameof(Gateways));
        }
        // RFC 791: every link carries 68 bytes; RFC 8200 §5: with IPv6, 1,280.
        int least = Addresses.Any(own => own.Address.AddressFamily == AddressFamily.InterNetworkV6) ? 1280 : 68;
        if (Mtu < least || Mtu > 65535)
            throw new ArgumentOutOfRangeException(nameof(Mtu), Mtu, $"The MTU is between {least} and 65,535 bytes.");
        if (EspUdpPorts.Any(port => port is < 1 or > 65535))
            throw new ArgumentOutOfRangeException(nameof(EspUdpPorts), "UDP ports are between 1 and 65,535.");
        ArgumentOutOfRangeException.ThrowIfLessThan(Neighbours, 16);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Neighbours, 65536);
    }

    private static bool IsStation(IPAddress address) =>
        !address.IsIPv4MappedToIPv6 && LinkAddress.From(address).IsStation;
}
