using VpnBroker.Status;
using VpnBroker.Tests.Control;

namespace VpnBroker.Tests.Status;

public class StatusTextTests
{
    [Fact]
    public void Tunnels_rates_drops_and_the_worst_pause_are_shown()
    {
        string text = StatusText.Write(StatusSamples.Report(), StatusSamples.Report(second: 2, factor: 3));
        string[] lines = text.Split('\n');
        Assert.Contains("1 sessions, 1 tunnels, 4 half-open connections, 5 refused, 6 refused cookies", text, StringComparison.Ordinal);
        Assert.Contains("worst GC pause 1.250 ms", text, StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("0      2    100%  users  30", StringComparison.Ordinal) && line.Contains("8.00M", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("alice", StringComparison.Ordinal) && line.Contains("1:02:05", StringComparison.Ordinal) && line.Contains("8.0k", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("source-address  lcore 0 ", StringComparison.Ordinal) && line.EndsWith(" 9", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("replay", StringComparison.Ordinal) && line.Contains("esp dc1, lcore 0", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("0x01000001", StringComparison.Ordinal) && line.Contains("2001", StringComparison.Ordinal));
        Assert.Contains("DPDK 22.11", lines);
        Assert.Contains("wan        net_tap0  net_tap  02:00:00:00:00:01  outside  up    10000  2       lcores", lines);
        Assert.Contains(lines, line => line.StartsWith("crypto_aesni_gcm0  crypto_aesni_gcm  stopped  0      100        50", StringComparison.Ordinal));
    }

    [Fact]
    public void Ports_are_shown_lcore_by_lcore_with_their_drops_and_their_own_counters()
    {
        string text = StatusText.Write(StatusSamples.Report(), StatusSamples.Report(second: 2, factor: 3));
        string[] lines = text.Split('\n');
        Assert.Contains("udp:192.0.2.1:4500  0      300         800.0k    300          800.0k     12", lines);
        Assert.Contains("udp:192.0.2.1:4500  1      600         1.60M     600          1.60M      0", lines);
        Assert.Contains(lines, line => line.StartsWith("queue-full", StringComparison.Ordinal) && line.Contains("udp:192.0.2.1:4500, lcore 0  12", StringComparison.Ordinal));
        // 30 + 60 calls, over all lcores; what is zero is not shown.
        Assert.Contains("receive-calls  udp:192.0.2.1:4500  90", lines);
        Assert.DoesNotContain("receive-errors", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_as_a_whole_has_no_lcore()
    {
        StatusReport report = StatusSamples.Report() with
        {
            Ports = [new PortReport(null, new TrafficReport("dpdk:net0", 1, 2, 3, 4), new Dictionary<string, ulong> { ["missed"] = 5 }, new Dictionary<string, ulong>())],
        };
        string[] lines = StatusText.Write(report, report).Split('\n');
        Assert.Contains(lines, line => line.StartsWith("dpdk:net0  -      1", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("missed", StringComparison.Ordinal) && line.Contains("dpdk:net0  ", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_drops_it_says_so()
    {
        StatusReport report = StatusSamples.Report() with { Lcores = [], Ports = [], Esp = [], Users = [] };
        Assert.Contains("no packet was dropped", StatusText.Write(report, report), StringComparison.Ordinal);
    }
}
