using System.Runtime.InteropServices;

namespace CryptoPlane.Policy;

/// <summary>What a policy says of a flow. Eight bytes, to be kept in the flow's state.</summary>
/// <param name="Rule">The number of the rule that decided: <see cref="PolicyRule.Id"/>.</param>
/// <param name="Action">What happens to the flow.</param>
/// <param name="TrafficClass">The class that the rule puts it into.</param>
/// <param name="Log">Whether the decision is to be logged.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct PolicyVerdict(uint Rule, PolicyAction Action, byte TrafficClass = 0, bool Log = false)
{
    /// <summary>Whether packets pass.</summary>
    public bool IsAllowed => Action == PolicyAction.Allow;
}
