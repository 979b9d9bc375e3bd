using System.Net;
using VpnBroker.Configuration;
using VpnBroker.Ipsec.Users;

namespace VpnBroker.Tests.Ipsec.Users;

public class UserRoutesTests
{
    [Theory]
    [InlineData("", "", "", "")]
    [InlineData("10.20.0.0/16", "", "", "10.20.0.0/16")]
    [InlineData("10.20.0.0/16", "", "10.20.0.53 192.0.2.53", "10.20.0.0/16 192.0.2.53/32")]
    [InlineData("10.20.0.0/16", "10.20.128.0/17", "", "10.20.0.0/17")]
    [InlineData("10.20.0.0/16", "10.20.0.64/26", "10.20.0.65",
        "10.20.0.0/26 10.20.0.128/25 10.20.1.0/24 10.20.2.0/23 10.20.4.0/22 10.20.8.0/21 10.20.16.0/20 10.20.32.0/19 10.20.64.0/18 10.20.128.0/17 10.20.0.65/32")]
    [InlineData("10.20.0.0/16", "10.0.0.0/8", "", "")]
    [InlineData("10.20.0.0/16 fd00:20::/48", "fd00:20::/49 192.168.0.0/16", "", "10.20.0.0/16 fd00:20:0:8000::/49")]
    [InlineData("", "128.0.0.0/1", "", "0.0.0.0/1 ::/0")]
    public void Networks_are_what_is_included_without_what_is_excluded_and_with_the_name_servers(string include, string exclude, string dns, string networks)
    {
        ProfileConfig profile = Profile(include, exclude, dns);
        Assert.Equal(networks, string.Join(' ', UserRoutes.NetworksOf(profile)));
        if (networks.Length != 0)
            Assert.Equal(networks, string.Join(' ', UserRoutes.SelectorsOf(profile)!));
    }

    [Fact]
    public void Everything_needs_no_selectors_and_nothing_at_all_is_none()
    {
        Assert.Null(UserRoutes.SelectorsOf(Profile("", "", "192.0.2.53")));
        Assert.Throws<ArgumentException>(() => UserRoutes.SelectorsOf(Profile("10.20.0.0/16", "10.0.0.0/8", "")));
    }

    [Fact]
    public void More_than_IKEv2_can_say_is_an_error()
    {
        string exclude = string.Join(' ', Enumerable.Range(0, 20).Select(i => $"10.{i * 7}.33.{i}/32"));
        Assert.Contains("IKEv2 has room for 255", Assert.Throws<ArgumentException>(() => UserRoutes.SelectorsOf(Profile("10.0.0.0/8", exclude, ""))).Message, StringComparison.Ordinal);
    }

    private static ProfileConfig Profile(string include, string exclude, string dns) => new()
    {
        Pool = "p",
        Include = [.. Words(include).Select(IPNetwork.Parse)],
        Exclude = [.. Words(exclude).Select(IPNetwork.Parse)],
        Dns = [.. Words(dns).Select(IPAddress.Parse)],
    };

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
