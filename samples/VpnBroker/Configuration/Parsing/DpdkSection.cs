using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Text.RegularExpressions;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The section <c>dpdk</c>.</summary>
internal static partial class DpdkSection
{
    /// <summary>What DPDK's environment is told by keys of their own, since the broker must know it as well.</summary>
    private static readonly (string Argument, string Key)[] s_ownKeys =
    [
        ("--vdev", "virtualDevices"), ("-a", "pciDevices"), ("--allow", "pciDevices"), ("-m", "megabytes"), ("--no-huge", "memory: ordinaryPages"),
        ("--log-level", "logLevel"),
    ];

    public static DpdkConfig? Read(ConfigMap root)
    {
        if (root.Section("dpdk") is not { } map)
            return null;
        var standard = new DpdkConfig();
        bool memif = map.Flag("allowUnsafeMemif", standard.AllowUnsafeMemif);
        var config = new DpdkConfig
        {
            HugePages = map.Find("memory")?.AsChoice(("hugePages", true), ("ordinaryPages", false)) ?? standard.HugePages,
            Megabytes = map.Number("megabytes", standard.Megabytes, 16, 1_048_576),
            VirtualDevices = map.List("virtualDevices", VirtualDevice(memif)) ?? [],
            PciDevices = map.List<string>("pciDevices", PciDevice) ?? [],
            Arguments = map.List<string>("arguments", Argument) ?? [],
            LogLevel = map.Number("logLevel", standard.LogLevel, 1, 8),
            AllowUnsafeMemif = memif,
            Crypto = map.List<CryptoDeviceConfig>("crypto", Crypto) ?? [],
            Ports = map.List("ports", EthernetPortSection.Parser(EthernetDevice(memif))) ?? [],
            Dispatch = Dispatch(map),
        };
        IEnumerable<string> named = config.Crypto.Select(device => device.Name).Concat(config.Ports.Select(port => port.DeviceName));
        if (!config.HugePages && (config.PciDevices.Count != 0 || named.Any(IsPciAddress)))
            map.Fail("hardware reaches memory on huge pages only: write memory: hugePages, and reserve them (sysctl -w vm.nr_hugepages=512)");
        map.RefuseUnknownKeys();
        return config;
    }

    /// <summary>Whether a device's name is a PCI address.</summary>
    public static bool IsPciAddress(string name) => PciAddress().IsMatch(name);

    /// <summary>Whether a device's name is that of a software device, which exists because it was named.</summary>
    public static bool IsVirtual(string name) => name.Length > 0 && char.IsAsciiDigit(name[^1]) && !IsPciAddress(name);

    [GeneratedRegex("^[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]$")]
    private static partial Regex PciAddress();

    private static ConfigParser<string> VirtualDevice(bool memifAllowed) => (ConfigNode node, [NotNullWhen(true)] out string? value) =>
    {
        if (!Device(node, out value))
            return false;
        string name = value.Split(',')[0];
        if (!IsVirtual(name))
        {
            node.Fail($"\"{name}\" is no software device: write its driver and a number, such as crypto_aesni_gcm0, then its arguments behind commas");
            return false;
        }
        return IsSafe(node, name, memifAllowed);
    };

    private static ConfigParser<string> EthernetDevice(bool memifAllowed) => (ConfigNode node, [NotNullWhen(true)] out string? value) =>
    {
        if (!Device(node, out value))
            return false;
        string name = value.Split(',')[0];
        if (IsPciAddress(name))
            return true;
        if (name.StartsWith("net_", StringComparison.Ordinal) && IsVirtual(name))
            return IsSafe(node, name, memifAllowed);
        node.Fail($"\"{value}\" is no Ethernet port: write a PCI address (0000:3b:00.0), or a software device with its number and arguments (\"net_af_packet0,iface=eth1\")");
        return false;
    };

    private static bool IsSafe(ConfigNode node, string name, bool memifAllowed)
    {
        if (memifAllowed || !name.StartsWith("net_memif", StringComparison.Ordinal))
            return true;
        node.Fail("the driver of net_memif crashes this process when its peer ends while packets come: use net_virtio_user, or accept that with allowUnsafeMemif: true");
        return false;
    }

