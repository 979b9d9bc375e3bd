using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Names;

namespace CryptoPlane.Ipfix.Sinks;

/// <summary>Puts a record into words: one JSON object (RFC 8259) and a line feed.</summary>
/// <remarks>
/// Numbers of 64 bits that are no amounts are strings, since many readers know only 53 bits of a number. What is unknown is left out.
/// </remarks>
internal sealed class JsonFlowLine : IDisposable
{
    private const byte Tcp = 6, Icmp = 1, IcmpV6 = 58;

    private static readonly byte[][] s_kinds = ["none"u8.ToArray(), "user"u8.ToArray(), "esp"u8.ToArray(), "tun"u8.ToArray(), "port"u8.ToArray(), "lcore"u8.ToArray()];

    private static readonly byte[][] s_reasons =
        ["none"u8.ToArray(), "idle"u8.ToArray(), "active"u8.ToArray(), "end"u8.ToArray(), "forced"u8.ToArray(), "lack-of-resources"u8.ToArray()];

    private readonly ArrayBufferWriter<byte> _bytes = new(4096);
    private readonly Utf8JsonWriter _json;

    public JsonFlowLine() => _json = new Utf8JsonWriter(_bytes);

    /// <summary>Writes a line.</summary>
    /// <returns>It, valid until the next one.</returns>
    public ReadOnlySpan<byte> Write(in FlowRecord flow, in FlowRecordNames names)
    {
        _bytes.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        WriteTime("start"u8, flow.Start);
        WriteTime("end"u8, flow.End);
        WriteAddress("source"u8, flow.Source, flow.IsIPv6);
        WriteAddress("destination"u8, flow.Destination, flow.IsIPv6);
        _json.WriteNumber("protocol"u8, (int)flow.Protocol);
        bool isIcmp = flow.Protocol == (flow.IsIPv6 ? IcmpV6 : Icmp);
        _json.WriteNumber(isIcmp ? "icmpType"u8 : "sourcePort"u8, (int)flow.SourcePort);
        _json.WriteNumber(isIcmp ? "icmpCode"u8 : "destinationPort"u8, (int)flow.DestinationPort);
        _json.WriteNumber("dscp"u8, (int)flow.Dscp);
        bool isStart = flow.Event != FlowEvent.None;
        if (!isStart)
        {
            WriteTraffic("forward"u8, flow.Forward, flow.Protocol == Tcp);
            WriteTraffic("reverse"u8, flow.Reverse, flow.Protocol == Tcp);
        }
        if (!names.User.IsEmpty)
            _json.WriteString("user"u8, names.User);
        WriteTunnel("ingress"u8, flow.IngressKind, flow.IngressId, names.Ingress);
        WriteTunnel("egress"u8, flow.EgressKind, flow.EgressId, names.Egress);
        _json.WriteNumber("rule"u8, flow.RuleId);
        if (names.Rule is not null)
            _json.WriteString("ruleName"u8, names.Rule.Name);
        _json.WriteNumber("trafficClass"u8, (int)flow.TrafficClass);
        if (flow.DropReason != 0)
            _json.WriteNumber("dropReason"u8, (int)flow.DropReason);
        if (names.DropReason is not null)
            _json.WriteString("dropReasonName"u8, names.DropReason.Name);
        WriteLong("flowId"u8, flow.FlowId);
        if (isStart)
            _json.WriteString("event"u8, flow.Event == FlowEvent.Denied ? "denied"u8 : "created"u8);
        else
            _json.WriteString("endReason"u8, s_reasons[Math.Min((int)flow.EndReason, s_reasons.Length - 1)]);
        _json.WriteNumber("lcore"u8, (int)flow.Lcore);
        _json.WriteEndObject();
        _json.Flush();
        _bytes.Write("\n"u8);
        return _bytes.WrittenSpan;
    }

    public void Dispose() => _json.Dispose();

    private void WriteTime(ReadOnlySpan<byte> key, long unix)
    {
        Span<byte> text = stackalloc byte[UtcText.Length];
        UtcText.Write(unix, text);
        _json.WriteString(key, text);
    }

    private void WriteAddress(ReadOnlySpan<byte> key, SessionAddress address, bool isIPv6)
    {
        Span<byte> text = stackalloc byte[64];
        int length = 0;
        if (isIPv6)
        {
            // The framework knows the canonical text (RFC 5952), for the price of an object.
            address.ToIPAddress().TryFormat(text, out length);
        }
        else
        {
            for (int shift = 24; shift >= 0; shift -= 8)
            {
                Utf8Formatter.TryFormat((byte)(address.Low >> shift), text[length..], out int written);
                length += written;
                if (shift != 0)
                    text[length++] = (byte)'.';
            }
        }
        _json.WriteString(key, text[..length]);
    }

    private void WriteTraffic(ReadOnlySpan<byte> key, in FlowTraffic traffic, bool isTcp)
    {
        _json.WriteStartObject(key);
        _json.WriteNumber("packets"u8, traffic.Packets);
        _json.WriteNumber("octets"u8, traffic.Octets);
        if (traffic.Drops != 0)
            _json.WriteNumber("drops"u8, traffic.Drops);
        if (isTcp)
            WriteFlags(traffic.TcpFlags);
        _json.WriteEndObject();
    }

    /// <summary>The letters that packet tools use, from NS to FIN; empty for none.</summary>
    private void WriteFlags(ushort flags)
    {
        ReadOnlySpan<byte> letters = "NCEUAPRSF"u8;
        Span<byte> text = stackalloc byte[letters.Length];
        int length = 0;
        for (int i = 0; i < letters.Length; i++)
        {
            if ((flags & (1 << (letters.Length - 1 - i))) != 0)
                text[length++] = letters[i];
        }
        _json.WriteString("tcpFlags"u8, text[..length]);
    }

    private void WriteTunnel(ReadOnlySpan<byte> key, FlowTunnelKind kind, ulong id, FlowName? name)
    {
        if (kind == FlowTunnelKind.None)
            return;
        _json.WriteStartObject(key);
        _json.WriteString("kind"u8, s_kinds[Math.Min((int)kind, s_kinds.Length - 1)]);
        WriteLong("id"u8, id);
        if (name is { Name.Length: > 0 })
            _json.WriteString("name"u8, name.Name);
        if (name is { User.Length: > 0 })
            _json.WriteString("user"u8, name.User);
        _json.WriteEndObject();
    }

    private void WriteLong(ReadOnlySpan<byte> key, ulong value)
    {
        Span<byte> text = stackalloc byte[20];
        Utf8Formatter.TryFormat(value, text, out int length);
        _json.WriteString(key, text[..length]);
    }
}
