using System.Net;

namespace CryptoPlane.Ike.Tests.Negotiation;

public class TrafficSelectorTests
{
    [Theory]
    [InlineData("192.0.2.0/24", "192.0.2.0/24")]
    [InlineData("192.0.2.1/24", "192.0.2.0/24")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("::/0", "::/0")]
    [InlineData("2001:db8::/32", "2001:db8::/32")]
    [InlineData("192.0.2.7", "192.0.2.7/32")]
    [InlineData("192.0.2.1-192.0.2.9", "192.0.2.1-192.0.2.9")]
    [InlineData("192.0.2.0-192.0.2.255", "192.0.2.0/24")]
    [InlineData("10.0.0.0/8[tcp/443]", "10.0.0.0/8[6/443]")]
    [InlineData("10.0.0.0/8[17/1000-2000]", "10.0.0.0/8[17/1000-2000]")]
    [InlineData("10.0.0.0/8[icmp]", "10.0.0.0/8[1]")]
    public void What_people_write_is_read(string text, string written)
    {
        TrafficSelector selector = TrafficSelector.Parse(text);
        Assert.Equal(written, selector.ToString());
        Assert.Equal(selector, TrafficSelector.Parse(written));
        Assert.True(TrafficSelector.TryCreate(selector.First, selector.Last, selector.Protocol, selector.FirstPort, selector.LastPort, out TrafficSelector? same));
        Assert.Equal(selector, same);
    }

    [Theory]
    [InlineData("192.0.2.9-192.0.2.1")]
    [InlineData("192.0.2.1-2001:db8::1")]
    [InlineData("10.0.0.0/8[")]
    [InlineData("10.0.0.0/8[tcp/70000]")]
    [InlineData("10.0.0.0/8[tcp/20-10]")]
    [InlineData("10.0.0.0/8[0/20]")]
    [InlineData("somewhere")]
    [InlineData("")]
    public void What_is_none_is_refused(string text) => Assert.Throws<FormatException>(() => TrafficSelector.Parse(text));

    [Fact]
    public void A_port_without_a_protocol_and_the_opaque_range_are_refused()
    {
        IPAddress address = IPAddress.Loopback;
        Assert.False(TrafficSelector.TryCreate(address, address, 0, 80, 80, out _));
        Assert.False(TrafficSelector.TryCreate(address, address, 6, ushort.MaxValue, 0, out _));
    }

    [Theory]
    [InlineData("10.0.0.0/8", "10.1.0.0/16", true)]
    [InlineData("10.1.0.0/16", "10.0.0.0/8", false)]
    [InlineData("10.0.0.0/8", "10.0.0.0/8[tcp/80]", true)]
    [InlineData("10.0.0.0/8[tcp]", "10.0.0.0/8", false)]
    [InlineData("10.0.0.0/8[tcp]", "10.0.0.0/8[udp]", false)]
    [InlineData("0.0.0.0/0", "::/0", false)]
    public void A_selector_covers_what_lies_within_it(string outer, string inner, bool covers) =>
        Assert.Equal(covers, TrafficSelector.Parse(outer).Covers(TrafficSelector.Parse(inner)));

    [Theory]
    [InlineData("10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16")]
    [InlineData("10.0.0.0-10.0.0.9", "10.0.0.5-10.0.0.20", "10.0.0.5-10.0.0.9")]
    [InlineData("10.0.0.0/8[tcp]", "0.0.0.0/0", "10.0.0.0/8[6]")]
    [InlineData("10.0.0.0/8[tcp/1-100]", "10.0.0.0/8[tcp/50-200]", "10.0.0.0/8[6/50-100]")]
    [InlineData("10.0.0.0/8[tcp]", "10.0.0.0/8[udp]", null)]
    [InlineData("10.0.0.0/8", "11.0.0.0/8", null)]
    [InlineData("0.0.0.0/0", "::/0", null)]
    public void An_intersection_is_what_both_take(string one, string other, string? both)
    {
        TrafficSelector left = TrafficSelector.Parse(one), right = TrafficSelector.Parse(other);
        Assert.Equal(both, left.Intersect(right)?.ToString());
        Assert.Equal(both, right.Intersect(left)?.ToString());
    }
}
