using CryptoPlane.Policy;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Policy;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>
/// Gives the lcores their policy: one snapshot that all of them read, swapped as a pointer, and freed when each of them has said that it uses
/// another. Supervisor's thread, but for <see cref="Begin"/>.
/// </summary>
internal sealed unsafe class PolicyPublisher : IDisposable
{
    private readonly IReadOnlyList<LcoreUnit> _units;
    private readonly PolicyRuleNumbers _numbers = new();
    private readonly PolicySubjects _subjects = new();

    /// <summary>Of each lcore the publications that it has not reported yet, in their order.</summary>
    private readonly Queue<Publication>[] _underWay;
    private PolicySnapshot? _current;
    private uint _generation;

    /// <summary>Publishes nothing yet.</summary>
    public PolicyPublisher(IReadOnlyList<LcoreUnit> units)
    {
        _units = units;
        _underWay = [.. units.Select(_ => new Queue<Publication>())];
    }

    /// <summary>Gives lcores that have not started what they begin with.</summary>
    public void Begin(BrokerConfig config)
    {
        _current = Compile(config);
        foreach (LcoreUnit unit in _units)
        {
            unit.Context.Policy = Tables(_current);
            unit.Context.UserFlows.SetLimits(config.Limits.FlowsPerUser, config.Limits.NewFlowsPerUser);
        }
    }

    /// <summary>Publishes the policy of a configuration: every living flow is asked about again.</summary>
    /// <returns>A task that completes when all lcores use it and the one of before is freed.</returns>
    /// <exception cref="InvalidOperationException">There have been too many names of rules.</exception>
    public Task Apply(BrokerConfig config)
    {
        PolicySnapshot? next = Compile(config);
        var publication = new Publication { Old = _current, Waiting = _units.Count };
        _current = next;
        foreach (LcoreUnit unit in _units)
        {
            _underWay[unit.Context.Index].Enqueue(publication);
            unit.Post(new LcoreMessage
            {
                Kind = LcoreMessageKind.Policy,
                Pointer = (nint)Tables(next),
                Length = config.Limits.FlowsPerUser,
                Slot = config.Limits.NewFlowsPerUser,
            });
        }
        return publication.Done.Task;
    }

    /// <summary>An lcore has reported that it uses the next policy.</summary>
    public void Replaced(int lcore)
    {
        Publication publication = _underWay[lcore].Dequeue();
        if (--publication.Waiting > 0)
            return;
        publication.Old?.Dispose();
        publication.Done.SetResult();
    }

    /// <summary>
    /// The number that packets of a user carry. Its place in the policy and its flows' counters on the lcore are ready when this returns, and so
    /// before the message that makes the number known there.
    /// </summary>
    public uint SubjectOf(string user, IReadOnlyList<string> groups)
    {
        uint subject = _subjects.Of(user, groups, out bool isNew);
        if (isNew && _subjects.TryGet(subject, out PolicySubject? who))
            _current?.Assign(subject, who);
        foreach (LcoreUnit unit in _units)
            unit.Context.UserFlows.Prepare(subject);
        return subject;
    }

    /// <summary>Who a number is; null for nobody.</summary>
    public string? UserOf(uint subject) => _subjects.TryGet(subject, out PolicySubject? who) ? who.User : null;

    /// <summary>The name of a rule's number.</summary>
    public string? RuleOf(uint number) => _numbers.NameOf(number);

    /// <summary>The rules and what they have decided; null without a policy.</summary>
    public PolicyStatus? Read()
    {
        if (_current == null)
            return null;
        return new PolicyStatus
        {
            Generation = _current.Generation,
            Rules = [.. _current.Rules.Select(rule => Status(rule.Name, rule.Verdict)), Status(PolicyConfig.DefaultName, _current.Otherwise)],
        };
    }

    /// <summary>Takes what the lcores have noted for the audit log.</summary>
    public (IReadOnlyList<PolicyDecision> Decisions, ulong Suppressed) TakeLog()
    {
        var decisions = new List<PolicyDecision>();
        ulong suppressed = 0;
        foreach (LcoreUnit unit in _units)
        {
            suppressed += unit.Context.PolicyLog.Suppressed;
            while (unit.Context.PolicyLog.TryTake(out PolicyLogEntry entry))
                decisions.Add(Describe(entry));
        }
        return (decisions, suppressed);
    }

    /// <summary>Frees everything: the lcores have stopped.</summary>
    public void Dispose()
    {
        foreach (Publication publication in _underWay.SelectMany(waiting => waiting).Distinct())
        {
            publication.Old?.Dispose();
            publication.Done.TrySetResult();
        }
        _current?.Dispose();
        _current = null;
    }

    private PolicySnapshot? Compile(BrokerConfig config)
    {
        if (config.Policy is not { } policy)
            return null;
        var snapshot = PolicySnapshot.Compile(PolicyRules.Of(config, _numbers.Of), new PolicyVerdict(PolicyRuleNumbers.Default, policy.Default), ++_generation);
        foreach ((uint number, PolicySubject who) in _subjects.All)
            snapshot.Assign(number, who);
        return snapshot;
    }

    private PolicyDecision Describe(in PolicyLogEntry entry)
    {
        PolicyQuery query = entry.Query;
        int family = query.IsIPv6 ? 6 : 4;
        var source = new InnerAddress(family, query.IsIPv6 ? query.SourceHigh : 0, query.IsIPv6 ? query.SourceLow : (uint)query.SourceLow);
        var destination = new InnerAddress(family, query.IsIPv6 ? query.DestinationHigh : 0, query.IsIPv6 ? query.DestinationLow : (uint)query.DestinationLow);
        return new PolicyDecision(
            _numbers.NameOf(entry.Verdict.Rule) ?? "", entry.Verdict.Action, UserOf(query.Subject), source.ToIPAddress()!, query.HasPorts ? query.SourcePort : null,
            destination.ToIPAddress()!, query.HasPorts ? query.DestinationPort : null, query.HasProtocol ? query.Protocol : null);
    }

    private static PolicyTables* Tables(PolicySnapshot? snapshot) => snapshot == null ? null : snapshot.Tables;

    private PolicyRuleStatus Status(string name, PolicyVerdict verdict)
    {
        PolicyRuleCount count = _units.Select(unit => unit.Context.RuleCounters.Read(verdict.Rule)).Aggregate((sum, next) => sum + next);
        return new PolicyRuleStatus(verdict.Rule, name, verdict.Action, count.Flows, count.Packets, count.Octets);
    }

    private sealed class Publication
    {
        public required PolicySnapshot? Old { get; init; }

        public required int Waiting { get; set; }

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
