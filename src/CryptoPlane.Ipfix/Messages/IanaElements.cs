using static CryptoPlane.Ipfix.Messages.IpfixSemantics;
using static CryptoPlane.Ipfix.Messages.IpfixType;

namespace CryptoPlane.Ipfix.Messages;

/// <summary>The elements of IANA's registry "IPFIX Information Elements" that are used here.</summary>
internal static class IanaElements
{
    public static readonly IpfixElement OctetDeltaCount = new(0, 1, Unsigned64, DeltaCounter, "octetDeltaCount");
    public static readonly IpfixElement PacketDeltaCount = new(0, 2, Unsigned64, DeltaCounter, "packetDeltaCount");
    public static readonly IpfixElement ProtocolIdentifier = new(0, 4, Unsigned8, Identifier, "protocolIdentifier");
    public static readonly IpfixElement TcpControlBits = new(0, 6, Unsigned16, Flags, "tcpControlBits");
    public static readonly IpfixElement SourceTransportPort = new(0, 7, Unsigned16, Identifier, "sourceTransportPort");
    public static readonly IpfixElement SourceIPv4Address = new(0, 8, IPv4Address, Default, "sourceIPv4Address");
    public static readonly IpfixElement DestinationTransportPort = new(0, 11, Unsigned16, Identifier, "destinationTransportPort");
    public static readonly IpfixElement DestinationIPv4Address = new(0, 12, IPv4Address, Default, "destinationIPv4Address");
    public static readonly IpfixElement SourceIPv6Address = new(0, 27, IPv6Address, Default, "sourceIPv6Address");
    public static readonly IpfixElement DestinationIPv6Address = new(0, 28, IPv6Address, Default, "destinationIPv6Address");
    public static readonly IpfixElement IcmpTypeCodeIPv4 = new(0, 32, Unsigned16, Identifier, "icmpTypeCodeIPv4");
    public static readonly IpfixElement ExportedOctetTotalCount = new(0, 40, Unsigned64, TotalCounter, "exportedOctetTotalCount");
    public static readonly IpfixElement ExportedMessageTotalCount = new(0, 41, Unsigned64, TotalCounter, "exportedMessageTotalCount");
    public static readonly IpfixElement ExportedFlowRecordTotalCount = new(0, 42, Unsigned64, TotalCounter, "exportedFlowRecordTotalCount");
    public static readonly IpfixElement InterfaceName = new(0, 82, IpfixType.String, Default, "interfaceName");
    public static readonly IpfixElement ForwardingStatus = new(0, 89, Unsigned8, Identifier, "forwardingStatus");
    public static readonly IpfixElement DroppedPacketDeltaCount = new(0, 133, Unsigned64, DeltaCounter, "droppedPacketDeltaCount");
    public static readonly IpfixElement FlowEndReason = new(0, 136, Unsigned8, Identifier, "flowEndReason");
    public static readonly IpfixElement IcmpTypeCodeIPv6 = new(0, 139, Unsigned16, Identifier, "icmpTypeCodeIPv6");
    public static readonly IpfixElement MeteringProcessId = new(0, 143, Unsigned32, Identifier, "meteringProcessId");
    public static readonly IpfixElement ExportingProcessId = new(0, 144, Unsigned32, Identifier, "exportingProcessId");
    public static readonly IpfixElement TemplateId = new(0, 145, Unsigned16, Identifier, "templateId");
    public static readonly IpfixElement FlowId = new(0, 148, Unsigned64, Identifier, "flowId");
    public static readonly IpfixElement ObservationDomainId = new(0, 149, Unsigned32, Identifier, "observationDomainId");
    public static readonly IpfixElement FlowStartMilliseconds = new(0, 152, DateTimeMilliseconds, Default, "flowStartMilliseconds");
    public static readonly IpfixElement FlowEndMilliseconds = new(0, 153, DateTimeMilliseconds, Default, "flowEndMilliseconds");
    public static readonly IpfixElement IgnoredPacketTotalCount = new(0, 164, Unsigned64, TotalCounter, "ignoredPacketTotalCount");
    public static readonly IpfixElement IgnoredOctetTotalCount = new(0, 165, Unsigned64, TotalCounter, "ignoredOctetTotalCount");
    public static readonly IpfixElement NotSentFlowTotalCount = new(0, 166, Unsigned64, TotalCounter, "notSentFlowTotalCount");
    public static readonly IpfixElement NotSentPacketTotalCount = new(0, 167, Unsigned64, TotalCounter, "notSentPacketTotalCount");
    public static readonly IpfixElement NotSentOctetTotalCount = new(0, 168, Unsigned64, TotalCounter, "notSentOctetTotalCount");
    public static readonly IpfixElement FlowKeyIndicator = new(0, 173, Unsigned64, Flags, "flowKeyIndicator");
    public static readonly IpfixElement IpDiffServCodePoint = new(0, 195, Unsigned8, Identifier, "ipDiffServCodePoint");
    public static readonly IpfixElement FirewallEvent = new(0, 233, Unsigned8, Default, "firewallEvent");
    public static readonly IpfixElement BiflowDirection = new(0, 239, Unsigned8, Identifier, "biflowDirection");
    public static readonly IpfixElement InformationElementId = new(0, 303, Unsigned16, Identifier, "informationElementId");
    public static readonly IpfixElement ObservationTimeMilliseconds = new(0, 323, DateTimeMilliseconds, Default, "observationTimeMilliseconds");
    public static readonly IpfixElement InformationElementDataType = new(0, 339, Unsigned8, Default, "informationElementDataType");
    public static readonly IpfixElement InformationElementDescription = new(0, 340, IpfixType.String, Default, "informationElementDescription");
    public static readonly IpfixElement InformationElementName = new(0, 341, IpfixType.String, Default, "informationElementName");
    public static readonly IpfixElement InformationElementRangeBegin = new(0, 342, Unsigned64, Quantity, "informationElementRangeBegin");
    public static readonly IpfixElement InformationElementRangeEnd = new(0, 343, Unsigned64, Quantity, "informationElementRangeEnd");
    public static readonly IpfixElement InformationElementSemantics = new(0, 344, Unsigned8, Default, "informationElementSemantics");
    public static readonly IpfixElement InformationElementUnits = new(0, 345, Unsigned16, Default, "informationElementUnits");
    public static readonly IpfixElement PrivateEnterpriseNumber = new(0, 346, Unsigned32, Identifier, "privateEnterpriseNumber");
    public static readonly IpfixElement UserName = new(0, 371, IpfixType.String, Default, "userName");
}
