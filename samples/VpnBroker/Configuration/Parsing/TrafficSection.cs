using System.Diagnostics.CodeAnalysis;
using CryptoPlane.Traffic;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>The section <c>traffic</c>.</summary>
internal static class TrafficSection
{
    public static TrafficConfig? Read(ConfigMap root)
    {
        if (root.Section("traffic") is not { } map)
            return null;
        var otherwise = new TrafficConfig();
        var traffic = new TrafficConfig
        {
            Outside = TrafficValues.Rate(map, "outside"),
            Inside = TrafficValues.Rate(map, "inside"),
            OverheadBytes = map.Number("overhead", 0, 0, 200),
            TargetMilliseconds = TrafficValues.Milliseconds(map, "target", otherwise.TargetMilliseconds, offAllowed: true),
            IntervalMilliseconds = TrafficValues.Milliseconds(map, "interval", otherwise.IntervalMilliseconds, offAllowed: false),
            TotalBytes = TrafficValues.Bytes(map, "totalBytes", otherwise.TotalBytes, 65536, 1 << 30),
            TotalPackets = map.Number("totalPackets", otherwise.TotalPackets, 64, 1 << 20),
            Classes = Classes(map),
            Users = map.List<TrafficUsersConfig>("users", Users) ?? [],
            Tunnels = map.List<TrafficTunnelsConfig>("tunnels", Tunnels) ?? [],
        };
        if (traffic.TargetMilliseconds > traffic.IntervalMilliseconds)
            map.Fail("target must not be above interval: a queue is judged by its delay over an interval");
        map.RefuseUnknownKeys();
        return traffic;
    }

    private static IReadOnlyList<TrafficClassConfig> Classes(ConfigMap map)
    {
        IReadOnlyList<TrafficClassConfig> classes = map.List<TrafficClassConfig>("classes", Class) ?? [];
        foreach (string name in classes.GroupBy(one => one.Name).Where(same => same.Count() > 1).Select(same => same.Key))
            map.Find("classes")!.Value.Fail($"the name \"{name}\" is there twice: rename one");
        TrafficClassConfig[] open = [.. classes.Where(one => one.Matches.Count == 0)];
        if (open.Length > 1)
            map.Find("classes")!.Value.Fail($"\"{open[0].Name}\" and \"{open[1].Name}\" have no match: one class only can be for all the rest");
        // The class of all the rest is the last, wherever it stands.
        TrafficClassConfig rest = open.Length > 0 ? open[0] : new TrafficClassConfig { Name = TrafficClassConfig.DefaultName };
        TrafficClassConfig[] all = [.. classes.Where(one => one.Matches.Count != 0), rest];
        if (all.Length > TrafficSchedulerOptions.MaxClasses)
            map.Find("classes")!.Value.Fail($"there can be {TrafficSchedulerOptions.MaxClasses} classes, that of all the rest among them: remove some");
        return all;
    }

    private static bool Class(ConfigNode node, [NotNullWhen(true)] out TrafficClassConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        var otherwise = new TrafficClassConfig { Name = "" };
        value = new TrafficClassConfig
        {
            Name = map.Require("name")?.AsText() ?? "",
            Priority = map.Number("priority", otherwise.Priority, 0, 7),
            Weight = map.Number("weight", otherwise.Weight, 1, 100),
            Matches = map.List<TrafficMatchConfig>("match", Match) ?? [],
            Shape = TrafficValues.Rate(map, "shape"),
            Police = TrafficValues.Rate(map, "police"),
            QueueBytes = TrafficValues.Bytes(map, "queueBytes", otherwise.QueueBytes, 2048, 1 << 28),
            QueuePackets = map.Number("queuePackets", otherwise.QueuePackets, 1, 1 << 20),
        };
        map.RefuseUnknownKeys();
        return true;
    }

    private static bool Match(ConfigNode node, [NotNullWhen(true)] out TrafficMatchConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        value = new TrafficMatchConfig
        {
            Dscp = map.List<int>("dscp", TrafficValues.Dscp) ?? [],
            Protocol = TrafficValues.Protocol(map, "protocol"),
            Ports = map.List<(ushort, ushort)>("ports", TrafficValues.Ports) ?? [],
            Users = Names(map, "users"),
            Groups = Names(map, "groups"),
        };
        if (value is { Dscp.Count: 0, Protocol: null, Ports.Count: 0, NamesUsers: false })
            map.Fail("write what matches: dscp, protocol, ports, users or groups; a class without \"match\" is for all the rest");
        if (value is { Ports.Count: > 0, Protocol: not (null or 6 or 17 or 132) })
            map.Fail("ports are of tcp, udp or sctp: leave them out, or change the protocol");
        map.RefuseUnknownKeys();
        return true;
    }

    private static bool Users(ConfigNode node, [NotNullWhen(true)] out TrafficUsersConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        value = new TrafficUsersConfig
        {
            Users = Names(map, "users"),
            Groups = Names(map, "groups"),
            Weight = map.Number("weight", 1, 1, 100),
            Download = Limit(map, "download"),
            Upload = Limit(map, "upload"),
        };
        map.RefuseUnknownKeys();
        return true;
    }

    private static bool Tunnels(ConfigNode node, [NotNullWhen(true)] out TrafficTunnelsConfig? value)
    {
        value = null;
        if (node.AsMap() is not { } map)
            return false;
        value = new TrafficTunnelsConfig
        {
            Names = Names(map, "names"),
            Weight = map.Number("weight", 1, 1, 100),
            Send = Limit(map, "send"),
            Receive = Limit(map, "receive"),
        };
        map.RefuseUnknownKeys();
        return true;
    }

    private static TrafficLimitConfig Limit(ConfigMap map, string key)
    {
        if (map.Section(key) is not { } limit)
            return new TrafficLimitConfig();
        var value = new TrafficLimitConfig { Shape = TrafficValues.Rate(limit, "shape"), Police = TrafficValues.Rate(limit, "police") };
        limit.RefuseUnknownKeys();
        return value;
    }

    private static IReadOnlyList<string> Names(ConfigMap map, string key) => map.List<string>(key, TrafficValues.Name) ?? [];
}
