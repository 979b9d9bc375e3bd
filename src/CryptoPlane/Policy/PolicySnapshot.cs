using System.Runtime.InteropServices;

namespace CryptoPlane.Policy;

/// <summary>
/// A policy, compiled: made by a control thread, never changed but for subjects that are added, published to lcores as <see cref="Tables"/>, and
/// disposed of when each of them has said that it uses another. 4,096 rules at most.
/// </summary>
/// <remarks>
/// What is not known never matches by accident: where a query lacks its ports, its protocol or its subject, a rule that asks for them is taken to
/// match if it denies or rejects, and not to match if it allows. So whatever passes without its ports would pass with any.
/// </remarks>
public sealed unsafe class PolicySnapshot : IDisposable
{
    /// <summary>Most rules.</summary>
    public const int MaximumRules = 4096;

    /// <summary>Subjects' numbers are below this.</summary>
    public const uint MaximumSubjects = PolicyTables.SubjectBlocks * PolicyTables.SubjectsPerBlock;

    private readonly PolicyRule[] _rules;
    private readonly PolicyRows _rows;
    private PolicyTables* _tables;

    private PolicySnapshot(PolicyRule[] rules, PolicyVerdict otherwise, uint generation)
    {
        _rules = rules;
        _rows = new PolicyRows(rules.Length);
        _tables = (PolicyTables*)NativeMemory.AllocZeroed((nuint)sizeof(PolicyTables));
        _tables->Generation = generation;
        _tables->Otherwise = otherwise;
        Fill();
    }

    /// <summary>What lcores read; valid until this is disposed of.</summary>
    public PolicyTables* Tables => _tables;

    /// <summary>The rules, in their order.</summary>
    public IReadOnlyList<PolicyRule> Rules => _rules;

    /// <summary>What is said of flows that no rule matches.</summary>
    public PolicyVerdict Otherwise => _tables->Otherwise;

    /// <summary>As in <see cref="PolicyTables.Generation"/>.</summary>
    public uint Generation => _tables->Generation;

