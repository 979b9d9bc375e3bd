using System.Net;
using CryptoPlane.Esp;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.Tests.DataPlane.Routing;

public sealed class AddressRangesTests
{
    [Theory]
    [InlineData("10.0.0.0", "10.255.255.255", "10.0.0.0/8")]
    [InlineData("0.0.0.0", "255.255.255.255", "0.0.0.0/0")]
    [InlineData("192.0.2.7", "192.0.2.7", "192.0.2.7/32")]
    [InlineData("192.0.2.5", "192.0.2.8", "192.0.2.5/32 192.0.2.6/31 192.0.2.8/32")]
    [InlineData("255.255.255.254", "255.255.255.255", "255.255.255.254/31")]
    [InlineData("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0")]
    [InlineData("2001:db8::", "2001:db8::ffff", "2001:db8::/112")]
    public void RangesBecomePrefixes(string first, string last, string prefixes) =>
        Assert.Equal(prefixes, string.Join(' ', AddressRanges.PrefixesOf(new EspSelector(IPAddress.Parse(first), IPAddress.Parse(last)))));

    [Fact]
    public void TheWorstRanges_HaveBoundedMany()
    {
        Assert.Equal(62, AddressRanges.PrefixesOf(new EspSelector(IPAddress.Parse("0.0.0.1"), IPAddress.Parse("255.255.255.254"))).Count());
        Assert.Equal(254, AddressRanges.PrefixesOf(
            new EspSelector(IPAddress.Parse("::1"), IPAddress.Parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"))).Count());
    }
}
