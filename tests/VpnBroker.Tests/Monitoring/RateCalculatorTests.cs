using VpnBroker.Monitoring;
using VpnBroker.Status;
using VpnBroker.Tests.Control;

namespace VpnBroker.Tests.Monitoring;

public class RateCalculatorTests
{
    [Fact]
    public void Rates_are_the_increase_over_the_time_between()
    {
        StatusReport report = StatusSamples.WithRates();
        Assert.Equal(2, report.RateSeconds);
        LcoreReport lcore = Assert.Single(report.Lcores);
        // 10 packets became 30, a million bytes three, in two seconds; what did not grow has the rate 0.
        Assert.Equal(new TrafficRate(10, 8_000_000, 0, 0), lcore.Traffic[0].Rate);
        // Two more seconds of work, none of idleness.
        Assert.Equal(1, lcore.Busy);
        Assert.Equal(0, lcore.DropRates!["source-address"]);
        Assert.Equal(new TrafficRate(200, 1_600_000, 200, 1_600_000), report.Ports[1].Traffic.Rate);
        Assert.Equal(new TrafficRate(0, 8000, 0, 0), Assert.Single(report.Users).Traffic.Rate);
    }

    [Fact]
    public void Readings_too_close_to_one_another_give_no_rates()
    {
        StatusReport now = StatusSamples.Report(second: 0.1);
        Assert.Same(now, RateCalculator.Between(StatusSamples.Report(), now));
    }

    [Fact]
    public void What_is_new_or_began_again_has_counted_from_zero()
    {
        StatusReport now = StatusSamples.Report(second: 1);
        StatusReport before = StatusSamples.Report(factor: 5) with { Ports = [] };
        StatusReport rates = RateCalculator.Between(before, now);
        Assert.Equal(new TrafficRate(10, 8_000_000, 0, 0), rates.Lcores[0].Traffic[0].Rate);
        Assert.Equal(100, rates.Ports[0].Traffic.Rate!.Value.ReceivedPackets);
        Assert.Equal(12, rates.Ports[0].DropRates!["queue-full"]);
    }

    [Fact]
    public void A_point_for_charts_sums_up_lcores_and_ports_but_counts_a_device_once()
    {
        StatusReport report = StatusSamples.WithRates();
        RatePoint point = RatePoint.Of(report)!;
        Assert.Equal(new TrafficRate(300, 2_400_000, 300, 2_400_000), point.Ports["udp:192.0.2.1:4500"]);
        Assert.Equal(8_000_000, point.Inner["users"].ReceivedBits);
        Assert.Equal([1.0], point.Busy);
        PortReport whole = report.Ports[0] with { Lcore = null };
        Assert.Equal(100, RatePoint.Of(report with { Ports = [whole, .. report.Ports] })!.Ports["udp:192.0.2.1:4500"].ReceivedPackets);
        Assert.Null(RatePoint.Of(StatusSamples.Report()));
    }
}
