using System.Text.Json;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Names;
using CryptoPlane.Ipfix.Sinks;
using static CryptoPlane.Ipfix.Tests.SampleFlows;

namespace CryptoPlane.Ipfix.Tests.Sinks;

/// <summary>JSON lines.</summary>
public class JsonFlowLineTests
{
    [Fact]
    public void A_line_has_everything()
    {
        JsonElement line = Write(Tcp(), new FlowNameCache(new SampleNames()).Find(Tcp(), 0));
        Assert.Equal("2026-11-21T18:00:00.001500000Z", line.GetProperty("start").GetString());
        Assert.Equal("2026-11-21T18:00:02.500000000Z", line.GetProperty("end").GetString());
        Assert.Equal(("10.77.0.0", "10.20.0.1"), (line.GetProperty("source").GetString(), line.GetProperty("destination").GetString()));
        Assert.Equal((40_000, 443), (line.GetProperty("sourcePort").GetInt32(), line.GetProperty("destinationPort").GetInt32()));
        Assert.Equal("""{"packets":11,"octets":1100,"drops":1,"tcpFlags":"APSF"}""", line.GetProperty("forward").GetRawText());
        Assert.Equal("zoë", line.GetProperty("user").GetString());
        Assert.Equal(("user", "42", "zoë"), (Of("ingress", "kind"), Of("ingress", "id"), Of("ingress", "user")));
        Assert.Equal(("esp", "1", "dc2"), (Of("egress", "kind"), Of("egress", "id"), Of("egress", "name")));
        Assert.Equal((5u, "staff to servers"), (line.GetProperty("rule").GetUInt32(), line.GetProperty("ruleName").GetString()));
        Assert.Equal((17, "slow-reader"), (line.GetProperty("dropReason").GetInt32(), line.GetProperty("dropReasonName").GetString()));
        Assert.Equal((Tcp().FlowId.ToString(), "end"), (line.GetProperty("flowId").GetString(), line.GetProperty("endReason").GetString()));

        string? Of(string part, string key) => line.GetProperty(part).GetProperty(key).GetString();
    }

    [Fact]
    public void A_start_has_the_event_and_no_counts()
    {
        JsonElement line = Write(StartOf(Tcp()), new FlowNameCache(new SampleNames()).Find(Tcp(), 0));
        Assert.Equal(("created", "zoë"), (line.GetProperty("event").GetString(), line.GetProperty("user").GetString()));
        foreach (string key in (string[])["forward", "reverse", "endReason"])
            Assert.False(line.TryGetProperty(key, out _), key);
        Assert.Equal("denied", Write(StartOf(DeniedUdp6()), default).GetProperty("event").GetString());
    }

    [Fact]
    public void Icmp_has_a_type_and_ipv6_its_canonical_text()
    {
        JsonElement line = Write(Ping6(), default);
        Assert.Equal("fd00:77::1", line.GetProperty("source").GetString());
        Assert.Equal(128, line.GetProperty("icmpType").GetInt32());
        Assert.False(line.TryGetProperty("user", out _));
        Assert.False(line.GetProperty("forward").TryGetProperty("tcpFlags", out _));
    }

    [Theory]
    [InlineData("quote\" backslash\\ line\n feed\r tab\t nul\0 del\x7f")]
    [InlineData("</script> \u2028 😀")]
    public void Any_name_stays_on_its_line_and_comes_back(string name)
    {
        using var json = new JsonFlowLine();
        ReadOnlySpan<byte> line = json.Write(Tcp(), new FlowRecordNames(new FlowName(name, name), null, null, null, 64));
        Assert.Equal(line.Length - 1, line.IndexOf((byte)'\n'));
        Assert.Equal(name, JsonDocument.Parse(line.ToArray()).RootElement.GetProperty("user").GetString());
    }

    [Fact]
    public void Numbers_at_their_limits_are_written()
    {
        var all = new FlowTraffic { Packets = ulong.MaxValue, Octets = ulong.MaxValue, Drops = ulong.MaxValue, TcpFlags = ushort.MaxValue };
        FlowRecord flow = Tcp() with
        {
            Start = long.MaxValue, End = long.MinValue, Forward = all, Reverse = all, FlowId = ulong.MaxValue, IngressKind = (FlowTunnelKind)255,
            EndReason = (FlowEndReason)255, Protocol = 6, IsIPv6 = true, Source = new SessionAddress(ulong.MaxValue, ulong.MaxValue),
        };
        JsonElement line = Write(flow, default);
        Assert.Equal(ulong.MaxValue, line.GetProperty("forward").GetProperty("octets").GetUInt64());
        Assert.Equal("2262-04-11T23:47:16.854775807Z", line.GetProperty("start").GetString());
        Assert.Equal("1970-01-01T00:00:00.000000000Z", line.GetProperty("end").GetString());
    }

    private static JsonElement Write(in FlowRecord flow, in FlowRecordNames names)
    {
        using var json = new JsonFlowLine();
        return JsonDocument.Parse(json.Write(flow, names).ToArray()).RootElement;
    }
}
