using System.Diagnostics.CodeAnalysis;
using System.Net;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The items of <c>dpdk.ports</c>.</summary>
internal static class EthernetPortSection
{
    /// <summary>Makes the parser of one item.</summary>
    /// <param name="device">Parses the device's name with its arguments.</param>
    public static ConfigParser<EthernetPortConfig> Parser(ConfigParser<string> device) => (ConfigNode node, [NotNullWhen(true)] out EthernetPortConfig? value) =>
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        value = Read(map, device);
        map.RefuseUnknownKeys();
        return true;
    };

    private static EthernetPortConfig Read(ConfigMap map, ConfigParser<string> device)
    {
        PortRole role = map.Require("role")?.AsChoice(("outside", PortRole.Outside), ("inside", PortRole.Inside)) ?? PortRole.Outside;
        string name = map.Require("name")?.AsText() ?? "";
        string deviceName = map.Require("device") is { } deviceNode && device(deviceNode, out string? text) ? text : "";
        map.Require("addresses");
        var config = new EthernetPortConfig
        {
            Name = name,
            Device = deviceName,
            Role = role,
            Addresses = map.List<InterfaceAddress>("addresses", NetworkValues.InterfaceAddress) ?? [],
            Gateways = map.List<IPAddress>("gateways", NetworkValues.Address) ?? [],
            Mtu = map.Number("mtu", 1500, 576, 9000),
            ExceptionTap = DeviceSections.InterfaceName(map, "exceptionTap"),
            ExceptionDevice = map.Find("exceptionDevice") is { } exceptionNode && ExceptionDevice(exceptionNode, device, out string? exception) ? exception : null,
            KernelRoutes = map.List<IPNetwork>("kernelRoutes", NetworkValues.Prefix) ?? [],
            Routes = map.List<IPNetwork>("routes", NetworkValues.Prefix) ?? [],
            ReceiveDescriptors = map.Number("receiveDescriptors", 1024, 64, 32768),
            TransmitDescriptors = map.Number("transmitDescriptors", 1024, 64, 32768),
        };
        if (map.Find("addresses") is not null && config.Addresses.Count == 0)
            map.Fail("write at least one address with its prefix length: addresses: [192.0.2.1/24]");
        if (config.Routes.Count != 0 && role == PortRole.Outside)
            map.Fail("routes are for a port whose role is inside: an outside port carries ESP, which is routed by remotePrefixes");
        if (config.KernelRoutes.Count != 0 && config.ExceptionTap is null)
            map.Fail("kernelRoutes lead into the exceptionTap: name one");
        if (config.ExceptionDevice is not null && config.ExceptionTap is null)
            map.Fail("the kernel's end of the exceptionDevice is the exceptionTap: name one");
        return config;
    }

    /// <summary>A device of which the kernel has the other end, as an interface.</summary>
    private static bool ExceptionDevice(ConfigNode node, ConfigParser<string> device, [NotNullWhen(true)] out string? value)
    {
        if (!device(node, out value))
            return false;
        string[] parts = value.Split(',');
        if (Array.Exists(parts, part => part.StartsWith("iface=", StringComparison.Ordinal)))
        {
            node.Fail("the interface's name is that of exceptionTap: leave iface= out");
            return false;
        }
        if (parts[0].StartsWith("net_tap", StringComparison.Ordinal)
            || (parts[0].StartsWith("net_virtio_user", StringComparison.Ordinal) && parts.Contains("path=/dev/vhost-net")))
        {
            return true;
        }
        node.Fail("the kernel must have the device's other end: write \"net_virtio_user1,path=/dev/vhost-net\", or leave the key out for a TAP interface");
        return false;
    }
}
