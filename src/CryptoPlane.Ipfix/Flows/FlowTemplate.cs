using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Messages;
using CryptoPlane.Ipfix.Names;

namespace CryptoPlane.Ipfix.Flows;

/// <summary>A template of biflows (RFC 5103) with what each of its elements is filled from.</summary>
internal sealed class FlowTemplate
{
    /// <summary>RFC 5103 §6.3: biflowDirection, "initiator": the forward direction is that of who sent the first packet.</summary>
    private const byte DirectionByInitiator = 1;

    private readonly FlowField[] _fields;

    private FlowTemplate(ushort id, IReadOnlyList<(IpfixElement Element, FlowField Field)> fields)
    {
        _fields = [.. fields.Select(field => field.Field)];
        Template = new IpfixTemplate(id, 0, [.. fields.Select(field => field.Element)]);
    }

    /// <summary>The template for collectors.</summary>
    public IpfixTemplate Template { get; }

    /// <summary>RFC 7011 §4.4, IANA flowKeyIndicator: bit n is set when element n is a part of what flows are told apart by.</summary>
    public ulong Keys
    {
        get
        {
            ulong keys = 0;
            for (int i = 0; i < _fields.Length; i++)
            {
                bool isKey = _fields[i] is FlowField.Source or FlowField.Destination or FlowField.SourcePort or FlowField.DestinationPort
                    or FlowField.IcmpTypeAndCode or FlowField.Protocol;
                keys |= isKey ? 1ul << i : 0;
            }
            return keys;
        }
    }

    /// <summary>Makes one.</summary>
    /// <param name="id">Its number.</param>
    /// <param name="isIPv6">Whether addresses are IPv6.</param>
    /// <param name="isIcmp">Whether it has ICMP's type and code in the place of ports.</param>
    /// <param name="isStart">
    /// Whether its records only say that a session has begun: they have no counters, so that nobody adds anything up twice, and in the place
    /// of why a session has ended the event (IANA, firewallEvent). RFC 8158 logs the events of NAT sessions alike.
    /// </param>
    /// <param name="own">The elements that are not IANA's.</param>
    public static FlowTemplate Create(ushort id, bool isIPv6, bool isIcmp, bool isStart, FlowElements own)
    {
        List<(IpfixElement, FlowField)> fields =
        [
            (IanaElements.FlowStartMilliseconds, FlowField.StartMilliseconds),
            (IanaElements.FlowEndMilliseconds, FlowField.EndMilliseconds),
            (isIPv6 ? IanaElements.SourceIPv6Address : IanaElements.SourceIPv4Address, FlowField.Source),
            (isIPv6 ? IanaElements.DestinationIPv6Address : IanaElements.DestinationIPv4Address, FlowField.Destination),
            (IanaElements.ProtocolIdentifier, FlowField.Protocol),
            (IanaElements.IpDiffServCodePoint, FlowField.Dscp),
        ];
        if (!isStart)
        {
            fields.AddRange(
            [
                (IanaElements.OctetDeltaCount, FlowField.ForwardOctets),
                (IanaElements.PacketDeltaCount, FlowField.ForwardPackets),
                (IanaElements.OctetDeltaCount.Reverse(), FlowField.ReverseOctets),
                (IanaElements.PacketDeltaCount.Reverse(), FlowField.ReversePackets),
                (IanaElements.DroppedPacketDeltaCount, FlowField.ForwardDrops),
                (IanaElements.DroppedPacketDeltaCount.Reverse(), FlowField.ReverseDrops),
            ]);
        }
        if (isIcmp)
        {
            fields.Add((isIPv6 ? IanaElements.IcmpTypeCodeIPv6 : IanaElements.IcmpTypeCodeIPv4, FlowField.IcmpTypeAndCode));
        }
        else
        {
            fields.Add((IanaElements.SourceTransportPort, FlowField.SourcePort));
            fields.Add((IanaElements.DestinationTransportPort, FlowField.DestinationPort));
            // Collectors with a place for one direction's flags keep the last ones: those of who began the session.
            if (!isStart)
                fields.Add((IanaElements.TcpControlBits.Reverse(), FlowField.ReverseTcpFlags));
            fields.Add((IanaElements.TcpControlBits, FlowField.ForwardTcpFlags));
        }
        if (isStart)
        {
            fields.Add((IanaElements.FirewallEvent, FlowField.Event));
        }
        else
        {
            fields.Add((IanaElements.FlowEndReason, FlowField.EndReason));
            fields.Add((IanaElements.ForwardingStatus, FlowField.ForwardingStatus));
            fields.Add((own.DropReason, FlowField.DropReason));
        }
        fields.AddRange(
        [
            (IanaElements.BiflowDirection, FlowField.Direction),
            (IanaElements.FlowId, FlowField.FlowId),
            (IanaElements.MeteringProcessId, FlowField.Lcore),
            (own.IngressTunnelKind, FlowField.IngressKind),
            (own.IngressTunnelId, FlowField.IngressId),
            (own.EgressTunnelKind, FlowField.EgressKind),
            (own.EgressTunnelId, FlowField.EgressId),
            (own.RuleId, FlowField.RuleId),
            (own.TrafficClass, FlowField.TrafficClass),
            (IanaElements.UserName, FlowField.UserName),
        ]);
        return new FlowTemplate(id, fields);
    }

