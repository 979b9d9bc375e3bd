namespace VpnBroker.Status;

/// <summary>The policy and what its rules have decided, over all lcores.</summary>
/// <param name="Generation">Grows with every reload.</param>
/// <param name="Rules">The rules in their order; the last one is "default", what happens where none matches.</param>
public sealed record PolicyReport(uint Generation, IReadOnlyList<PolicyRuleReport> Rules);

/// <summary>One rule.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Action">What it does: <c>allow</c>, <c>deny</c> or <c>reject</c>.</param>
/// <param name="Flows">Flows that it has decided about, also again after a reload.</param>
/// <param name="Packets">Packets of those flows: passed by a rule that allows, dropped by one that does not.</param>
/// <param name="Bytes">Their bytes.</param>
public sealed record PolicyRuleReport(string Name, string Action, ulong Flows, ulong Packets, ulong Bytes);
