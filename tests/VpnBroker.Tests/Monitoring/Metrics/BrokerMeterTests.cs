using CryptoPlane.Ike;
using VpnBroker.Monitoring.Metrics;
using VpnBroker.Status;
using VpnBroker.Tests.Control;

namespace VpnBroker.Tests.Monitoring.Metrics;

public class BrokerMeterTests
{
    [Fact]
    public void The_counters_of_a_reading_are_what_is_written()
    {
        using var meter = new BrokerMeter(users: false);
        using var text = new PrometheusText(meter.Meter);
        Assert.Equal("", text.Write(openMetrics: false));
        meter.Take(StatusSamples.Report() with
        {
            Ipsec = [Peer("dc2", "established"), Peer("dc3", "down")],
            Policy = new PolicyReport(1, [new PolicyRuleReport("web", "allow", 3, 40, 5000)]),
        });
        string[] lines = text.Write(openMetrics: false).Split('\n');
        Assert.Contains("cryptoplane_sessions 1", lines);
        Assert.Contains("cryptoplane_connections_refused_total 5", lines);
        Assert.Contains("cryptoplane_gc_pause_worst_seconds 0.00125", lines);
        Assert.Contains("cryptoplane_lcore_time_seconds_total{lcore=\"0\",state=\"busy\"} 1", lines);
        Assert.Contains("cryptoplane_lcore_dropped_packets_total{lcore=\"0\",reason=\"source-address\"} 9", lines);
        Assert.Contains("cryptoplane_inner_packets_total{lcore=\"0\",side=\"users\",network_io_direction=\"receive\"} 10", lines);
        Assert.Contains("cryptoplane_inner_io_bytes_total{lcore=\"0\",side=\"users\",network_io_direction=\"transmit\"} 500", lines);
        Assert.Contains("cryptoplane_port_dropped_packets_total{port=\"udp:192.0.2.1:4500\",lcore=\"0\",reason=\"queue-full\"} 12", lines);
        Assert.Contains("cryptoplane_port_events_total{port=\"udp:192.0.2.1:4500\",lcore=\"1\",event=\"receive-calls\"} 20", lines);
        Assert.Contains("cryptoplane_esp_io_bytes_total{tunnel=\"dc1\",network_io_direction=\"transmit\"} 4", lines);
        Assert.Contains("cryptoplane_ipsec_peer_up{peer=\"dc2\"} 1", lines);
        Assert.Contains("cryptoplane_ipsec_peer_up{peer=\"dc3\"} 0", lines);
        Assert.Contains("cryptoplane_policy_io_bytes_total{rule=\"web\",action=\"allow\"} 5000", lines);
        Assert.Contains("cryptoplane_dpdk_port_up{port=\"wan\"} 1", lines);
        Assert.Contains("cryptoplane_crypto_operations_total{device=\"crypto_aesni_gcm0\",lcore=\"0\",executor=\"cpu\"} 50", lines);
        Assert.DoesNotContain(lines, line => line.Contains("alice", StringComparison.Ordinal));
    }

