using VpnBroker.Authentication;
using VpnBroker.Configuration.Yaml;
using VpnBroker.DataPlane.Queueing;

namespace VpnBroker.Configuration.Parsing;

/// <summary>What the section <c>traffic</c> says about other sections.</summary>
internal static class TrafficChecks
{
    public static void Run(TrafficConfig traffic, BrokerConfig config, long line, ConfigErrors errors)
    {
        IEnumerable<string> named = traffic.Classes.SelectMany(one => one.Matches).SelectMany(match => match.Groups)
            .Concat(traffic.Users.SelectMany(entry => entry.Groups));
        foreach (string group in named.Distinct().Where(group => !UsersFile.IsName(group)))
            errors.Add(line, "traffic", $"\"{group}\" cannot be a group's name: write it as the users file does");

        HashSet<string> tunnels = [.. (config.Esp?.Tunnels ?? []).Select(tunnel => tunnel.Name), .. (config.Ipsec?.Peers ?? []).Select(peer => peer.Name)];
        foreach (string name in traffic.Tunnels.SelectMany(entry => entry.Names).Distinct().Where(name => !tunnels.Contains(name)))
            errors.Add(line, "traffic.tunnels", $"there is neither an ESP tunnel nor a peer \"{name}\": write one's name");

        Unreachable(traffic.Users.Select(entry => entry.Users.Count == 0 && entry.Groups.Count == 0), "traffic.users");
        Unreachable(traffic.Tunnels.Select(entry => entry.Names.Count == 0), "traffic.tunnels");
        int rules = PacketClassifier.RulesOf(traffic).Count;
        if (rules > PacketClassifier.MaxRules)
            errors.Add(line, "traffic.classes", $"the matches make {rules} rules (one for each range of ports), and there can be {PacketClassifier.MaxRules}: join some");
        int packet = PacketClassifier.LargestPacket(config);
        foreach (TrafficClassConfig one in traffic.Classes.Where(one => one.QueueBytes < packet))
            errors.Add(line, "traffic.classes", $"the queue of \"{one.Name}\" has less room than a packet of {packet} bytes: raise queueBytes");

        void Unreachable(IEnumerable<bool> takesAll, string key)
        {
            bool[] entries = [.. takesAll];
            int first = Array.IndexOf(entries, true);
            if (first >= 0 && first != entries.Length - 1)
                errors.Add(line, key, $"entry {first + 1} takes everything, so that those behind it are never used: put it last");
        }
    }
}
