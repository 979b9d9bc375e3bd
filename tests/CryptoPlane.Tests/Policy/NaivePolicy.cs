using System.Net;
using System.Net.Sockets;
using CryptoPlane.Policy;

namespace CryptoPlane.Tests.Policy;

/// <summary>What a policy says, by going through its rules one by one with the framework's own prefixes: the model for the compiled one.</summary>
internal sealed class NaivePolicy(IReadOnlyList<PolicyRule> rules, PolicyVerdict otherwise, IReadOnlyDictionary<uint, PolicySubject> subjects)
{
    private enum Answer
    {
        No,
        Yes,
        Unknown,
    }

    public PolicyVerdict Evaluate(in PolicyQuery query)
    {
        foreach (PolicyRule rule in rules)
        {
            Answer[] answers =
            [
                Subject(rule, query.Subject),
                Prefixes(rule.From, SourceOf(query)),
                Prefixes(rule.To, DestinationOf(query)),
                Protocol(rule, query),
                Ports(rule.SourcePorts, query, query.SourcePort),
                Ports(rule.Ports, query, query.DestinationPort),
                Kind(rule.IngressKinds, query.Ingress),
                Kind(rule.EgressKinds, query.Egress),
            ];
            if (answers.Contains(Answer.No) || (answers.Contains(Answer.Unknown) && rule.Action == PolicyAction.Allow))
                continue;
            return new PolicyVerdict(rule.Id, rule.Action, rule.TrafficClass, rule.Log);
        }
        return otherwise;
    }

    public static IPAddress SourceOf(in PolicyQuery query) => Address(query.IsIPv6, query.SourceHigh, query.SourceLow);

    public static IPAddress DestinationOf(in PolicyQuery query) => Address(query.IsIPv6, query.DestinationHigh, query.DestinationLow);

    private static IPAddress Address(bool isIPv6, ulong high, ulong low)
    {
        byte[] bytes = new byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, high);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), low);
        return new IPAddress(isIPv6 ? bytes : bytes[12..]);
    }

    private Answer Subject(PolicyRule rule, uint subject)
    {
        if (rule.Users.Count == 0 && rule.Groups.Count == 0)
            return Answer.Yes;
        if (subject == 0)
            return Answer.No;
        if (!subjects.TryGetValue(subject, out PolicySubject? who))
            return Answer.Unknown;
        return rule.Users.Contains(who.User) || rule.Groups.Intersect(who.Groups).Any() ? Answer.Yes : Answer.No;
    }

    private static Answer Prefixes(IReadOnlyList<IPNetwork> prefixes, IPAddress address) =>
        prefixes.Count == 0 || prefixes.Any(prefix => IsOf(prefix, address)) ? Answer.Yes : Answer.No;

    private static bool IsOf(IPNetwork prefix, IPAddress address)
    {
        if (prefix.BaseAddress.AddressFamily != address.AddressFamily)
            return false;
        byte[] wanted = prefix.BaseAddress.GetAddressBytes(), given = address.GetAddressBytes();
        return Enumerable.Range(0, prefix.PrefixLength).All(bit => ((wanted[bit / 8] ^ given[bit / 8]) >> (7 - (bit % 8)) & 1) == 0);
    }

    private static Answer Protocol(PolicyRule rule, in PolicyQuery query)
    {
        bool asksPorts = rule.Ports.Count + rule.SourcePorts.Count != 0;
        if (rule.Protocols.Count == 0 && !asksPorts)
            return Answer.Yes;
        if (!query.HasProtocol)
            return Answer.Unknown;
        byte protocol = query.Protocol;
        return (rule.Protocols.Count == 0 || rule.Protocols.Contains(protocol)) && (!asksPorts || protocol is 6 or 17 or 33 or 132 or 136) ? Answer.Yes : Answer.No;
    }

    private static Answer Ports(IReadOnlyList<PolicyPortRange> ranges, in PolicyQuery query, ushort port)
    {
        if (ranges.Count == 0)
            return Answer.Yes;
        if (!query.HasPorts || !query.HasProtocol)
            return Answer.Unknown;
        return ranges.Any(range => range.First <= port && port <= range.Last) ? Answer.Yes : Answer.No;
    }

    private static Answer Kind(uint kinds, byte kind) => kinds == 0 || (kinds & (1u << kind)) != 0 ? Answer.Yes : Answer.No;
}
