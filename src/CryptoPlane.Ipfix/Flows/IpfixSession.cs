using System.Text;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Messages;
using CryptoPlane.Ipfix.Names;

namespace CryptoPlane.Ipfix.Flows;

/// <summary>
/// One transport session with one observation domain (RFC 7011 §2, §3.1): makes messages of flow records, with the templates and the names
/// that a collector needs for them. Sans-IO and sans-clock.
/// </summary>
/// <remarks>
/// One thread. <see cref="Start"/> first and again for each new connection or file; <see cref="Add"/> for each record; <see cref="Tick"/>
/// every now and then; <see cref="End"/> last. Adding a record allocates nothing, except when a name is told for the first time.
/// </remarks>
public sealed class IpfixSession
{
    /// <summary>Names that are remembered as told; when there are more, all are told again.</summary>
    private const int MaximumTold = 65_536;

    private readonly IpfixSessionOptions _options;
    private readonly IIpfixOutput _output;
    private readonly FlowTemplates _templates;
    private readonly IpfixMessage _message;
    private readonly Dictionary<(ushort Template, byte Kind, ulong Id), FlowName> _told = [];
    private FlowTime _now;
    private long _messageStarted, _templatesSent, _statisticsSent;
    private uint _sequence;
    private FlowTotals _flows;