    [Fact]
    public void Sessions_queues_and_strangers_are_written()
    {
        using var meter = new BrokerMeter(users: false);
        using var text = new PrometheusText(meter.Meter);
        StatusReport report = Rich(StatusSamples.Report());
        meter.Take(report);
        string[] lines = text.Write(openMetrics: false).Split('\n');
        Assert.Contains("cryptoplane_flows_active{lcore=\"0\",verdict=\"allowed\"} 90", lines);
        Assert.Contains("cryptoplane_flows_active{lcore=\"0\",verdict=\"denied\"} 10", lines);
        Assert.Contains("cryptoplane_flows_limit{lcore=\"0\"} 1024", lines);
        Assert.Contains("cryptoplane_flows_ended_total{lcore=\"0\",cause=\"denied-evicted\"} 6", lines);
        Assert.Contains("cryptoplane_flows_untracked_packets_total{lcore=\"0\"} 7", lines);
        Assert.Contains("cryptoplane_flows_records_total{lcore=\"0\",outcome=\"lost\"} 9", lines);
        Assert.Contains("cryptoplane_class_queue_packets{class=\"voice\",side=\"outside\",lcore=\"0\"} 3", lines);
        Assert.Contains("cryptoplane_class_queue_delay_seconds_total{class=\"voice\",side=\"outside\",lcore=\"0\"} 0.5", lines);
        Assert.Contains("cryptoplane_class_queue_delay_largest_seconds{class=\"voice\",side=\"outside\",lcore=\"0\"} 0.0125", lines);
        Assert.Contains("cryptoplane_class_queue_dropped_packets_total{class=\"voice\",side=\"outside\",lcore=\"0\",reason=\"queue-delay\"} 4", lines);
        // Two pairs of SAs of a tunnel on one lcore.
        Assert.Contains("cryptoplane_esp_queue_sent_packets_total{tunnel=\"dc1\",side=\"outside\",lcore=\"0\"} 200", lines);
        Assert.Contains("cryptoplane_ike_half_open 2", lines);
        Assert.Contains("cryptoplane_ike_requests_total{outcome=\"cookie-refused\"} 15", lines);
        Assert.Contains("cryptoplane_ike_expired_total 21", lines);
        Assert.Contains("cryptoplane_user_tunnels{channel=\"dtls\"} 1", lines);
        Assert.Contains("cryptoplane_user_tunnels{channel=\"tls\"} 0", lines);
        string[] series = [.. lines.Where(line => line.Length > 0 && line[0] != '#').Select(line => line[..line.LastIndexOf(' ')])];
        Assert.Equal(series.Length, series.Distinct().Count());
    }

