using System.Net;
using VpnBroker.Capture;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Tests.Capture;

/// <summary>What of a request is done, and what is refused.</summary>
public sealed class CapturePlannerTests
{
    private static readonly CapturePoint[] s_points =
    [
        new(CapturePoint.Inner, "inner", [0, 1]) { ShowsUsersTraffic = true },
        new(CapturePoint.Dropped, "dropped", [0, 1]) { ShowsUsersTraffic = true },
        new(2, "tun:broker0", [0, 1]) { ShowsUsersTraffic = true },
        new(3, "udp:192.0.2.1:4500", [0, 1]),
        new(4, "esp:192.0.2.1", [1]),
    ];

    [Theory]
    [InlineData("udp:192.0.2.1:4500", false, false, false, false, "3")]
    [InlineData("udp:192.0.2.1:4500,esp:192.0.2.1", false, false, false, false, "3 4")]
    [InlineData(null, false, true, false, false, "3 4")]
    [InlineData(null, false, true, true, false, "3 4")]
    [InlineData(null, false, true, false, true, "3 4")]
    [InlineData(null, false, true, true, true, "0 1 2 3 4")]
    [InlineData(null, true, false, true, true, "0 1")]
    [InlineData("esp:192.0.2.1", true, false, true, true, "0 1 4")]
    [InlineData("tun:broker0", false, false, true, true, "2")]
    [InlineData(null, true, false, false, false, null)]
    [InlineData(null, true, false, true, false, null)]
    [InlineData(null, true, false, false, true, null)]
    [InlineData(null, true, true, true, false, null)]
    [InlineData("tun:broker0", false, false, false, true, null)]
    [InlineData("tun:broker0", false, true, true, false, null)]
    [InlineData("udp:192.0.2.1:4500,tun:broker0", false, false, true, false, null)]
    public void Users_traffic_needs_the_configuration_and_the_operators_word(string? ports, bool inner, bool all, bool allowed, bool acknowledged, string? points)
    {
        var request = new CaptureRequest(Ports: ports?.Split(','), Inner: inner, All: all, Acknowledged: acknowledged);
        if (points is null)
        {
            Assert.Contains(allowed ? CapturePlanner.AcknowledgeOption : "configuration does not allow", RefusalOf(request, allowed), StringComparison.Ordinal);
            return;
        }
        CheckedCapture plan = CapturePlanner.Check(request, s_points, allowed, _ => []);
        Assert.Equal(points, string.Join(' ', plan.Plan.Points));
        Assert.Equal(plan.Plan.Points.Any(point => point < 3), plan.ShowsUsersTraffic);
        Assert.Equal(all ? 5 - plan.Points.Count : 0, plan.LeftOut.Count);
    }

    [Fact]
    public void One_lcore_can_be_chosen()
    {
        var request = new CaptureRequest(All: true, Lcore: 0);
        CheckedCapture plan = CapturePlanner.Check(request, s_points, false, _ => []);
        Assert.Equal([3], plan.Plan.Points);
        Assert.Equal([0], plan.Plan.Lcores);
        Assert.Equal([0, 1], CapturePlanner.Check(request with { Lcore = null }, s_points, false, _ => []).Plan.Lcores);
        Assert.Contains("there is no lcore 2", RefusalOf(request with { Lcore = 2 }), StringComparison.Ordinal);
        Assert.Contains("nothing to be captured on lcore 0", RefusalOf(new CaptureRequest(Ports: ["esp:192.0.2.1"], Lcore: 0)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_exist_is_refused_in_words_that_do_no_harm()
    {
        Assert.Contains("say what to capture", RefusalOf(new CaptureRequest()), StringComparison.Ordinal);
        Assert.Contains("there are tun:broker0, udp:192.0.2.1:4500, esp:192.0.2.1", RefusalOf(new CaptureRequest(Ports: ["eth0"])), StringComparison.Ordinal);
        // A point inside the pipeline is no port, and terminal sequences stay out of the log.
        Assert.Contains("there is no port inner", RefusalOf(new CaptureRequest(Ports: ["inner"]), true), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', RefusalOf(new CaptureRequest(Ports: ["\u001b[2J\n"])));
        Assert.Contains("control characters", RefusalOf(new CaptureRequest(All: true, Filter: "port 1\n")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("packets", 0)]
    [InlineData("packets", 10_000_001)]
    [InlineData("seconds", 0)]
    [InlineData("seconds", 3601)]
    [InlineData("bytes", -1)]
    [InlineData("bytes", (4L << 30) + 1)]
    [InlineData("snap", 0)]
    [InlineData("snap", 65_536)]
    [InlineData("sample", 0)]
    [InlineData("sample", 1_000_001)]
    public void Everything_is_bounded(string option, long value)
    {
        var request = new CaptureRequest(All: true);
        request = option switch
        {
            "packets" => request with { Packets = value },
            "seconds" => request with { Seconds = (int)value },
            "bytes" => request with { Bytes = value },
            "snap" => request with { Snap = (int)value },
            _ => request with { Sample = (int)value },
        };
        Assert.Contains($"--{option} {value}", RefusalOf(request), StringComparison.Ordinal);
    }

    private static string RefusalOf(CaptureRequest request, bool allowed = false) =>
        Assert.Throws<CaptureRefusedException>(() => CapturePlanner.Check(request, s_points, allowed, _ => [IPAddress.Loopback])).Message;
}
