using System.Net;
using System.Text;
using VpnBroker.Configuration;
using VpnBroker.OpenConnect;
using VpnBroker.OpenConnect.Http;
using VpnBroker.Sessions;

namespace VpnBroker.Tests.OpenConnect;

public class TunnelResponseTests
{
    private static readonly PoolConfig s_pool = new() { Name = "p", IPv4 = IPNetwork.Parse("10.77.0.0/16"), IPv6 = IPNetwork.Parse("fd00:77::/64") };
    private static readonly AddressLease s_lease = new(s_pool, 1, IPAddress.Parse("10.77.128.5"), IPAddress.Parse("fd00:77:0:0:8000::5"));

    private static readonly ProfileConfig s_profile = new()
    {
        Pool = "p",
        Include = [IPNetwork.Parse("10.20.0.0/20"), IPNetwork.Parse("fd00:20::/48")],
        Exclude = [IPNetwork.Parse("10.20.1.0/24")],
        Dns = [IPAddress.Parse("10.20.0.53"), IPAddress.Parse("fd00:20::53")],
        DefaultDomain = "corp.test",
        Banner = "100% ä\nline",
        IdleSeconds = 60,
    };

    [Fact]
    public void Everything_that_the_profile_says_is_in_the_headers()
    {
        string[] lines = Lines(s_profile, ipv6: true, secondsLeft: 3600);
        Assert.Equal("HTTP/1.1 200 CONNECTED", lines[0]);
        string[] expected =
        [
            "X-CSTP-Address: 10.77.128.5", "X-CSTP-Netmask: 255.255.0.0", $"X-CSTP-Address-IP6: {s_lease.IPv6}/64", "X-CSTP-MTU: 1380",
            "X-CSTP-Split-Include: 10.20.0.0/255.255.240.0", "X-CSTP-Split-Include-IP6: fd00:20::/48", "X-CSTP-Split-Exclude: 10.20.1.0/255.255.255.0",
            "X-CSTP-DNS: 10.20.0.53", "X-CSTP-DNS-IP6: fd00:20::53", "X-CSTP-Default-Domain: corp.test", "X-CSTP-Banner: 100%25 %C3%A4%0Aline",
            "X-CSTP-DPD: 30", "X-CSTP-Keepalive: 20", "X-CSTP-Rekey-Time: 86400", "X-CSTP-Rekey-Method: ssl", "X-CSTP-Idle-Timeout: 60", "X-CSTP-Session-Timeout: 3600",
        ];
        foreach (string line in expected)
            Assert.Contains(line, lines);
        Assert.Equal("", lines[^1]);
        Assert.Equal("", lines[^2]);
    }

    [Fact]
    public void A_client_without_ipv6_is_told_nothing_of_it()
    {
        string[] lines = Lines(s_profile, ipv6: false, secondsLeft: 0);
        Assert.DoesNotContain(lines, line => line.Contains("IP6", StringComparison.Ordinal));
        Assert.Contains("X-CSTP-Session-Timeout: none", lines);
    }

    [Fact]
    public void A_rekey_of_never_is_left_out_and_new_tunnel_is_named()
    {
        Assert.DoesNotContain(Lines(s_profile with { RekeySeconds = 0 }, true, 0), line => line.StartsWith("X-CSTP-Rekey", StringComparison.Ordinal));
        Assert.Contains("X-CSTP-Rekey-Method: new-tunnel", Lines(s_profile with { RekeyMethod = RekeyMethod.NewTunnel }, true, 0));
    }

    [Fact]
    public void A_data_channel_is_named_where_there_is_one()
    {
        Assert.DoesNotContain(Lines(s_profile, true, 0), line => line.StartsWith("X-DTLS", StringComparison.Ordinal));
        string[] lines = Encoding.ASCII.GetString(TunnelResponse.Write(s_lease, s_profile, 1380, true, 0, new DtlsOffer(4443, "abcd"))).Split("\r\n");
        Assert.Equal(
            ["X-DTLS-Port: 4443", "X-DTLS-CipherSuite: PSK-NEGOTIATE", "X-DTLS-App-ID: abcd", "X-DTLS-MTU: 1380", "X-DTLS-DPD: 30", "X-DTLS-Keepalive: 20"],
            lines.Where(line => line.StartsWith("X-DTLS", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_header_value_with_a_line_end_is_a_defect() =>
        Assert.Throws<ArgumentException>(() => new HttpResponse("200 OK").Header("X", "a\r\nY: b"));

    private static string[] Lines(ProfileConfig profile, bool ipv6, int secondsLeft) =>
        Encoding.ASCII.GetString(TunnelResponse.Write(s_lease, profile, 1380, ipv6, secondsLeft)).Split("\r\n");
}
