using CryptoPlane.Policy;
using VpnBroker.Configuration;

namespace VpnBroker.DataPlane.Policy;

/// <summary>
/// Numbers of rules by their names, for the life of the process: a rule that is still there after a reload keeps its number, and with it its
/// counters. Supervisor's thread.
/// </summary>
internal sealed class PolicyRuleNumbers
{
    /// <summary>The number of what happens where no rule matches.</summary>
    public const uint Default = 1;

    private readonly Dictionary<string, uint> _numbers = new(StringComparer.Ordinal) { [PolicyConfig.DefaultName] = Default };
    private readonly List<string> _names = ["", PolicyConfig.DefaultName];

    /// <summary>The number of a rule.</summary>
    /// <exception cref="InvalidOperationException">There have been too many names.</exception>
    public uint Of(string name)
    {
        if (_numbers.TryGetValue(name, out uint number))
            return number;
        if (_names.Count >= PolicyCounters.Capacity)
            throw new InvalidOperationException($"Since its start the broker has seen {PolicyCounters.Capacity} names of rules: restart it, so that it can count new ones.");
        _numbers.Add(name, number = (uint)_names.Count);
        _names.Add(name);
        return number;
    }

    /// <summary>The name of a number, also of a rule that is gone; null where there was none.</summary>
    public string? NameOf(uint number) => number > 0 && number < _names.Count ? _names[(int)number] : null;
}
