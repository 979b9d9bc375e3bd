using CryptoPlane.Traffic;
using VpnBroker.Configuration;

namespace VpnBroker.DataPlane.Queueing;

/// <summary>What a configuration says about traffic, as the supervisor and the lcores ask for it: each of them has its own.</summary>
internal sealed class TrafficPlan
{
    /// <summary>A turn of deficit round robin sends at least a packet of Ethernet.</summary>
    private const int LeastQuantum = 1514;

    private TrafficConfig _config;
    private readonly int _quantum;

    private TrafficPlan(TrafficConfig config, int largestPacket, int lcores)
    {
        _config = config;
        _quantum = Math.Max(LeastQuantum, largestPacket);
        Lcores = lcores;
        Classifier = new PacketClassifier(config);
    }

    /// <summary>Says of which class packets are.</summary>
    public PacketClassifier Classifier { get; }

    /// <summary>The classes.</summary>
    public IReadOnlyList<TrafficClassConfig> Classes => _config.Classes;

    /// <summary>Lcores among which limits are divided.</summary>
    public int Lcores { get; }

    /// <summary>The ports' rates, all lcores together.</summary>
    public TrafficRate Outside => _config.Outside;

    /// <inheritdoc cref="Outside"/>
    public TrafficRate Inside => _config.Inside;

    /// <summary>Whether some limit is divided among lcores.</summary>
    public bool HasShares => Lcores > 1 && (Outside.IsLimited || Inside.IsLimited || Classes.Any(one => one.Police.IsLimited)
        || _config.Tunnels.Any(entry => IsLimited(entry.Send) || IsLimited(entry.Receive)));

    /// <summary>What a shaper reckons for each packet besides its own bytes.</summary>
    public int OverheadBytes => _config.OverheadBytes;

    /// <summary>The plan of a configuration; null when it manages no traffic.</summary>
    public static TrafficPlan? Of(BrokerConfig config) =>
        config.Traffic == null ? null : new TrafficPlan(config.Traffic, PacketClassifier.LargestPacket(config), config.Lcores.Count);

    /// <summary>
    /// Takes the limits of another configuration: all that a running broker can change. On the one thread that uses the plan.
    /// </summary>
    public void Take(TrafficConfig traffic) => _config = _config with
    {
        Outside = traffic.Outside,
        Inside = traffic.Inside,
        Users = traffic.Users,
        Tunnels = traffic.Tunnels,
        Classes = [.. _config.Classes.Select(one => one with { Police = traffic.Classes.FirstOrDefault(other => other.Name == one.Name)?.Police ?? one.Police })],
    };

    /// <summary>A scheduler's options.</summary>
    /// <param name="port">The rate of the port behind, all lcores together.</param>
    /// <param name="tunnels">As in <see cref="TrafficSchedulerOptions.Tunnels"/>.</param>
    public TrafficSchedulerOptions Scheduler(in TrafficRate port, int tunnels) => new()
    {
        Tunnels = tunnels,
        Port = PartOf(port, Lcores),
        Quantum = _quantum,
        OverheadBytes = _config.OverheadBytes,
        TotalBytes = _config.TotalBytes,
        TotalPackets = _config.TotalPackets,
        CoDel = new CoDelParameters
        {
            TargetNanoseconds = _config.TargetMilliseconds * 1_000_000L,
            IntervalNanoseconds = _config.IntervalMilliseconds * 1_000_000L,
            MaxPacketBytes = _quantum,
        },
        Classes =
        [
            .. Classes.Select(one => new TrafficClassOptions
            {
                Priority = one.Priority, Weight = one.Weight, Shape = one.Shape, QueueBytes = one.QueueBytes, QueuePackets = one.QueuePackets,
            }),
        ],
    };

    /// <summary>What a user gets, over all connections.</summary>
    public TunnelLimits OfUser(string user, IReadOnlyList<string> groups)
    {
        TrafficUsersConfig? entry = _config.Users.FirstOrDefault(
            entry => (entry.Users.Count == 0 && entry.Groups.Count == 0) || entry.Users.Contains(user) || entry.Groups.Any(groups.Contains));
        return new TunnelLimits
        {
            Weight = entry?.Weight ?? 1,
            Rules = Classifier.RulesAbout(user, groups),
            SendShape = entry?.Download.Shape ?? default,
            SendPolice = entry?.Download.Police ?? default,
            ReceiveShape = entry?.Upload.Shape ?? default,
            ReceivePolice = entry?.Upload.Police ?? default,
        };
    }

    /// <summary>What an ESP tunnel or a peer gets on one lcore of several that share its limits.</summary>
    /// <param name="name">The tunnel's or peer's name.</param>
    /// <param name="lcores">How many lcores.</param>
    public TunnelLimits OfTunnel(string name, int lcores)
    {
        TrafficTunnelsConfig? entry = _config.Tunnels.FirstOrDefault(entry => entry.Names.Count == 0 || entry.Names.Contains(name));
        return new TunnelLimits
        {
            Weight = entry?.Weight ?? 1,
            SendShape = PartOf(entry?.Send.Shape ?? default, lcores),
            SendPolice = PartOf(entry?.Send.Police ?? default, lcores),
            ReceiveShape = PartOf(entry?.Receive.Shape ?? default, lcores),
            ReceivePolice = PartOf(entry?.Receive.Police ?? default, lcores),
        };
    }

    /// <summary>An equal part of a limit: what an lcore has until its demand was measured.</summary>
    public static TrafficRate PartOf(in TrafficRate rate, int parts) => Share(rate, rate.BitsPerSecond / parts, rate.PacketsPerSecond / parts);

    /// <summary>
    /// A connection's part of a user's limit. Its bursts are at least an equal part of the user's, so that a connection that was silent begins
    /// without waiting; together they are not more than twice the user's, but for two packets each.
    /// </summary>
    /// <param name="whole">The user's limit.</param>
    /// <param name="bits">The connection's bits per second.</param>
    /// <param name="packets">The connection's packets per second.</param>
    /// <param name="connections">How many there are.</param>
    public static TrafficRate PartOfUser(in TrafficRate whole, long bits, long packets, int connections)
    {
        TrafficRate part = Share(whole, bits, packets);
        return part with
        {
            BurstBytes = Math.Max(part.BurstBytes, whole.BurstBytes / connections),
            BurstPackets = Math.Max(part.BurstPackets, whole.BurstPackets / connections),
        };
    }

    private static bool IsLimited(TrafficLimitConfig limit) => limit.Shape.IsLimited || limit.Police.IsLimited;

    /// <summary>A part of a limit, of which bursts have the same part, but never less than two packets.</summary>
    public static TrafficRate Share(in TrafficRate whole, long bits, long packets) => new()
    {
        BitsPerSecond = whole.BitsPerSecond == 0 ? 0 : Math.Max(1, bits),
        BurstBytes = whole.BitsPerSecond == 0 ? 0 : Math.Max(2 * LeastQuantum, (long)((Int128)whole.BurstBytes * bits / whole.BitsPerSecond)),
        PacketsPerSecond = whole.PacketsPerSecond == 0 ? 0 : Math.Max(1, packets),
        BurstPackets = whole.PacketsPerSecond == 0 ? 0 : Math.Max(2, (long)((Int128)whole.BurstPackets * packets / whole.PacketsPerSecond)),
    };
}
