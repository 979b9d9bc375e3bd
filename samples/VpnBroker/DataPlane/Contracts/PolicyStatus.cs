using CryptoPlane.Policy;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>A policy's counters at one moment, over all lcores. They run from the start of the process, or from a rule's first appearance.</summary>
public sealed record PolicyStatus
{
    /// <summary>Grows with every policy that is published.</summary>
    public required uint Generation { get; init; }

    /// <summary>The rules in their order; last what happens where none matches.</summary>
    public required IReadOnlyList<PolicyRuleStatus> Rules { get; init; }
}

/// <summary>What a rule has decided.</summary>
/// <param name="Number">The rule's number, as flow records have it.</param>
/// <param name="Name">The rule's name.</param>
/// <param name="Action">What it does.</param>
/// <param name="Flows">Flows that it matched.</param>
/// <param name="Packets">Their packets.</param>
/// <param name="Octets">The packets' bytes.</param>
public readonly record struct PolicyRuleStatus(uint Number, string Name, PolicyAction Action, ulong Flows, ulong Packets, ulong Octets);
