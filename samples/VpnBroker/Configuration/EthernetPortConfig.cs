using System.Net;

namespace VpnBroker.Configuration;

/// <summary>An Ethernet port of DPDK: packets come and go without the kernel.</summary>
public sealed record EthernetPortConfig
{
    /// <summary>The port's name in the status and the log, unique.</summary>
    public required string Name { get; init; }

    /// <summary>A PCI address (<c>0000:3b:00.0</c>), or a software device with its arguments (<c>net_af_packet0,iface=eth1</c>).</summary>
    public required string Device { get; init; }

    /// <summary>What the port is for.</summary>
    public required PortRole Role { get; init; }

    /// <summary>The port's own addresses with the prefixes that are reached without a gateway.</summary>
    public required IReadOnlyList<InterfaceAddress> Addresses { get; init; }

    /// <summary>Where everything else goes: one address per family at most.</summary>
    public IReadOnlyList<IPAddress> Gateways { get; init; } = [];

    /// <summary>Largest packet behind the Ethernet header, in bytes.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>
    /// The interface on which the kernel gets what is not the broker's, with the port's own addresses; null for a port that answers
    /// ARP, neighbour discovery and echo requests itself and drops the rest.
    /// </summary>
    public string? ExceptionTap { get; init; }

    /// <summary>
    /// The DPDK device whose kernel's end is <see cref="ExceptionTap"/>, with its arguments
    /// (<c>net_virtio_user1,path=/dev/vhost-net</c>); null where a TAP interface of the broker's own does it.
    /// </summary>
    public string? ExceptionDevice { get; init; }

    /// <summary>Prefixes that the kernel sends through <see cref="ExceptionTap"/> to the port's gateway.</summary>
    public IReadOnlyList<IPNetwork> KernelRoutes { get; init; } = [];

    /// <summary>Inside: prefixes that the broker sends out of this port (its own forwarding table).</summary>
    public IReadOnlyList<IPNetwork> Routes { get; init; } = [];

    /// <summary>Descriptors of each lcore's receive queue: packets that wait there at most.</summary>
    public int ReceiveDescriptors { get; init; } = 1024;

    /// <summary>Descriptors of each lcore's transmit queue.</summary>
    public int TransmitDescriptors { get; init; } = 1024;

    /// <summary>The device's name or address without its arguments.</summary>
    public string DeviceName => Device.Split(',')[0];

    /// <summary>The names of all devices that the port needs.</summary>
    public IEnumerable<string> DeviceNames => Devices.Select(device => device.Split(',')[0]);

    /// <summary>All devices that the port needs, with their arguments.</summary>
    public IEnumerable<string> Devices => ExceptionDevice is null ? [Device] : [Device, $"{ExceptionDevice},iface={ExceptionTap}"];
}

/// <summary>What a port is for.</summary>
public enum PortRole
{
    /// <summary>Towards users and ESP peers: ESP is the broker's, everything else the kernel's.</summary>
    Outside,

    /// <summary>Towards the local network, in the place of a TUN interface: plain packets.</summary>
    Inside,
}
