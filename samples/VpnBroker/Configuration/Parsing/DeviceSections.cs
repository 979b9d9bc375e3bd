using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The sections <c>lcores</c> and <c>tun</c>.</summary>
internal static class DeviceSections
{
    private const int MaxLcores = 64;

    public static LcoreConfig Lcores(ConfigMap root)
    {
        var standard = new LcoreConfig();
        if (root.Section("lcores") is not { } map)
            return standard;
        ConfigNode? count = map.Find("count");
        ConfigNode? cpusNode = map.Find("cpus");
        IReadOnlyList<int>? cpus = map.List<int>("cpus", Cpu);
        if (count is not null && cpusNode is not null)
            map.Fail("write count (threads on any CPU) or cpus (one thread on each), not both");
        if (cpusNode is { } node && cpus is { } list && (list.Count is 0 or > MaxLcores || list.Distinct().Count() != list.Count))
            node.Fail($"write 1 to {MaxLcores} CPU numbers, each once");
        if (cpus is null && count?.AsNumber(1, MaxLcores) is { } number)
            cpus = [.. Enumerable.Repeat(-1, (int)number)];
        var config = new LcoreConfig
        {
            Cpus = cpus is { Count: > 0 } ? cpus : standard.Cpus,
            Idle = map.Find("idle")?.AsChoice(("busy", IdleMode.Busy), ("adaptive", IdleMode.Adaptive), ("blocking", IdleMode.Blocking)) ?? standard.Idle,
        };
        map.RefuseUnknownKeys();
        return config;
    }

    public static TunConfig? Tun(ConfigMap root)
    {
        if (root.Section("tun") is not { } map)
            return null;
        var standard = new TunConfig();
        var config = new TunConfig
        {
            Name = InterfaceName(map, "name") ?? standard.Name,
            Addresses = map.List<InterfaceAddress>("addresses", NetworkValues.InterfaceAddress) ?? [],
            Mtu = map.Number("mtu", standard.Mtu, 576, 9000),
            Routes = map.List<IPNetwork>("routes", NetworkValues.Prefix) ?? [],
            KernelRoutes = map.List<IPNetwork>("kernelRoutes", NetworkValues.Prefix) ?? [],
        };
        map.RefuseUnknownKeys();
        return config;
    }

    /// <summary>The name of an interface that the broker makes, or null.</summary>
    public static string? InterfaceName(ConfigMap map, string key)
    {
        if (map.Find(key) is not { } node || node.AsText() is not { } name)
            return null;
        // IFNAMSIZ is 16 with the terminating zero.
        if (Encoding.UTF8.GetByteCount(name) <= 15 && name is not ("." or "..") && name.All(c => c is > ' ' and < '\x7f' and not ('/' or ':' or '%')))
            return name;
        node.Fail("write an interface name of 1 to 15 characters, without spaces, slashes, colons and percent signs");
        return null;
    }

    private static bool Cpu(ConfigNode node, [NotNullWhen(true)] out int value)
    {
        value = (int)(node.AsNumber(0, 1023) ?? -1);
        return value >= 0;
    }
}
