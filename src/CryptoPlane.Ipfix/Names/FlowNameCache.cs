using CryptoPlane.Flows.Sessions;

namespace CryptoPlane.Ipfix.Names;

/// <summary>Remembers names, so that records cost a look-up each and no allocation. One thread: the exporter's.</summary>
/// <param name="names">Who knows them.</param>
internal sealed class FlowNameCache(IFlowNames names)
{
    /// <summary>Names that are remembered; when there are more, all are asked for again.</summary>
    public const int MaximumNames = 65_536;

    /// <summary>How long an answer counts, in nanoseconds: a configuration may have changed since.</summary>
    public const long Lifetime = 10_000_000_000;

    /// <summary>How long it counts that nothing is known.</summary>
    public const long Retry = 1_000_000_000;

    /// <summary>IANA, forwardingStatus: forwarded, for no special reason.</summary>
    private const byte Forwarded = 64;

    private readonly Dictionary<(NameKind Kind, ulong Id), Entry> _entries = [];

    /// <summary>Looks up all names of a record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="now">Monotonic nanoseconds.</param>
    public FlowRecordNames Find(in FlowRecord record, long now)
    {
        FlowName? ingress = Find(KindOf(record.IngressKind), record.IngressId, now);
        FlowName? egress = Find(KindOf(record.EgressKind), record.EgressId, now);
        FlowName? rule = record.RuleId == 0 ? null : Find(NameKind.Rule, record.RuleId, now);
        FlowName? reason = record.DropReason == 0 ? null : Find(NameKind.DropReason, record.DropReason, now);
        bool dropsOnly = record.Forward.Packets == 0 && record.Reverse.Packets == 0 && record.Forward.Drops + record.Reverse.Drops != 0;
        return new FlowRecordNames(ingress, egress, rule, reason, dropsOnly ? names.ForwardingStatusOf(record.DropReason) : Forwarded);
    }

    private FlowName? Find(NameKind kind, ulong id, long now)
    {
        if (kind == NameKind.None)
            return null;
        if (_entries.TryGetValue((kind, id), out Entry entry) && now - entry.Asked < (entry.Name is null ? Retry : Lifetime))
            return entry.Name;
        if (_entries.Count >= MaximumNames)
            _entries.Clear();
        // Who has ended is not known any more, and keeps the name: numbers of sessions and flows are not used twice.
        FlowName? name = Ask(kind, id, entry.Name) ?? entry.Name;
        _entries[(kind, id)] = new Entry(name, now);
        return name;
    }

    private FlowName? Ask(NameKind kind, ulong id, FlowName? before)
    {
        FlowTunnelName? found = kind switch
        {
            NameKind.Rule => names.FindRule((uint)id) is { } rule ? new FlowTunnelName(rule, "") : null,
            NameKind.DropReason => names.FindDropReason((ushort)id) is { } reason ? new FlowTunnelName(reason, "") : null,
            _ => names.FindTunnel((FlowTunnelKind)kind, id),
        };
        if (found is not { } name)
            return null;
        return before is not null && before.Is(name.Name, name.User) ? before : new FlowName(name.Name, name.User);
    }

    private static NameKind KindOf(FlowTunnelKind kind) => (NameKind)kind;

    /// <summary>The kinds of tunnels, and above their numbers the other things that have names.</summary>
    private enum NameKind
    {
        None = FlowTunnelKind.None,
        Rule = 256,
        DropReason,
    }

    private readonly record struct Entry(FlowName? Name, long Asked);
}
