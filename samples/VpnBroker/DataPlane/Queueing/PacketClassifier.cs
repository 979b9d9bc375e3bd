using VpnBroker.Configuration;

namespace VpnBroker.DataPlane.Queueing;

/// <summary>A rule, as packets are compared with it.</summary>
internal readonly record struct ClassRule
{
    /// <summary>A bit for each code point that it takes.</summary>
    public ulong Dscp { get; init; }

    /// <summary>The protocol, or -1 for any.</summary>
    public short Protocol { get; init; }

    /// <summary>Whether one of the ports must be in the range.</summary>
    public bool HasPorts { get; init; }

    public ushort FirstPort { get; init; }

    public ushort LastPort { get; init; }

    /// <summary>The class of packets that match.</summary>
    public byte Class { get; init; }
}

/// <summary>
/// Says of which class a packet is. Immutable: made on a control thread, used by all lcores. Which rules are about a user is known when
/// the user's tunnel begins: a bit per rule.
/// </summary>
internal sealed unsafe class PacketClassifier
{
    /// <summary>Most rules: each has a bit in a tunnel's mask.</summary>
    public const int MaxRules = 64;

    private readonly ClassRule[] _rules;
    private readonly TrafficMatchConfig[] _matches;
    private readonly ulong _common;
    private readonly int _rest;

    /// <summary>Makes the rules of a configuration, which has been checked.</summary>
    public PacketClassifier(TrafficConfig traffic)
    {
        IReadOnlyList<(ClassRule Rule, TrafficMatchConfig Match)> rules = RulesOf(traffic);
        _rules = [.. rules.Select(entry => entry.Rule)];
        _matches = [.. rules.Select(entry => entry.Match)];
        _rest = traffic.Classes.Count - 1;
        for (int i = 0; i < _matches.Length; i++)
            _common |= _matches[i].NamesUsers ? 0 : 1UL << i;
    }

    /// <summary>The rules of a configuration in their order: one for each match and range of ports.</summary>
    public static IReadOnlyList<(ClassRule Rule, TrafficMatchConfig Match)> RulesOf(TrafficConfig traffic)
    {
        var rules = new List<(ClassRule, TrafficMatchConfig)>();
        for (int i = 0; i < traffic.Classes.Count; i++)
        {
            foreach (TrafficMatchConfig match in traffic.Classes[i].Matches)
            {
                var rule = new ClassRule
                {
                    Dscp = match.Dscp.Count == 0 ? ulong.MaxValue : match.Dscp.Aggregate(0UL, (mask, point) => mask | (1UL << point)),
                    Protocol = (short)(match.Protocol ?? -1),
                    Class = (byte)i,
                };
                if (match.Ports.Count == 0)
                    rules.Add((rule, match));
                foreach ((ushort first, ushort last) in match.Ports)
                    rules.Add((rule with { HasPorts = true, FirstPort = first, LastPort = last }, match));
            }
        }
        return rules;
    }

    /// <summary>The largest inner packet of a configuration, in bytes.</summary>
    public static int LargestPacket(BrokerConfig config) => config.Groups.Select(group => group.Profile.Mtu)
        .Concat((config.Esp?.Tunnels ?? []).Select(tunnel => tunnel.Mtu))
        .Concat((config.Ipsec?.Peers ?? []).Select(peer => peer.Mtu))
        .Append(config.DefaultProfile?.Mtu ?? 0)
        .Append(config.LocalNetwork?.Mtu ?? 0)
        .Max();

    /// <summary>The rules that are about a user: a bit for each.</summary>
    public ulong RulesAbout(string user, IReadOnlyList<string> groups)
    {
        ulong mask = 0;
        for (int i = 0; i < _matches.Length; i++)
        {
            if (_matches[i].Users.Contains(user) || _matches[i].Groups.Any(groups.Contains))
                mask |= 1UL << i;
        }
        return mask;
    }

    /// <summary>The class of a packet: that of the first rule that takes it.</summary>
    /// <param name="packet">The IP packet, whose header was checked.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="about">The rules about the users at both ends (<see cref="RulesAbout"/>).</param>
    // Sound: the header's fixed part, of 20 or 40 bytes, was checked; PacketFields checks what it reads behind.
    public int Classify(byte* packet, int length, ulong about)
    {
        ulong rest = _common | about;
        if (rest == 0)
            return _rest;
        int dscp = packet[0] >> 4 == 4 ? packet[1] >> 2 : ((packet[0] & 0x0F) << 2) | (packet[1] >> 6);
        PacketFields fields = PacketFields.Read(packet, length);
        for (; rest != 0; rest &= rest - 1)
        {
            ref readonly ClassRule rule = ref _rules[System.Numerics.BitOperations.TrailingZeroCount(rest)];
            if (((rule.Dscp >> dscp) & 1) == 0 || (rule.Protocol >= 0 && rule.Protocol != fields.Protocol))
                continue;
            if (!rule.HasPorts || (fields.HasPorts && (IsWithin(fields.SourcePort, rule) || IsWithin(fields.DestinationPort, rule))))
                return rule.Class;
        }
        return _rest;
    }

    private static bool IsWithin(ushort port, in ClassRule rule) => port >= rule.FirstPort && port <= rule.LastPort;
}