    private static bool PciDevice(ConfigNode node, [NotNullWhen(true)] out string? value)
    {
        if (!Device(node, out value))
            return false;
        if (IsPciAddress(value.Split(',')[0]))
            return true;
        node.Fail($"\"{value}\" is no PCI address: write it in full, such as 0000:3d:01.0 (lspci -D lists them), then arguments behind commas");
        return false;
    }

    private static bool Argument(ConfigNode node, [NotNullWhen(true)] out string? value)
    {
        if ((value = node.AsText()) is null)
            return false;
        string name = value.Split('=')[0];
        foreach ((string argument, string key) in s_ownKeys)
        {
            if (name != argument)
                continue;
            node.Fail($"{argument} has a key of its own: {key}");
            return false;
        }
        return true;
    }

    private static bool Crypto(ConfigNode node, [NotNullWhen(true)] out CryptoDeviceConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        var standard = new CryptoDeviceConfig { Device = "" };
        string device = map.Require("device") is { } deviceNode && CryptoDevice(deviceNode, out string? name) ? name : "";
        value = new CryptoDeviceConfig
        {
            Device = device,
            Depth = PowerOfTwo(map, "depth", standard.Depth, 64, 65536),
            Sessions = map.Number("sessions", standard.Sessions, 1, 1_048_576),
            QatThreshold = map.Number("qatThreshold", standard.QatThreshold, 0, 512),
            Lcores = map.List<int>("lcores", Lcore) ?? [],
        };
        if (value.QatThreshold != 0 && !IsPciAddress(value.Name))
            map.Fail("qatThreshold is for a QuickAssist device that is named by its PCI address");
        map.RefuseUnknownKeys();
        return true;
    }

    private static bool CryptoDevice(ConfigNode node, [NotNullWhen(true)] out string? value)
    {
        if (!Device(node, out value))
            return false;
        string name = value.Split(',')[0];
        if (IsPciAddress(name) || (name.StartsWith("crypto_", StringComparison.Ordinal) && (IsVirtual(name) || !value.Contains(',', StringComparison.Ordinal))))
            return true;
        node.Fail($"\"{value}\" is no crypto device: write a software device with its number (crypto_aesni_gcm0), a PCI address (0000:3d:01.0), or a driver (crypto_qat)");
        return false;
    }

    private static DispatchConfig Dispatch(ConfigMap dpdk)
    {
        var standard = new DispatchConfig();
        if (dpdk.Section("dispatch") is not { } map)
            return standard;
        var config = new DispatchConfig
        {
            PreferDevice = map.Flag("preferDevice", standard.PreferDevice),
            MinimumLength = map.Number("minimumLength", standard.MinimumLength, 0, 65536),
            InFlightLimit = map.Number("inFlightLimit", standard.InFlightLimit, 0, 65536),
            StallMilliseconds = map.Number("stallMilliseconds", standard.StallMilliseconds, 1, 10_000),
            ErrorLimit = map.Number("errorLimit", standard.ErrorLimit, 1, 1_000_000),
        };
        map.RefuseUnknownKeys();
        return config;
    }

    private static int PowerOfTwo(ConfigMap map, string key, int otherwise, int minimum, int maximum)
    {
        if (map.Find(key) is not { } node || node.AsNumber(minimum, maximum) is not { } number)
            return otherwise;
        if (BitOperations.IsPow2(number))
            return (int)number;
        node.Fail($"write a power of two from {minimum} to {maximum}");
        return otherwise;
    }

    /// <summary>A device in DPDK's notation: what would read as another argument, or as two, is refused.</summary>
    private static bool Device(ConfigNode node, [NotNullWhen(true)] out string? value)
    {
        if ((value = node.AsText()) is null)
            return false;
        if (value[0] != '-' && !value.Any(char.IsWhiteSpace))
            return true;
        node.Fail($"\"{value}\" is no device: write its name, such as crypto_aesni_gcm0 or 0000:3d:01.0, then its arguments behind commas, without spaces");
        return false;
    }

    private static bool Lcore(ConfigNode node, [NotNullWhen(true)] out int value)
    {
        value = (int)(node.AsNumber(0, 63) ?? -1);
        return value >= 0;
    }
}