    /// <summary>Makes a session that has not started.</summary>
    /// <param name="options">How.</param>
    /// <param name="output">Where messages go.</param>
    public IpfixSession(IpfixSessionOptions options, IIpfixOutput output)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(output);
        _options = options;
        _output = output;
        _templates = new FlowTemplates(options.Enterprise, options.StartRecords);
        _message = new IpfixMessage(options.MessageSize);
    }

    /// <summary>Data records sent in this transport session, modulo 2^32; those of a message that is not sent yet do not count.</summary>
    public uint Sequence => _sequence;

    /// <summary>Messages since <see cref="Start"/>, with their flow records and bytes.</summary>
    public (long Messages, long Records, long Octets) Made { get; private set; }

    /// <summary>Begins a transport session: sequence numbers begin at 0, and the templates are written first.</summary>
    /// <returns>What was in a message of the session before that was not sent: it is lost.</returns>
    public FlowTotals Start(FlowTime now)
    {
        FlowTotals lost = _flows;
        _message.Clear();
        _flows = default;
        _sequence = 0;
        Made = default;
        _statisticsSent = now.Monotonic;
        SendTemplates(now);
        return lost;
    }

    /// <summary>
    /// Adds a flow record, and before it the names that it needs and the collector does not know. Records of beginnings are left out
    /// without <see cref="IpfixSessionOptions.StartRecords"/>.
    /// </summary>
    public void Add(in FlowRecord flow, in FlowRecordNames names, FlowTime now)
    {
        // Its template has not been told.
        if (flow.Event != FlowEvent.None && !_options.StartRecords)
            return;
        _now = now;
        if (_told.Count >= MaximumTold)
            _told.Clear();
        Tell(names.Ingress, _templates.TunnelNames, (byte)flow.IngressKind, flow.IngressId);
        Tell(names.Egress, _templates.TunnelNames, (byte)flow.EgressKind, flow.EgressId);
        Tell(names.Rule, _templates.RuleNames, 0, flow.RuleId);
        Tell(names.DropReason, _templates.DropReasonNames, 0, flow.DropReason);

        Span<byte> bytes = stackalloc byte[IpfixMessage.MaximumRecord];
        var record = new RecordBuffer(bytes);
        FlowTemplate template = _templates.For(flow);
        template.Write(ref record, flow, names);
        Append(template.Template.Id, record.Written);
        _flows = _flows.With(flow);
    }

    /// <summary>Sends what is due by the clock: a message that waits, templates, counters.</summary>
    /// <param name="now">The time.</param>
    /// <param name="statistics">The sink's counters of now.</param>
    /// <param name="rings">The lcores whose records it gets; null where there are none.</param>
    public void Tick(FlowTime now, in FlowSinkStatistics statistics, IReadOnlyList<FlowRecordRing>? rings = null)
    {
        _now = now;
        if (!_message.IsEmpty && now.Monotonic - _messageStarted >= _options.FlushPeriod)
            Flush(now);
        // RFC 7011 §8.4: over UDP, templates and what options templates tell are sent again.
        if (_options.TemplateRefresh != 0 && now.Monotonic - _templatesSent >= _options.TemplateRefresh)
            SendTemplates(now);
        if (_options.StatisticsPeriod != 0 && now.Monotonic - _statisticsSent >= _options.StatisticsPeriod)
            SendStatistics(now, statistics, rings ?? []);
    }

    /// <summary>Sends the message that waits, if there is one.</summary>
    public void Flush(FlowTime now)
    {
        if (_message.IsEmpty)
            return;
        uint seconds = unchecked((uint)(now.Unix / 1_000_000_000));
        FlowTotals flows = _flows;
        uint sequence = _sequence;
        // RFC 7011 §3.1: the records of a message count for the sequence number of the next one, whether it arrives or not.
        _sequence = unchecked(_sequence + (uint)_message.DataRecords);
        _flows = default;
        ReadOnlySpan<byte> message = _message.Finish(seconds, sequence, _options.ObservationDomain);
        Made = (Made.Messages + 1, Made.Records + flows.Records, Made.Octets + message.Length);
        _output.Write(message, flows);
        _message.Clear();
    }

    /// <summary>Sends the message that waits, and the counters for the last time.</summary>
    /// <param name="now">The time.</param>
    /// <param name="statistics">The sink's counters, in which the message that waits need not be.</param>
    /// <param name="rings">The lcores whose records it gets; null where there are none.</param>
    public void End(FlowTime now, in FlowSinkStatistics statistics, IReadOnlyList<FlowRecordRing>? rings = null)
    {
        SendStatistics(now, statistics, rings ?? []);
        Flush(now);
    }

    private void SendTemplates(FlowTime now)
    {
        _now = now;
        _templatesSent = now.Monotonic;
        _told.Clear();
        // At the beginning of a message: what waits may need the templates of before.
        Flush(now);
        // RFC 5610 §3.9: types first, so that a collector knows them when it reads the templates.
        SendTemplate(_templates.ElementTypes);
        Span<byte> bytes = stackalloc byte[IpfixMessage.MaximumRecord];
        foreach ((IpfixElement element, string description) in _templates.Own.All)
        {
            var record = new RecordBuffer(bytes);
            record.Add32(element.Enterprise);
            record.Add16(element.Id);
            record.Add8((byte)element.Type);
            record.Add8((byte)element.Semantics);
            record.Add16(0); // RFC 5610 §3.3: no unit.
            record.Add64(0);
            record.Add64(element.Length is > 0 and <= 8 ? ulong.MaxValue >> (64 - (8 * element.Length)) : 0);
            record.AddVariable(Encoding.UTF8.GetBytes(element.Name));
            record.AddVariable(Encoding.UTF8.GetBytes(description));
            Append(_templates.ElementTypes.Id, record.Written);
        }
        foreach (IpfixTemplate template in _templates.Others)
            SendTemplate(template);
        foreach (FlowTemplate flow in _templates.Flows)
        {
            var record = new RecordBuffer(bytes);
            record.Add16(flow.Template.Id);
            record.Add64(flow.Keys);
            Append(_templates.FlowKeys.Id, record.Written);
        }
    }

    private void SendTemplate(IpfixTemplate template)
    {
        Span<byte> bytes = stackalloc byte[IpfixMessage.MaximumRecord];
        var record = new RecordBuffer(bytes);
        template.Write(ref record);
        Append(template.SetId, record.Written);
    }

    private void SendStatistics(FlowTime now, in FlowSinkStatistics statistics, IReadOnlyList<FlowRecordRing> rings)
    {
        _now = now;
        _statisticsSent = now.Monotonic;
        Span<byte> bytes = stackalloc byte[IpfixMessage.MaximumRecord];
        var sent = new RecordBuffer(bytes);
        sent.Add32(_options.ObservationDomain);
        sent.Add64((ulong)statistics.Messages);
        sent.Add64((ulong)statistics.Records);
        sent.Add64((ulong)statistics.Octets);
        Append(_templates.Statistics.Id, sent.Written);

        // IANA, notSentFlowTotalCount: what the metering process has dropped counts as well, and that is what a full ring costs.
        (long records, long packets, long octets) = (statistics.Dropped, statistics.DroppedPackets, statistics.DroppedOctets);
        (long first, long last) = (statistics.FirstDrop, statistics.LastDrop);
        foreach (FlowRecordRing ring in rings)
        {
            FlowLosses losses = ring.Losses;
            records += losses.Records;
            packets += losses.Packets;
            octets += losses.Octets;
            first = first == 0 || (losses.First != 0 && losses.First < first) ? losses.First : first;
            last = Math.Max(last, losses.Last);
            SendMetering((uint)ring.Lcore, losses);
        }
        var lost = new RecordBuffer(bytes);
        lost.Add32((uint)Environment.ProcessId);
        lost.Add64((ulong)records);
        lost.Add64((ulong)packets);
        lost.Add64((ulong)octets);
        lost.Add64((ulong)(first / 1_000_000));
        lost.Add64((ulong)(last / 1_000_000));
        Append(_templates.Reliability.Id, lost.Written);
    }

    private void SendMetering(uint lcore, in FlowLosses losses)
    {
        Span<byte> bytes = stackalloc byte[IpfixMessage.MaximumRecord];
        var ignored = new RecordBuffer(bytes);
        ignored.Add32(_options.ObservationDomain);
        ignored.Add32(lcore);
        ignored.Add64((ulong)losses.IgnoredPackets);
        ignored.Add64((ulong)losses.IgnoredOctets);
        ignored.Add64((ulong)(losses.FirstIgnored / 1_000_000));
        ignored.Add64((ulong)(losses.LastIgnored / 1_000_000));
        Append(_templates.Metering.Id, ignored.Written);
    }

    private void Tell(FlowName? name, IpfixTemplate template, byte kind, ulong id)
    {
        if (name is null || (_told.TryGetValue((template.Id, kind, id), out FlowName? told) && told == name))
            return;
        _told[(template.Id, kind, id)] = name;
        Span<byte> bytes = stackalloc byte[IpfixMessage.MaximumRecord];
        var record = new RecordBuffer(bytes);
        if (template == _templates.TunnelNames)
        {
            record.Add8(kind);
            record.Add64(id);
            record.AddVariable(name.Name);
            record.AddVariable(name.User);
        }
        else
        {
            if (template == _templates.RuleNames)
                record.Add32((uint)id);
            else
                record.Add16((ushort)id);
            record.AddVariable(name.Name);
        }
        Append(template.Id, record.Written);
    }

    private void Append(ushort set, ReadOnlySpan<byte> record)
    {
        if (_message.IsEmpty)
            _messageStarted = _now.Monotonic;
        if (_message.TryAdd(set, record))
            return;
        Flush(_now);
        _messageStarted = _now.Monotonic;
        // Never false: IpfixMessage.MinimumSize has room for the longest record.
        _message.TryAdd(set, record);
    }
}
