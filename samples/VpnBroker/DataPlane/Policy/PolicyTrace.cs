using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Policy;
using VpnBroker.Configuration;

namespace VpnBroker.DataPlane.Policy;

/// <summary>A flow that an operator asks about.</summary>
/// <param name="Who">The user, or null for nobody.</param>
/// <param name="Source">The initiator's address.</param>
/// <param name="SourcePort">The initiator's port.</param>
/// <param name="Destination">The responder's address; of the same family.</param>
/// <param name="DestinationPort">The responder's port; null for a packet without one.</param>
/// <param name="Protocol">The upper protocol.</param>
internal sealed record PolicyTraceFlow(PolicySubject? Who, IPAddress Source, ushort SourcePort, IPAddress Destination, ushort? DestinationPort, byte Protocol);

/// <summary>A rule that was passed over, or the one that decides.</summary>
/// <param name="Name">The rule's name.</param>
/// <param name="Action">What it does.</param>
/// <param name="Mismatch">The first condition that the flow does not meet; null for the rule that decides.</param>
internal readonly record struct PolicyTraceStep(string Name, PolicyAction Action, string? Mismatch);

/// <summary>
/// Explains which rule of a configuration decides about a flow. Each condition is judged by a policy that has nothing else, so that explanation
/// and decision come out of the same code. Control threads.
/// </summary>
internal static class PolicyTrace
{
    private const uint Subject = 1;

    private static readonly (string Name, Func<PolicyRule, PolicyRule> Only)[] s_conditions =
    [
        ("user and groups", rule => Bare(rule) with { Users = rule.Users, Groups = rule.Groups }),
        ("ingress", rule => Bare(rule) with { IngressKinds = rule.IngressKinds }),
        ("from", rule => Bare(rule) with { From = rule.From }),
        ("egress", rule => Bare(rule) with { EgressKinds = rule.EgressKinds }),
        ("to", rule => Bare(rule) with { To = rule.To }),
        ("protocol", rule => Bare(rule) with { Protocols = rule.EffectiveProtocols ?? [] }),
        ("fromPorts", rule => Bare(rule) with { Protocols = rule.Protocols, SourcePorts = rule.SourcePorts }),
        ("ports", rule => Bare(rule) with { Protocols = rule.Protocols, Ports = rule.Ports }),
    ];

    /// <summary>Goes through the rules up to the one that decides, which may be the default.</summary>
    public static IReadOnlyList<PolicyTraceStep> Explain(BrokerConfig config, PolicyTraceFlow flow)
    {
        PolicyConfig policy = config.Policy!;
        uint number = 0;
        IReadOnlyList<PolicyRule> rules = PolicyRules.Of(config, _ => ++number);
        PolicyQuery query = QueryOf(config, flow);
        PolicyVerdict otherwise = new(0, policy.Default);
        PolicyVerdict verdict = Evaluate(rules, otherwise, query, flow.Who);
        var steps = new List<PolicyTraceStep>();
        foreach (PolicyRule rule in rules.TakeWhile(rule => verdict.Rule == 0 || rule.Id <= verdict.Rule))
            steps.Add(new PolicyTraceStep(rule.Name, rule.Action, rule.Id == verdict.Rule ? null : Mismatch(rule, query, flow.Who)));
        if (verdict.Rule == 0)
            steps.Add(new PolicyTraceStep(PolicyConfig.DefaultName, policy.Default, null));
        return steps;
    }

    /// <summary>What the policy is asked.</summary>
    public static PolicyQuery QueryOf(BrokerConfig config, PolicyTraceFlow flow)
    {
        (ulong sourceHigh, ulong sourceLow) = Words(flow.Source);
        (ulong destinationHigh, ulong destinationLow) = Words(flow.Destination);
        return new PolicyQuery
        {
            SourceHigh = sourceHigh,
            SourceLow = sourceLow,
            DestinationHigh = destinationHigh,
            DestinationLow = destinationLow,
            Subject = flow.Who is null ? 0 : Subject,
            SourcePort = flow.SourcePort,
            DestinationPort = flow.DestinationPort ?? 0,
            Protocol = flow.Protocol,
            Ingress = (byte)(flow.Who is null ? PlaceOf(config, flow.Source) : FlowTunnelKind.User),
            Egress = (byte)PlaceOf(config, flow.Destination),
            IsIPv6 = flow.Destination.AddressFamily == AddressFamily.InterNetworkV6,
            HasProtocol = true,
            HasPorts = flow.DestinationPort is not null && PolicyRule.ProtocolsWithPorts.Contains(flow.Protocol),
        };
    }

    /// <summary>Where the longest route for an address leads; none where there is no route.</summary>
    public static FlowTunnelKind PlaceOf(BrokerConfig config, IPAddress address)
    {
        IEnumerable<(IPNetwork Prefix, FlowTunnelKind Kind)> routes =
        [
            .. config.Pools.SelectMany(pool => new[] { pool.IPv4, pool.IPv6 }).OfType<IPNetwork>().Select(prefix => (prefix, FlowTunnelKind.User)),
            .. PolicyRules.Peers(config).Distinct().SelectMany(peer => PolicyRules.Behind(config, peer)).Select(prefix => (prefix, FlowTunnelKind.Esp)),
            .. (config.LocalNetwork?.Routes ?? []).Select(prefix => (prefix, config.Tun is null ? FlowTunnelKind.Port : FlowTunnelKind.Tun)),
        ];
        return routes.Where(route => route.Prefix.BaseAddress.AddressFamily == address.AddressFamily && route.Prefix.Contains(address))
            .OrderByDescending(route => route.Prefix.PrefixLength).Select(route => route.Kind).FirstOrDefault();
    }

    private static string Mismatch(PolicyRule rule, in PolicyQuery query, PolicySubject? who)
    {
        foreach ((string name, Func<PolicyRule, PolicyRule> only) in s_conditions)
        {
            if (Evaluate([only(rule)], default, query, who).Rule == 0)
                return name;
        }
        throw new InvalidOperationException($"The rule \"{rule.Name}\" meets each condition and yet does not decide.");
    }

    private static PolicyVerdict Evaluate(IReadOnlyList<PolicyRule> rules, PolicyVerdict otherwise, in PolicyQuery query, PolicySubject? who)
    {
        using var snapshot = PolicySnapshot.Compile(rules, otherwise, generation: 1);
        if (who is not null)
            snapshot.Assign(Subject, who);
        return snapshot.Evaluate(query);
    }

    private static PolicyRule Bare(PolicyRule rule) => new() { Id = rule.Id, Name = rule.Name, Action = rule.Action };

    private static (ulong High, ulong Low) Words(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int size);
        return size == 4 ? (0, BinaryPrimitives.ReadUInt32BigEndian(bytes)) : (BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
    }
}
