using System.Diagnostics.CodeAnalysis;
using CryptoPlane.Policy;

namespace VpnBroker.DataPlane.Policy;

/// <summary>
/// Numbers of users, with the groups that they had at their log-in: one number for all sessions of a user with the same groups, kept for the life
/// of the process, so that no verdict of one user can become another's. Supervisor's thread.
/// </summary>
internal sealed class PolicySubjects
{
    private readonly Dictionary<string, uint> _numbers = new(StringComparer.Ordinal);
    private readonly List<PolicySubject> _subjects = [new PolicySubject("", [])];

    /// <summary>All of them with their numbers.</summary>
    public IEnumerable<(uint Number, PolicySubject Who)> All => _subjects.Index().Skip(1).Select(entry => ((uint)entry.Index, entry.Item));

    /// <summary>The number of a user.</summary>
    /// <param name="user">The user's name.</param>
    /// <param name="groups">The user's groups.</param>
    /// <param name="isNew">Whether it was not known before.</param>
    /// <returns>The number, or <see cref="PolicyQuery.UnknownSubject"/> when there have been too many.</returns>
    public uint Of(string user, IReadOnlyList<string> groups, out bool isNew)
    {
        // Zero bytes are in no name.
        string key = string.Join('\0', groups.Order(StringComparer.Ordinal).Prepend(user));
        isNew = false;
        if (_numbers.TryGetValue(key, out uint number))
            return number;
        if (_subjects.Count >= PolicySnapshot.MaximumSubjects)
            return PolicyQuery.UnknownSubject;
        isNew = true;
        _numbers.Add(key, number = (uint)_subjects.Count);
        _subjects.Add(new PolicySubject(user, [.. groups]));
        return number;
    }

    /// <summary>Who a number is.</summary>
    public bool TryGet(uint number, [NotNullWhen(true)] out PolicySubject? who)
    {
        who = number > 0 && number < _subjects.Count ? _subjects[(int)number] : null;
        return who != null;
    }
}
