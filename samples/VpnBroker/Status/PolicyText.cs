using System.Globalization;
using System.Text;

namespace VpnBroker.Status;

/// <summary>The policy as text.</summary>
internal static class PolicyText
{
    /// <summary>Writes all rules with their counters.</summary>
    public static void Write(StringBuilder text, PolicyReport policy)
    {
        var rules = new TextTable("rule", "action", "flows", "packets", "bytes");
        foreach (PolicyRuleReport rule in policy.Rules)
            rules.Add(rule.Name, rule.Action, Count(rule.Flows), Count(rule.Packets), Count(rule.Bytes));
        rules.Write(text);
    }

    /// <summary>Writes one line: how many rules there are, and what they let through.</summary>
    public static void WriteLine(StringBuilder text, PolicyReport policy)
    {
        PolicyRuleReport[] allowing = [.. policy.Rules.Where(rule => rule.Action == "allow")], others = [.. policy.Rules.Where(rule => rule.Action != "allow")];
        text.Append(CultureInfo.InvariantCulture,
            $"policy: default {policy.Rules[^1].Action}, {policy.Rules.Count - 1} rules, generation {policy.Generation}; allowed {Flows(allowing)} flows with {Packets(allowing)} packets, refused {Flows(others)} flows with {Packets(others)} packets (broker policy list)\n");
    }

    private static ulong Flows(PolicyRuleReport[] rules) => rules.Aggregate(0ul, (sum, rule) => sum + rule.Flows);

    private static ulong Packets(PolicyRuleReport[] rules) => rules.Aggregate(0ul, (sum, rule) => sum + rule.Packets);

    private static string Count(ulong value) => value.ToString(CultureInfo.InvariantCulture);
}
