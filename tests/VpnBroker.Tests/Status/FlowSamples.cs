using VpnBroker.Status;

namespace VpnBroker.Tests.Status;

/// <summary>A report of sessions.</summary>
internal static class FlowSamples
{
    public static FlowsReport Report() => new(DateTimeOffset.UnixEpoch, Tracked: 10, Maximum: 100, Matching: 3, Seconds: 1.001,
    [
        new FlowReport(1, 0, "tcp", "established", new FlowEndReport("10.77.0.9", 51514, "alice"), new FlowEndReport("10.20.0.4", 443, "tun"),
            new FlowDirectionReport(10, 2048, 0, 8000), new FlowDirectionReport(9, 3 << 20, 2, 1_000_000), 65, 0.2, 3, 0, 0, "slow-reader", false),
        new FlowReport(2, 1, "udp", "new", new FlowEndReport("fd00::9", 53, "dc1"), new FlowEndReport("fd00::10", 5353, "alice"),
            new FlowDirectionReport(1, 60, 0, 0), new FlowDirectionReport(0, 0, 0, 0), 3661, 59.9, null, 0, 46, null, false),
    ]);
}
