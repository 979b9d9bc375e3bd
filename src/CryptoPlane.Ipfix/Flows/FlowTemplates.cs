using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Messages;

namespace CryptoPlane.Ipfix.Flows;

/// <summary>
/// All templates of an exporter: four of flows, four of their beginnings where those are told, and those of what is told about them.
/// </summary>
internal sealed class FlowTemplates
{
    private const byte Icmp = 1, IcmpV6 = 58;

    private const ushort FirstFlow = 256, FirstStart = 268;

    /// <summary>Where a family's and a kind's template is among four.</summary>
    private const int IsIcmp = 1, IsIPv6 = 2;

    private readonly FlowTemplate[] _flows;
    private readonly FlowTemplate[] _starts;

    /// <summary>Makes them.</summary>
    /// <param name="enterprise">The private enterprise number of the elements that are not IANA's.</param>
    /// <param name="hasStarts">Whether beginnings of flows are told.</param>
    public FlowTemplates(uint enterprise, bool hasStarts)
    {
        Own = new FlowElements(enterprise);
        _flows = Four(FirstFlow, isStart: false, Own);
        _starts = Four(FirstStart, isStart: true, Own);
        Flows = hasStarts ? [.. _flows, .. _starts] : _flows;
        TunnelNames = new IpfixTemplate(260, 2, [Own.TunnelKind, Own.TunnelId, IanaElements.InterfaceName, IanaElements.UserName]);
        RuleNames = new IpfixTemplate(261, 1, [Own.RuleId, Own.RuleName]);
        DropReasonNames = new IpfixTemplate(262, 1, [Own.DropReason, Own.DropReasonName]);
        Others =
        [
            .. Flows.Select(flow => flow.Template), TunnelNames, RuleNames, DropReasonNames, Statistics, Reliability, Metering, FlowKeys,
        ];
    }

    /// <summary>The elements that are not IANA's.</summary>
    public FlowElements Own { get; }

    /// <summary>The templates of flows.</summary>
    public IReadOnlyList<FlowTemplate> Flows { get; }

    /// <summary>Every template but <see cref="ElementTypes"/>, which is sent before them.</summary>
    public IReadOnlyList<IpfixTemplate> Others { get; }

    /// <summary>A tunnel's name and user.</summary>
    public IpfixTemplate TunnelNames { get; }

    /// <summary>A rule's name.</summary>
    public IpfixTemplate RuleNames { get; }

    /// <summary>The name of a reason for dropping.</summary>
    public IpfixTemplate DropReasonNames { get; }

    /// <summary>RFC 7011 §4.1: what was exported so far.</summary>
    public IpfixTemplate Statistics { get; } = new(263, 1,
    [
        IanaElements.ObservationDomainId, IanaElements.ExportedMessageTotalCount, IanaElements.ExportedFlowRecordTotalCount,
        IanaElements.ExportedOctetTotalCount,
    ]);

    /// <summary>RFC 7011 §4.3: what could not be exported, and when the first and the last of it was.</summary>
    public IpfixTemplate Reliability { get; } = new(264, 1,
    [
        IanaElements.ExportingProcessId, IanaElements.NotSentFlowTotalCount, IanaElements.NotSentPacketTotalCount,
        IanaElements.NotSentOctetTotalCount, IanaElements.ObservationTimeMilliseconds, IanaElements.ObservationTimeMilliseconds,
    ]);

    /// <summary>RFC 7011 §4.2: packets that an lcore put into no flow, and when the first and the last of them came.</summary>
    public IpfixTemplate Metering { get; } = new(267, 2,
    [
        IanaElements.ObservationDomainId, IanaElements.MeteringProcessId, IanaElements.IgnoredPacketTotalCount,
        IanaElements.IgnoredOctetTotalCount, IanaElements.ObservationTimeMilliseconds, IanaElements.ObservationTimeMilliseconds,
    ]);

    /// <summary>RFC 5610 §3.9: the types of the elements that are not IANA's.</summary>
    public IpfixTemplate ElementTypes { get; } = new(265, 2,
    [
        IanaElements.PrivateEnterpriseNumber, IanaElements.InformationElementId, IanaElements.InformationElementDataType,
        IanaElements.InformationElementSemantics, IanaElements.InformationElementUnits, IanaElements.InformationElementRangeBegin,
        IanaElements.InformationElementRangeEnd, IanaElements.InformationElementName, IanaElements.InformationElementDescription,
    ]);

    /// <summary>RFC 7011 §4.4: by which of a template's elements flows are told apart.</summary>
    public IpfixTemplate FlowKeys { get; } = new(266, 1, [IanaElements.TemplateId, IanaElements.FlowKeyIndicator]);

    /// <summary>The template for a flow, or for the beginning of one.</summary>
    public FlowTemplate For(in FlowRecord flow)
    {
        int place = (flow.IsIPv6 ? IsIPv6 : 0) | (flow.Protocol == (flow.IsIPv6 ? IcmpV6 : Icmp) ? IsIcmp : 0);
        return (flow.Event == FlowEvent.None ? _flows : _starts)[place];
    }

    private static FlowTemplate[] Four(ushort first, bool isStart, FlowElements own) =>
    [
        .. Enumerable.Range(0, 4).Select(
            place => FlowTemplate.Create((ushort)(first + place), (place & IsIPv6) != 0, (place & IsIcmp) != 0, isStart, own)),
    ];
}
