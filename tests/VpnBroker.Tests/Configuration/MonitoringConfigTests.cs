using System.Net;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;
using VpnBroker.Hosting;

namespace VpnBroker.Tests.Configuration;

public class MonitoringConfigTests
{
    [Fact]
    public void Every_key_is_read()
    {
        BrokerConfig config = Parse("""
            metrics:
              listen: 0.0.0.0:9464
              hosts: [broker.example.net]
              users: true
              otlp: {endpoint: "http://127.0.0.1:4317", protocol: grpc, interval: 1m}
            web: {listen: "[::1]:9465"}
            """);
        Assert.Equal(new IPEndPoint(IPAddress.Any, 9464), config.Metrics.Listen);
        Assert.Equal(["broker.example.net"], config.Metrics.Hosts);
        Assert.True(config.Metrics.Users);
        Assert.Equal(new OtlpConfig(new Uri("http://127.0.0.1:4317"), Grpc: true, 60), config.Metrics.Otlp);
        Assert.Equal(new IPEndPoint(IPAddress.IPv6Loopback, 9465), config.Web!.Listen);
    }

    [Fact]
    public void Without_the_sections_nothing_listens()
    {
        BrokerConfig config = Parse("");
        Assert.Equal((null, null, false, null), (config.Metrics.Listen, config.Metrics.Otlp, config.Metrics.Users, config.Web));
        Assert.Equal(30, Parse("metrics: {otlp: {endpoint: \"https://collector.example.net/v1/metrics\"}}").Metrics.Otlp!.IntervalSeconds);
    }

    [Theory]
    [InlineData("web: {listen: 0.0.0.0:9465}", "web.listen: the page has no log-in and no TLS, so 0.0.0.0 is refused")]
    [InlineData("web: {listen: 192.0.2.1:9465}", "so 192.0.2.1 is refused: write 127.0.0.1 or [::1]")]
    [InlineData("web: {listen: \"[::]:9465\"}", "so :: is refused")]
    [InlineData("web: {}", "web.listen: this key is missing")]
    [InlineData("web: {listen: 127.0.0.1:9465, port: 1}", "web.port: there is no such key")]
    [InlineData("metrics: {listen: localhost:9464}", "metrics.listen: \"localhost:9464\" is no endpoint")]
    [InlineData("metrics: {hosts: [\"a b\"]}", "metrics.hosts[0]: \"a b\" is no name of a host")]
    [InlineData("metrics: {hosts: [\"name:9464\"]}", "is no name of a host: write it without a port")]
    [InlineData("metrics: {otlp: {}}", "metrics.otlp.endpoint: this key is missing")]
    [InlineData("metrics: {otlp: {endpoint: \"collector:4317\"}}", "metrics.otlp.endpoint: \"collector:4317\" is no URL of a collector")]
    [InlineData("metrics: {otlp: {endpoint: \"http://c:4317\", protocol: thrift}}", "write one of: http, grpc")]
    public void What_is_wrong_is_told(string sections, string message) =>
        Assert.Contains(message, Assert.Throws<ConfigException>(() => Parse(sections)).Message, StringComparison.Ordinal);

    [Fact]
    public void Changes_need_a_restart()
    {
        Assert.Equal(["metrics", "web"], RestartChecks.Differences(Parse(""), Parse("metrics: {users: true}\nweb: {listen: 127.0.0.1:9465}")));
        Assert.Equal(["metrics"], RestartChecks.Differences(Parse("metrics: {hosts: [a]}"), Parse("metrics: {hosts: [b]}")));
    }

    private static BrokerConfig Parse(string sections) => ConfigText.Parse(ConfigText.Valid + "\n" + sections);
}
