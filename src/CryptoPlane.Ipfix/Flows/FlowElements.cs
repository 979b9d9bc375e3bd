using CryptoPlane.Ipfix.Messages;
using static CryptoPlane.Ipfix.Messages.IpfixSemantics;
using static CryptoPlane.Ipfix.Messages.IpfixType;

namespace CryptoPlane.Ipfix.Flows;

/// <summary>
/// The elements for which IANA has none, under a private enterprise number: which tunnels a flow goes through, why packets were dropped, and
/// which rule decided. Their types are told to collectors by RFC 5610.
/// </summary>
/// <param name="enterprise">The private enterprise number.</param>
public sealed class FlowElements(uint enterprise)
{
    /// <summary>
    /// The number that is used where no other is given: RFC 5612 sets it aside for examples. Whoever has a number of their own uses that.
    /// </summary>
    public const uint ExampleEnterprise = 32473;

    /// <summary>What the initiator's packets came out of: a <see cref="CryptoPlane.Flows.Sessions.FlowTunnelKind"/>.</summary>
    public IpfixElement IngressTunnelKind { get; } = new(enterprise, 1, Unsigned8, Identifier, "ingressTunnelKind");

    /// <summary>Which tunnel of that kind.</summary>
    public IpfixElement IngressTunnelId { get; } = new(enterprise, 2, Unsigned64, Identifier, "ingressTunnelId");

    /// <summary>What the initiator's packets went into.</summary>
    public IpfixElement EgressTunnelKind { get; } = new(enterprise, 3, Unsigned8, Identifier, "egressTunnelKind");

    /// <summary>Which tunnel of that kind.</summary>
    public IpfixElement EgressTunnelId { get; } = new(enterprise, 4, Unsigned64, Identifier, "egressTunnelId");

    /// <summary>Why the first of the dropped packets was dropped; 0 for none.</summary>
    public IpfixElement DropReason { get; } = new(enterprise, 5, Unsigned16, Identifier, "dropReason");

    /// <summary>The rule that decided; 0 for none.</summary>
    public IpfixElement RuleId { get; } = new(enterprise, 6, Unsigned32, Identifier, "ruleId");

    /// <summary>A tunnel's kind, where its name is told.</summary>
    public IpfixElement TunnelKind { get; } = new(enterprise, 7, Unsigned8, Identifier, "tunnelKind");

    /// <summary>A tunnel's number, where its name is told.</summary>
    public IpfixElement TunnelId { get; } = new(enterprise, 8, Unsigned64, Identifier, "tunnelId");

    /// <summary>A rule's name.</summary>
    public IpfixElement RuleName { get; } = new(enterprise, 9, IpfixType.String, Default, "ruleName");

    /// <summary>The name of a reason for dropping.</summary>
    public IpfixElement DropReasonName { get; } = new(enterprise, 10, IpfixType.String, Default, "dropReasonName");

    /// <summary>The class of traffic that the policy put the flow into.</summary>
    public IpfixElement TrafficClass { get; } = new(enterprise, 11, Unsigned8, Identifier, "trafficClass");

    /// <summary>All of them with a sentence for people (RFC 5610 §3.8).</summary>
    internal IReadOnlyList<(IpfixElement Element, string Description)> All =>
    [
        (IngressTunnelKind, "What the initiator's packets came out of: 0 unknown, 1 user, 2 ESP tunnel, 3 TUN, 4 Ethernet port, 5 another lcore"),
        (IngressTunnelId, "Which tunnel of ingressTunnelKind: a user's session, or the tunnel's number"),
        (EgressTunnelKind, "What the initiator's packets went into, as ingressTunnelKind"),
        (EgressTunnelId, "Which tunnel of egressTunnelKind"),
        (DropReason, "Why the first of the dropped packets was dropped, 0 for none; see dropReasonName"),
        (RuleId, "The rule that decided about the flow, 0 for none; see ruleName"),
        (TunnelKind, "The kind of the tunnel that the record names"),
        (TunnelId, "The number of the tunnel that the record names"),
        (RuleName, "The name of the rule"),
        (DropReasonName, "The name of the reason"),
        (TrafficClass, "The class of traffic that the flow is in"),
    ];
}
