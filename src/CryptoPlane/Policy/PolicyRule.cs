using System.Net;

namespace CryptoPlane.Policy;

/// <summary>
/// One rule: it matches a flow when each of its conditions does, and a condition that is empty matches everything. The first rule that matches
/// decides. Rules speak of the initiator, from whom to whom a flow is opened; replies need none. Immutable; control threads.
/// </summary>
public sealed record PolicyRule
{
    /// <summary>Protocols whose packets have ports: TCP, UDP, DCCP, SCTP, UDP-Lite. A rule about ports is about these only.</summary>
    public static IReadOnlyList<byte> ProtocolsWithPorts { get; } = [6, 17, 33, 132, 136];

    /// <summary>Names the rule in verdicts and counters: above 0 and below <see cref="PolicyCounters.Capacity"/>, no other rule's.</summary>
    public required uint Id { get; init; }

    /// <summary>What operators call it.</summary>
    public required string Name { get; init; }

    /// <summary>What it does.</summary>
    public required PolicyAction Action { get; init; }

    /// <summary>The initiator is one of these users, or in one of <see cref="Groups"/>; with both empty anybody, or nobody known.</summary>
    public IReadOnlyList<string> Users { get; init; } = [];

    /// <summary>The initiator is in one of these groups, or one of <see cref="Users"/>.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>The initiator's address is in one of these prefixes. 0.0.0.0/0 is all of IPv4 and nothing of IPv6.</summary>
    public IReadOnlyList<IPNetwork> From { get; init; } = [];

    /// <summary>The responder's address is in one of these prefixes.</summary>
    public IReadOnlyList<IPNetwork> To { get; init; } = [];

    /// <summary>The upper protocol is one of these.</summary>
    public IReadOnlyList<byte> Protocols { get; init; } = [];

    /// <summary>The initiator's port is in one of these ranges.</summary>
    public IReadOnlyList<PolicyPortRange> SourcePorts { get; init; } = [];

    /// <summary>The responder's port is in one of these ranges.</summary>
    public IReadOnlyList<PolicyPortRange> Ports { get; init; } = [];

    /// <summary>Flows come out of one of these kinds: bit n stands for <see cref="PolicyQuery.Ingress"/> n; 0 for all.</summary>
    public uint IngressKinds { get; init; }

    /// <summary>Flows go into one of these kinds, likewise.</summary>
    public uint EgressKinds { get; init; }

    /// <summary>The class that it puts flows into.</summary>
    public byte TrafficClass { get; init; }

    /// <summary>Whether its decisions are to be logged.</summary>
    public bool Log { get; init; }

    /// <summary>Whether it asks who the initiator is.</summary>
    public bool AsksSubject => Users.Count != 0 || Groups.Count != 0;

    /// <summary>Whether it asks for ports.</summary>
    public bool AsksPorts => SourcePorts.Count != 0 || Ports.Count != 0;

    /// <summary>The verdict where it matches.</summary>
    public PolicyVerdict Verdict => new(Id, Action, TrafficClass, Log);

    /// <summary>The protocols that it matches; null for all.</summary>
    public IReadOnlyList<byte>? EffectiveProtocols => !AsksPorts ? (Protocols.Count == 0 ? null : Protocols)
        : Protocols.Count == 0 ? ProtocolsWithPorts
        : [.. Protocols.Where(ProtocolsWithPorts.Contains)];

    /// <summary>Whether it matches a subject; null for nobody.</summary>
    public bool MatchesSubject(PolicySubject? subject) =>
        !AsksSubject || (subject != null && (Users.Contains(subject.User) || Groups.Any(subject.Groups.Contains)));

    /// <summary>
    /// Whether every flow that another rule matches is matched by this one too: behind it, the other can never decide. What several rules cover
    /// only together is not seen.
    /// </summary>
    public bool Covers(PolicyRule other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return CoversSubjects(other)
            && PolicyRanges.Contain(PolicyRanges.OfPrefixes(From), PolicyRanges.OfPrefixes(other.From))
            && PolicyRanges.Contain(PolicyRanges.OfPrefixes(To), PolicyRanges.OfPrefixes(other.To))
            && (EffectiveProtocols is not { } mine || (other.EffectiveProtocols is { } others && others.All(mine.Contains)))
            && PolicyRanges.Contain(PolicyRanges.OfPorts(SourcePorts), PolicyRanges.OfPorts(other.SourcePorts))
            && PolicyRanges.Contain(PolicyRanges.OfPorts(Ports), PolicyRanges.OfPorts(other.Ports))
            && CoversKinds(IngressKinds, other.IngressKinds)
            && CoversKinds(EgressKinds, other.EgressKinds);
    }

    private bool CoversSubjects(PolicyRule other) =>
        !AsksSubject || (other.AsksSubject && other.Users.All(Users.Contains) && other.Groups.All(Groups.Contains));

    private static bool CoversKinds(uint mine, uint others) => mine == 0 || (others != 0 && (others & ~mine) == 0);
}
