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
        Assert.Contains(lines, line => line.StartsWith("source-address", StringComparison.Ordinal) && line.EndsWith("lcore 0           9", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("replay", StringComparison.Ordinal) && line.Contains("esp dc1, lcore 0", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("0x01000001", StringComparison.Ordinal) && line.Contains("2001", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_drops_it_says_so()
    {
        StatusReport report = StatusSamples.Report() with { Lcores = [], Esp = [], Users = [] };
        Assert.Contains("no packet was dropped", StatusText.Write(report, report), StringComparison.Ordinal);
    }
}
