using VpnBroker.Status;

namespace VpnBroker.Tests.Status;

public class FlowsTextTests
{
    [Fact]
    public void Sessions_are_lines_with_ends_amounts_and_times()
    {
        string[] lines = FlowsText.Write(FlowSamples.Report()).Split('\n');
        Assert.Equal("3 of 10 sessions (room for 100), the first 2:", lines[0]);
        Assert.StartsWith("PROTO  STATE", lines[1], StringComparison.Ordinal);
        Assert.Equal("tcp    established  10.77.0.9:51514  alice  10.20.0.4:443    tun    2.0 KiB  3.0 MiB   1.0 Mb/s  2 slow-reader  1:05 min  0.2 s", lines[2]);
        Assert.Equal("udp    new          [fd00::9]:53     dc1    [fd00::10]:5353  alice  60 B     0 B       0 b/s     -              1:01 h    59.9 s", lines[3]);
    }

    [Fact]
    public void Without_sessions_there_is_a_line() =>
        Assert.Equal("0 of 10 sessions (room for 100)\n", FlowsText.Write(FlowSamples.Report() with { Matching = 0, Flows = [] }));
}
