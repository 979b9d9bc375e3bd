using System.Net;
using System.Net.Sockets;
using CryptoPlane.Esp;
using CryptoPlane.Lcores;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>What holds between DPDK's Ethernet ports, and between them and what they carry.</summary>
internal static class EthernetPortChecks
{
    private const string Section = "dpdk.ports";

    public static void Run(DpdkConfig dpdk, BrokerConfig config, long line, ConfigErrors errors)
    {
        foreach (string name in Twice(dpdk.Ports.Select(port => port.Name)))
            errors.Add(line, Section, $"the name \"{name}\" is there twice: rename one");
        foreach (string device in Twice(dpdk.Ports.SelectMany(port => port.DeviceNames).Where(name => name.Length != 0)))
            errors.Add(line, Section, $"two ports have the device {device}: give each its own");
        foreach (string tap in Twice(dpdk.Ports.Select(port => port.ExceptionTap).Append(config.Tun?.Name).OfType<string>()))
            errors.Add(line, Section, $"two ports have the interface {tap}: give each its own");
        foreach (IPAddress address in Twice(dpdk.Ports.SelectMany(port => port.Addresses).Select(address => address.Address)))
            errors.Add(line, Section, $"{address} is there twice: an address belongs to one port");
        if (dpdk.Ports.Count(port => port.Role == PortRole.Inside) + (config.Tun is null ? 0 : 1) > 1)
            errors.Add(line, Section, "the broker has one port towards the local network: a tun section, or one port whose role is inside");
        foreach (EthernetPortConfig port in dpdk.Ports)
        {
            Gateways(port, line, errors);
            Use(port, config, line, errors);
        }
    }

    private static void Gateways(EthernetPortConfig port, long line, ConfigErrors errors)
    {
        string key = $"{Section} \"{port.Name}\"";
        foreach (IPAddress gateway in port.Gateways.Where(gateway => !IsLinkLocal(gateway) && !port.Addresses.Any(address => Reaches(address, gateway))))
            errors.Add(line, key, $"the gateway {gateway} is in the prefix of none of the port's addresses: correct one of them");
        foreach (AddressFamily _ in Twice(port.Gateways.Select(gateway => gateway.AddressFamily)))
            errors.Add(line, key, "a port has one gateway per family at most");
        foreach (IPNetwork prefix in port.KernelRoutes.Where(prefix => port.Gateways.All(gateway => gateway.AddressFamily != prefix.BaseAddress.AddressFamily)))
            errors.Add(line, key, $"the kernel's route {prefix} leads to the port's gateway of that family: write it below gateways");
    }

    private static void Use(EthernetPortConfig port, BrokerConfig config, long line, ConfigErrors errors)
    {
        string key = $"{Section} \"{port.Name}\"";
        EspTunnelConfig[] tunnels = [.. (config.Esp?.Tunnels ?? []).Where(tunnel => config.CarrierOf(tunnel.Local.Address) == port)];
        if (port.Role == PortRole.Outside && tunnels.Length == 0 && port.ExceptionTap is null)
            errors.Add(line, key, "nothing uses the port: give an ESP tunnel one of its addresses (local), or name an exceptionTap, by which the kernel uses it");
        foreach (EspTunnelConfig tunnel in tunnels)
        {
            // Nobody fragments here, as a kernel's socket would.
            int most = EspOverhead.MaxInnerPacket(port.Mtu, tunnel.Local.AddressFamily == AddressFamily.InterNetworkV6, tunnel.Mode == EspMode.Udp);
            if (tunnel.Mtu > most)
                errors.Add(line, key, $"its mtu of {port.Mtu} leaves {most} bytes inside ESP tunnel \"{tunnel.Name}\", whose mtu is {tunnel.Mtu}: lower that, or raise this");
        }
        if (config.Lcores.Count > 1 && port.Mtu > PacketHandover.MaximumLength)
            errors.Add(line, key, $"with several lcores an mtu is at most {PacketHandover.MaximumLength}, not {port.Mtu}: use less, or one lcore");
    }

    /// <summary>fe80::/10 is on every link.</summary>
    private static bool IsLinkLocal(IPAddress address) => address.IsIPv6LinkLocal;

    private static bool Reaches(InterfaceAddress own, IPAddress address)
    {
        if (own.Address.AddressFamily != address.AddressFamily)
            return false;
        byte[] left = own.Address.GetAddressBytes(), right = address.GetAddressBytes();
        for (int bit = 0; bit < own.PrefixLength; bit++)
        {
            if (((left[bit >> 3] ^ right[bit >> 3]) & (0x80 >> (bit & 7))) != 0)
                return false;
        }
        return true;
    }

    private static IEnumerable<T> Twice<T>(IEnumerable<T> values) => values.GroupBy(value => value).Where(same => same.Count() > 1).Select(same => same.Key);
}
