using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Audit;

/// <summary>An audit record of what rules with <c>log: true</c> have decided.</summary>
/// <param name="Decision">The decision; null for a note that some were left out.</param>
/// <param name="Suppressed">How many were left out since the last note.</param>
public readonly record struct PolicyAudit(PolicyDecision? Decision, ulong Suppressed = 0);