    /// <summary>Compiles a policy.</summary>
    /// <param name="rules">The rules: the first one that matches decides.</param>
    /// <param name="otherwise">What is said of flows that no rule matches.</param>
    /// <param name="generation">Above 0, and another one than that of the policy before.</param>
    /// <exception cref="ArgumentException">Too many rules, a number out of range, or ranges that end before they begin.</exception>
    public static PolicySnapshot Compile(IReadOnlyList<PolicyRule> rules, PolicyVerdict otherwise, uint generation)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rules.Count, MaximumRules, nameof(rules));
        ArgumentOutOfRangeException.ThrowIfZero(generation);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(otherwise.Rule, (uint)PolicyCounters.Capacity, nameof(otherwise));
        foreach (PolicyRule rule in rules)
        {
            if (rule.Id is 0 or >= PolicyCounters.Capacity)
                throw new ArgumentException($"The rule \"{rule.Name}\" has the number {rule.Id}: give it one from 1 to {PolicyCounters.Capacity - 1}.", nameof(rules));
            if (rule.Ports.Concat(rule.SourcePorts).Any(range => range.Last < range.First))
                throw new ArgumentException($"A range of ports of the rule \"{rule.Name}\" ends before it begins.", nameof(rules));
        }
        return new PolicySnapshot([.. rules], otherwise, generation);
    }

    /// <summary>
    /// Tells who a number is. Before any lcore gets a packet with the number: what is written here reaches it by the message that makes it known
    /// there. A number stands for one subject for good. One control thread at a time.
    /// </summary>
    /// <param name="subject">Above 0 and below <see cref="MaximumSubjects"/>.</param>
    /// <param name="who">The user and the groups.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is out of range.</exception>
    public void Assign(uint subject, PolicySubject who)
    {
        ObjectDisposedException.ThrowIf(_tables == null, this);
        ArgumentNullException.ThrowIfNull(who);
        ArgumentOutOfRangeException.ThrowIfZero(subject);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(subject, MaximumSubjects);
        ref ulong** block = ref _tables->BySubject[subject / PolicyTables.SubjectsPerBlock];
        if (block == null)
            block = (ulong**)NativeMemory.AllocZeroed(PolicyTables.SubjectsPerBlock, (nuint)sizeof(ulong*));
        block[subject % PolicyTables.SubjectsPerBlock] = _rows.Of(rule => _rules[rule].MatchesSubject(who));
    }

    /// <inheritdoc cref="PolicyTables.Evaluate"/>
    public PolicyVerdict Evaluate(in PolicyQuery query)
    {
        ObjectDisposedException.ThrowIf(_tables == null, this);
        return _tables->Evaluate(query);
    }

    /// <summary>Frees the memory: no lcore uses it any more.</summary>
    public void Dispose()
    {
        if (_tables == null)
            return;
        _tables->SourcesIPv4.Free();
        _tables->SourcesIPv6.Free();
        _tables->DestinationsIPv4.Free();
        _tables->DestinationsIPv6.Free();
        _tables->SourcePorts.Free();
        _tables->Ports.Free();
        for (int block = 0; block < PolicyTables.SubjectBlocks; block++)
            NativeMemory.Free(_tables->BySubject[block]);
        NativeMemory.Free(_tables->BySubject);
        NativeMemory.Free(_tables->ByProtocol);
        NativeMemory.Free(_tables->Verdicts);
        NativeMemory.Free(_tables);
        _rows.Dispose();
        _tables = null;
    }

    private void Fill()
    {
        _tables->Words = _rows.Words;
        _tables->Verdicts = (PolicyVerdict*)NativeMemory.Alloc((nuint)Math.Max(1, _rules.Length), (nuint)sizeof(PolicyVerdict));
        for (int rule = 0; rule < _rules.Length; rule++)
            _tables->Verdicts[rule] = _rules[rule].Verdict;
        _tables->SourcesIPv4 = PolicyIntervals.Create(_rows, rule => PolicyRanges.OfPrefixes(_rules[rule].From, family: 4));
        _tables->SourcesIPv6 = PolicyIntervals.Create(_rows, rule => PolicyRanges.OfPrefixes(_rules[rule].From, family: 6));
        _tables->DestinationsIPv4 = PolicyIntervals.Create(_rows, rule => PolicyRanges.OfPrefixes(_rules[rule].To, family: 4));
        _tables->DestinationsIPv6 = PolicyIntervals.Create(_rows, rule => PolicyRanges.OfPrefixes(_rules[rule].To, family: 6));
        _tables->SourcePorts = PolicyIntervals.Create(_rows, rule => PolicyRanges.OfPorts(_rules[rule].SourcePorts));
        _tables->Ports = PolicyIntervals.Create(_rows, rule => PolicyRanges.OfPorts(_rules[rule].Ports));

        _tables->ByProtocol = (ulong**)NativeMemory.Alloc(PolicyTables.Protocols + (2 * PolicyTables.Kinds), (nuint)sizeof(ulong*));
        _tables->ByIngress = _tables->ByProtocol + PolicyTables.Protocols;
        _tables->ByEgress = _tables->ByIngress + PolicyTables.Kinds;
        IReadOnlyList<byte>?[] protocols = [.. _rules.Select(rule => rule.EffectiveProtocols)];
        for (int protocol = 0; protocol < PolicyTables.Protocols; protocol++)
            _tables->ByProtocol[protocol] = _rows.Of(rule => protocols[rule]?.Contains((byte)protocol) != false);
        for (int kind = 0; kind < PolicyTables.Kinds; kind++)
        {
            _tables->ByIngress[kind] = _rows.Of(rule => TakesKind(_rules[rule].IngressKinds, kind));
            _tables->ByEgress[kind] = _rows.Of(rule => TakesKind(_rules[rule].EgressKinds, kind));
        }

        _tables->BySubject = (ulong***)NativeMemory.AllocZeroed(PolicyTables.SubjectBlocks, (nuint)sizeof(ulong**));
        _tables->Nobody = _rows.Of(rule => _rules[rule].MatchesSubject(null));
        _tables->UnknownSubject = _rows.Of(rule => !_rules[rule].AsksSubject || Forbids(rule));
        _tables->UnknownProtocol = _rows.Of(rule => protocols[rule] == null || Forbids(rule));
        _tables->UnknownPorts = _rows.Of(rule => !_rules[rule].AsksPorts || Forbids(rule));
    }

    private bool Forbids(int rule) => _rules[rule].Action != PolicyAction.Allow;

    private static bool TakesKind(uint kinds, int kind) => kinds == 0 || (kinds >> kind & 1) != 0;
}
