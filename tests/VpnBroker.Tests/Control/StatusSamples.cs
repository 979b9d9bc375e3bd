using VpnBroker.Monitoring;
using VpnBroker.Status;

namespace VpnBroker.Tests.Control;

/// <summary>Reports for tests.</summary>
internal static class StatusSamples
{
    public static StatusReport Report(int sessions = 1, double second = 0, ulong factor = 1) => new()
    {
        Time = new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero).AddSeconds(second),
        ProcessId = 42,
        UptimeSeconds = 100 + second,
        Sessions = sessions,
        HalfOpen = 4,
        RefusedConnections = 5,
        RefusedCookies = 6,
        Gc = new GcReport(7, 1.25, 0.5, 3 << 20),
        Lcores = [new LcoreReport(0, 2, 1, 1_000_000_000 * factor, 1_000_000_000, [new TrafficReport("users", 10 * factor, 1_000_000 * factor, 20, 500)],
            new Dictionary<string, ulong> { ["source-address"] = 9 })],
        Ports =
        [
            Port(0, 100 * factor, new Dictionary<string, ulong> { ["queue-full"] = 12 }),
            Port(1, 200 * factor, new Dictionary<string, ulong>()),
        ],
        Esp = [new EspReport("dc1", 0, "0x01000001", "0x0000012c", 77, 2001, new TrafficReport("esp", 1, 2, 3, 4), new Dictionary<string, ulong> { ["replay"] = 8 })],
        Dpdk = new DpdkReport("DPDK 22.11", [new CryptoDeviceReport("crypto_aesni_gcm0", "crypto_aesni_gcm", "stopped", [new CryptoQueueReport(0, 100, 50, 3, 2, 1)])],
            [new EthernetPortReport("wan", "net_tap0", "net_tap", "02:00:00:00:00:01", "outside", "up", 10000, 2, false)]),
        Users = [new SessionReport(1, "alice", "staff", "192.0.2.1:99", "10.77.0.2", null, 0, true, 3725, new TrafficReport("users", 10, 1000 * factor, 20, 2000), 3, 11)],
    };

    /// <summary>A report two seconds after another, in which counters have grown threefold.</summary>
    public static StatusReport WithRates()
    {
        StatusReport before = Report(), now = Report(second: 2, factor: 3);
        var users = new UserRates();
        users.Take(before);
        return RateCalculator.Between(before, now) with { Users = users.Apply(now) };
    }

    private static PortReport Port(int lcore, ulong packets, Dictionary<string, ulong> drops) => new(
        lcore, new TrafficReport("udp:192.0.2.1:4500", packets, 1000 * packets, packets, 1000 * packets), drops,
        new Dictionary<string, ulong> { ["receive-calls"] = packets / 10, ["receive-errors"] = 0 });
}
