using CryptoPlane.Flows;
using CryptoPlane.Flows.Sessions;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Tests.Configuration;

public class FlowConfigTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void Without_the_section_sessions_are_kept()
    {
        FlowConfig flows = ConfigText.Parse(ConfigText.Valid).Flows;
        Assert.True(flows.Enabled);
        Assert.Equal((131_072, WhenFull.EvictOldestIdle, 60), (flows.Maximum, flows.WhenFull, flows.ActiveTimeoutSeconds));
        Assert.Equal(3600 * Second, flows.Timeouts.Idle(SessionTimer.TcpEstablished));
    }

    [Fact]
    public void Values_arrive_where_they_belong()
    {
        FlowConfig flows = ConfigText.Parse(ConfigText.Valid + """

            flows:
              enabled: true
              maximum: 5000
              whenFull: refuse
              activeTimeout: 5m
              homes: all
              recordQueue: 1000
              idle: {tcpOpening: 5s, udpAnswered: 10m}
              absolute: {tcpEstablished: 1h, other: never}
            """).Flows;
        Assert.Equal((5000, WhenFull.Refuse, 300, true, 1024), (flows.Maximum, flows.WhenFull, flows.ActiveTimeoutSeconds, flows.HomesForAll, flows.RecordQueue));
        Assert.Equal((5 * Second, 600 * Second, 30 * Second),
            (flows.Timeouts.Idle(SessionTimer.TcpOpening), flows.Timeouts.Idle(SessionTimer.UdpAnswered), flows.Timeouts.Idle(SessionTimer.UdpUnanswered)));
        Assert.Equal((3600 * Second, 0L), (flows.Timeouts.Absolute(SessionTimer.TcpEstablished), flows.Timeouts.Absolute(SessionTimer.Other)));
    }

    [Theory]
    [InlineData("maximum: 10")]
    [InlineData("whenFull: sometimes")]
    [InlineData("homes: everywhere")]
    [InlineData("idle: {tcp: 5s}")]
    [InlineData("idle: {icmp: never}")]
    [InlineData("activeTimeout: never")]
    [InlineData("timeouts: {}")]
    public void Wrong_values_are_errors(string line) =>
        Assert.Throws<ConfigException>(() => ConfigText.Parse(ConfigText.Valid + "\nflows:\n  " + line + "\n"));
}