    [Fact]
    public void Shares_of_peers_and_answers_are_written()
    {
        using var meter = new BrokerMeter(users: false);
        using var text = new PrometheusText(meter.Meter);
        StatusReport report = StatusSamples.Report();
        meter.Take(report with
        {
            Lcores = [report.Lcores[0] with { IcmpSent = 30, ResetsSent = 40 }, report.Lcores[0] with { Index = 1, ResetsSent = 5 }],
            // dc1 shares one prefix with dc2 alone, and two with both of the others.
            PeerShares =
            [
                new("dc1/net", 3, 0.7461, ["10.40.0.0/16"]), new("dc2/net", 1, 0.2539, ["10.40.0.0/16"]),
                new("dc1/net", 3, 0.5, ["10.50.0.0/16", "fd00:50::/64"]), new("dc2/net", 1, 0.25, ["10.50.0.0/16", "fd00:50::/64"]),
                new("dc3/net", 2, 0.25, ["10.50.0.0/16", "fd00:50::/64"]),
            ],
        });
        string[] lines = text.Write(openMetrics: false).Split('\n');
        Assert.Contains("# TYPE cryptoplane_lcore_answered_packets_total counter", lines);
        Assert.Contains("cryptoplane_lcore_answered_packets_total{lcore=\"0\",answer=\"icmp-error\"} 30", lines);
        Assert.Contains("cryptoplane_lcore_answered_packets_total{lcore=\"0\",answer=\"tcp-reset\"} 40", lines);
        Assert.Contains("cryptoplane_lcore_answered_packets_total{lcore=\"1\",answer=\"tcp-reset\"} 5", lines);
        Assert.Contains("# TYPE cryptoplane_ipsec_peer_share gauge", lines);
        Assert.Contains("cryptoplane_ipsec_peer_share{tunnel=\"dc1/net\",prefix=\"10.40.0.0/16\"} 0.7461", lines);
        Assert.Contains("cryptoplane_ipsec_peer_share{tunnel=\"dc1/net\",prefix=\"10.50.0.0/16\"} 0.5", lines);
        Assert.Contains("cryptoplane_ipsec_peer_share{tunnel=\"dc3/net\",prefix=\"10.50.0.0/16\"} 0.25", lines);
        Assert.Contains("cryptoplane_ipsec_peer_weight{tunnel=\"dc3/net\",prefix=\"10.50.0.0/16\"} 2", lines);
        Assert.Equal(5, lines.Count(line => line.StartsWith("cryptoplane_ipsec_peer_share{", StringComparison.Ordinal)));

        // Peers that share nothing any more have no series.
        meter.Take(report);
        Assert.DoesNotContain("cryptoplane_ipsec_peer_share", text.Write(openMetrics: false), StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_as_a_whole_has_a_name_of_its_own()
    {
        using var meter = new BrokerMeter(users: false);
        using var text = new PrometheusText(meter.Meter);
        StatusReport report = StatusSamples.Report();
        meter.Take(report with { Ports = [report.Ports[0] with { Lcore = null }, report.Ports[1]] });
        string[] lines = text.Write(openMetrics: false).Split('\n');
        Assert.Contains("cryptoplane_device_packets_total{port=\"udp:192.0.2.1:4500\",network_io_direction=\"receive\"} 100", lines);
        Assert.Contains("cryptoplane_port_packets_total{port=\"udp:192.0.2.1:4500\",lcore=\"1\",network_io_direction=\"receive\"} 200", lines);
    }

    [Fact]
    public void A_tunnels_total_goes_on_when_its_security_associations_are_replaced()
    {
        using var meter = new BrokerMeter(users: false);
        using var text = new PrometheusText(meter.Meter);
        meter.Take(With(Pair("0x01000001", 100)));
        meter.Take(With(Pair("0x01000001", 150), Pair("0x01000002", 7)));
        meter.Take(With(Pair("0x01000002", 20)));
        meter.Take(With());
        meter.Take(With(Pair("0x01000003", 1)));
        Assert.Contains("cryptoplane_esp_packets_total{tunnel=\"dc1\",network_io_direction=\"receive\"} 171\n", text.Write(openMetrics: false), StringComparison.Ordinal);

        static StatusReport With(params EspReport[] pairs) => StatusSamples.Report() with { Esp = pairs };
        static EspReport Pair(string spi, ulong packets) =>
            new("dc1", 0, spi, "0x1", 1, 2, new TrafficReport("esp", packets, 0, 0, 0), new Dictionary<string, ulong>());
    }

    [Fact]
    public void Users_have_series_only_where_they_are_wanted_and_while_they_have_sessions()
    {
        using var meter = new BrokerMeter(users: true);
        using var text = new PrometheusText(meter.Meter);
        StatusReport report = StatusSamples.Report();
        SessionReport first = report.Users[0], second = first with { Session = 2 }, other = first with { Session = 3, User = "bob" };
        meter.Take(report with { Users = [first, other] });
        meter.Take(report with { Users = [] });
        meter.Take(report with { Users = [second] });
        string written = text.Write(openMetrics: false);
        // alice's first tunnel and her second one, ten packets each; the reading between did not list sessions.
        Assert.Contains("cryptoplane_user_packets_total{user=\"alice\",network_io_direction=\"receive\"} 20\n", written, StringComparison.Ordinal);
        Assert.DoesNotContain("bob", written, StringComparison.Ordinal);
        meter.Take(report with { Users = [], Sessions = 0 });
        Assert.DoesNotContain("alice", text.Write(openMetrics: false), StringComparison.Ordinal);
    }

    /// <summary>A report with a table of sessions, queues, data channels, and requests to IKE.</summary>
    internal static StatusReport Rich(StatusReport report) => report with
    {
        Lcores = [.. report.Lcores.Select(lcore => lcore with { Flows = new FlowTableReport(100, 10, 1024, 5000, 4800, 5, 6, 7, 8, 9) })],
        Queues =
        [
            Queue("class", "voice"), Queue("esp", "dc1"), Queue("esp", "dc1"),
            Queue("user", "alice") with { Session = 1 },
        ],
        IkeRequests = new IkeGateReport
        {
            HalfOpen = 2, Accepted = 11, AcceptedWithCookie = 12, Repeated = 13, CookiesDemanded = 14, CookiesRefused = 15, Malformed = 16,
            TooManyHalfOpen = 17, TooManyFromAddress = 18, TooFast = 19, VersionsRefused = 20, Expired = 21,
        },
        Dtls = new DtlsReport(1, 2, 3, 4, 5, 6, 7, 8, 9),
        PeerShares = [new("dc1/net", 3, 0.75, ["10.40.0.0/16", "fd00:40::/64"]), new("dc2/net", 1, 0.25, ["10.40.0.0/16", "fd00:40::/64"])],
    };

    private static QueueReport Queue(string kind, string name) =>
        new(kind, name, null, "outside", 0, 3, 3000, 100, 100_000, 2, new Dictionary<string, ulong> { ["queue-delay"] = 4 }, 5, 12.5) { DelaySeconds = 0.5 };

    internal static IpsecReport Peer(string name, string state) => new(name, state, null, null, null, null, false, false, 0, null, []);
}