    /// <summary>Appends a record.</summary>
    public void Write(ref RecordBuffer to, in FlowRecord flow, in FlowRecordNames names)
    {
        foreach (FlowField field in _fields)
        {
            switch (field)
            {
                case FlowField.StartMilliseconds: to.Add64((ulong)(flow.Start / 1_000_000)); break;
                case FlowField.EndMilliseconds: to.Add64((ulong)(flow.End / 1_000_000)); break;
                case FlowField.Source: AddAddress(ref to, flow.Source, flow.IsIPv6); break;
                case FlowField.Destination: AddAddress(ref to, flow.Destination, flow.IsIPv6); break;
                case FlowField.SourcePort: to.Add16(flow.SourcePort); break;
                case FlowField.DestinationPort: to.Add16(flow.DestinationPort); break;
                // IANA, icmpTypeCodeIPv4: type * 256 + code.
                case FlowField.IcmpTypeAndCode: to.Add16((ushort)((flow.SourcePort << 8) | (flow.DestinationPort & 0xff))); break;
                case FlowField.Protocol: to.Add8(flow.Protocol); break;
                case FlowField.Dscp: to.Add8(flow.Dscp); break;
                case FlowField.ForwardOctets: to.Add64(flow.Forward.Octets); break;
                case FlowField.ForwardPackets: to.Add64(flow.Forward.Packets); break;
                case FlowField.ForwardDrops: to.Add64(flow.Forward.Drops); break;
                case FlowField.ForwardTcpFlags: to.Add16(flow.Forward.TcpFlags); break;
                case FlowField.ReverseOctets: to.Add64(flow.Reverse.Octets); break;
                case FlowField.ReversePackets: to.Add64(flow.Reverse.Packets); break;
                case FlowField.ReverseDrops: to.Add64(flow.Reverse.Drops); break;
                case FlowField.ReverseTcpFlags: to.Add16(flow.Reverse.TcpFlags); break;
                case FlowField.EndReason: to.Add8((byte)flow.EndReason); break;
                case FlowField.Event: to.Add8((byte)flow.Event); break;
                case FlowField.Direction: to.Add8(DirectionByInitiator); break;
                case FlowField.ForwardingStatus: to.Add8(names.ForwardingStatus); break;
                case FlowField.FlowId: to.Add64(flow.FlowId); break;
                case FlowField.Lcore: to.Add32(flow.Lcore); break;
                case FlowField.IngressKind: to.Add8((byte)flow.IngressKind); break;
                case FlowField.IngressId: to.Add64(flow.IngressId); break;
                case FlowField.EgressKind: to.Add8((byte)flow.EgressKind); break;
                case FlowField.EgressId: to.Add64(flow.EgressId); break;
                case FlowField.DropReason: to.Add16(flow.DropReason); break;
                case FlowField.RuleId: to.Add32(flow.RuleId); break;
                case FlowField.TrafficClass: to.Add8(flow.TrafficClass); break;
                default: to.AddVariable(names.User); break;
            }
        }
    }

    private static void AddAddress(ref RecordBuffer to, SessionAddress address, bool isIPv6)
    {
        if (isIPv6)
        {
            to.Add64(address.High);
            to.Add64(address.Low);
        }
        else
        {
            to.Add32((uint)address.Low);
        }
    }
}
