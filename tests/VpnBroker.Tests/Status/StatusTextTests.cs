using CryptoPlane.Ike;
using VpnBroker.Status;
using VpnBroker.Tests.Control;

namespace VpnBroker.Tests.Status;

public class StatusTextTests
{
    [Fact]
    public void Tunnels_rates_drops_and_the_worst_pause_are_shown()
    {
        string text = StatusText.Write(StatusSamples.WithRates());
        string[] lines = text.Split('\n');
        Assert.Contains("1 sessions, 1 tunnels, 4 half-open connections, 5 refused, 6 refused cookies", text, StringComparison.Ordinal);
        Assert.Contains("worst GC pause 1.250 ms", text, StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("0      2    100%  users  30", StringComparison.Ordinal) && line.Contains("8.00M", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("alice", StringComparison.Ordinal) && line.Contains("1:02:05", StringComparison.Ordinal) && line.Contains("8.0k", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("source-address  lcore 0 ", StringComparison.Ordinal) && line.EndsWith(" 9        0", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("replay", StringComparison.Ordinal) && line.Contains("esp dc1, lcore 0", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("0x01000001", StringComparison.Ordinal) && line.Contains("2001", StringComparison.Ordinal));
        Assert.Contains("DPDK 22.11", lines);
        Assert.Contains("wan        net_tap0  net_tap  02:00:00:00:00:01  outside  up    10000  2       lcores", lines);
        Assert.Contains(lines, line => line.StartsWith("crypto_aesni_gcm0  crypto_aesni_gcm  stopped  0      100        50", StringComparison.Ordinal));
    }

    [Fact]
    public void Ports_are_shown_lcore_by_lcore_with_their_drops_and_their_own_counters()
    {
        string text = StatusText.Write(StatusSamples.WithRates());
        string[] lines = text.Split('\n');
        Assert.Contains("udp:192.0.2.1:4500  0      300         100          800.0k    300          100           800.0k     12", lines);
        Assert.Contains("udp:192.0.2.1:4500  1      600         200          1.60M     600          200           1.60M      0", lines);
        Assert.Contains(lines, line => line.StartsWith("queue-full", StringComparison.Ordinal) && line.Contains("udp:192.0.2.1:4500, lcore 0  12", StringComparison.Ordinal));
        // 30 + 60 calls, over all lcores; what is zero is not shown.
        Assert.Contains("receive-calls  udp:192.0.2.1:4500  90", lines);
        Assert.DoesNotContain("receive-errors", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Peers_that_share_prefixes_are_shown_with_weight_and_part()
    {
        StatusReport report = StatusSamples.WithRates() with
        {
            PeerShares = [new("dc1/net", 3, 0.7461, ["10.40.0.0/16", "fd00:40::/64"]), new("dc2/net", 1, 0.2539, ["10.40.0.0/16", "fd00:40::/64"])],
        };
        string[] lines = StatusText.Write(report).Split('\n');
        Assert.Contains("dc1/net    3       74.6%         10.40.0.0/16 fd00:40::/64", lines);
        Assert.Contains("dc2/net    1       25.4%         10.40.0.0/16 fd00:40::/64", lines);
    }

    [Fact]
    public void Without_an_earlier_reading_there_are_no_rates()
    {
        string[] lines = StatusText.Write(StatusSamples.Report()).Split('\n');
        Assert.Contains("udp:192.0.2.1:4500  0      100         -            -         100          -             -          12", lines);
        Assert.Contains(lines, line => line.StartsWith("0      2    -     users  10          -            - ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_device_as_a_whole_has_no_lcore()
    {
        StatusReport report = StatusSamples.Report() with
        {
            Ports = [new PortReport(null, new TrafficReport("dpdk:net0", 1, 2, 3, 4), new Dictionary<string, ulong> { ["missed"] = 5 }, new Dictionary<string, ulong>())],
        };
        string[] lines = StatusText.Write(report).Split('\n');
        Assert.Contains(lines, line => line.StartsWith("dpdk:net0  -      1", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("missed", StringComparison.Ordinal) && line.Contains("dpdk:net0  ", StringComparison.Ordinal));
    }

    [Fact]
    public void What_became_of_IKE_requests_is_shown_in_a_line()
    {
        var gate = new IkeGateReport
        {
            HalfOpen = 3, Accepted = 12, AcceptedWithCookie = 0, Repeated = 4, CookiesDemanded = 9000, CookiesRefused = 0, Malformed = 0, TooManyHalfOpen = 0,
            TooManyFromAddress = 0, TooFast = 7, VersionsRefused = 0, Expired = 0,
        };
        string[] lines = StatusText.Write(StatusSamples.Report() with { IkeRequests = gate }).Split('\n');
        Assert.Contains("IKE requests: 3 half open, 12 accepted, 4 repeated, 9000 asked for a cookie, 7 refused: too fast", lines);
    }

    [Fact]
    public void Without_drops_it_says_so()
    {
        StatusReport report = StatusSamples.Report() with { Lcores = [], Ports = [], Esp = [], Users = [] };
        Assert.Contains("no packet was dropped", StatusText.Write(report), StringComparison.Ordinal);
    }
}
