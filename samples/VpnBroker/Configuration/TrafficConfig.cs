using CryptoPlane.Traffic;

namespace VpnBroker.Configuration;

/// <summary>Traffic management: who gets how much where a port or a limit is the bottleneck.</summary>
public sealed record TrafficConfig
{
    /// <summary>What a limit lets through at once when its rate names no time.</summary>
    public const long DefaultBurstNanoseconds = 10_000_000;

    /// <summary>Towards users and IPsec peers, all lcores together; none for no bottleneck of the broker's.</summary>
    public TrafficRate Outside { get; init; }

    /// <summary>Towards the local network, likewise.</summary>
    public TrafficRate Inside { get; init; }

    /// <summary>Bytes per packet that rates and shares count besides the inner packet.</summary>
    public int OverheadBytes { get; init; }

    /// <summary>CoDel's target, in milliseconds; 0 for no early drops.</summary>
    public int TargetMilliseconds { get; init; } = 5;

    /// <summary>CoDel's interval, in milliseconds.</summary>
    public int IntervalMilliseconds { get; init; } = 100;

    /// <summary>Bytes that wait in the queues of one direction of an lcore at most.</summary>
    public int TotalBytes { get; init; } = 16 << 20;

    /// <summary>Packets, likewise.</summary>
    public int TotalPackets { get; init; } = 4096;

    /// <summary>The classes in the order of the file, the last being what nothing else matches.</summary>
    public IReadOnlyList<TrafficClassConfig> Classes { get; init; } = [new TrafficClassConfig { Name = TrafficClassConfig.DefaultName }];

    /// <summary>What users get: the first entry that matches a user counts.</summary>
    public IReadOnlyList<TrafficUsersConfig> Users { get; init; } = [];

    /// <summary>What IPsec peers and ESP tunnels get: the first entry that matches counts.</summary>
    public IReadOnlyList<TrafficTunnelsConfig> Tunnels { get; init; } = [];
}

/// <summary>A class of packets.</summary>
public sealed record TrafficClassConfig
{
    /// <summary>What the class is called that is added when the file names none without matches.</summary>
    public const string DefaultName = "default";

    /// <summary>The name, for the status.</summary>
    public required string Name { get; init; }

    /// <summary>Inside a tunnel, lower numbers go first.</summary>
    public int Priority { get; init; } = 4;

    /// <summary>Share among classes of the same priority.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Which packets: those that one of these takes; none for whatever no class takes.</summary>
    public IReadOnlyList<TrafficMatchConfig> Matches { get; init; } = [];

    /// <summary>What each tunnel gets of the class; packets wait.</summary>
    public TrafficRate Shape { get; init; }

    /// <summary>What all tunnels together get of it; packets behind are dropped.</summary>
    public TrafficRate Police { get; init; }

    /// <summary>Bytes that wait in each tunnel's queue of the class.</summary>
    public int QueueBytes { get; init; } = 1 << 20;

    /// <summary>Packets, likewise.</summary>
    public int QueuePackets { get; init; } = 1000;
}

/// <summary>What a packet must be to match: everything that is written.</summary>
public sealed record TrafficMatchConfig
{
    /// <summary>One of these code points; empty for any.</summary>
    public IReadOnlyList<int> Dscp { get; init; } = [];

    /// <summary>The protocol's number; null for any.</summary>
    public int? Protocol { get; init; }

    /// <summary>The source or the destination port is in one of these; empty for any.</summary>
    public IReadOnlyList<(ushort First, ushort Last)> Ports { get; init; } = [];

    /// <summary>From or to one of these users; empty, with <see cref="Groups"/>, for anybody.</summary>
    public IReadOnlyList<string> Users { get; init; } = [];

    /// <summary>From or to a user of one of these groups.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Whether it asks who the user is.</summary>
    public bool NamesUsers => Users.Count != 0 || Groups.Count != 0;
}

/// <summary>What some users get, each of them over all connections.</summary>
public sealed record TrafficUsersConfig
{
    /// <summary>These users; empty, with <see cref="Groups"/>, for all.</summary>
    public IReadOnlyList<string> Users { get; init; } = [];

    /// <summary>Users of these groups.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Share where a port is the bottleneck.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>To the user.</summary>
    public TrafficLimitConfig Download { get; init; } = new();

    /// <summary>From the user.</summary>
    public TrafficLimitConfig Upload { get; init; } = new();
}

/// <summary>What some IPsec peers or ESP tunnels get, each of them.</summary>
public sealed record TrafficTunnelsConfig
{
    /// <summary>Names of static ESP tunnels and of peers; empty for all.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>As in <see cref="TrafficUsersConfig.Weight"/>.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>To the peer.</summary>
    public TrafficLimitConfig Send { get; init; } = new();

    /// <summary>From the peer.</summary>
    public TrafficLimitConfig Receive { get; init; } = new();
}

/// <summary>Limits of one direction.</summary>
public sealed record TrafficLimitConfig
{
    /// <summary>Packets behind this rate wait.</summary>
    public TrafficRate Shape { get; init; }

    /// <summary>Packets behind this rate are dropped.</summary>
    public TrafficRate Police { get; init; }
}
