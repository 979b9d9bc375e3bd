using System.Net;
using CryptoPlane.Flows.Sessions;
using Xunit;

namespace CryptoPlane.Tests.Flows.Sessions;

public sealed class SessionAddressTests
{
    [Theory]
    [InlineData("0.0.0.0", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("255.255.255.255", true)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("2001:db8:1:2:3:4:5:6", false)]
    public void Goes_both_ways(string text, bool isIPv4)
    {
        IPAddress address = IPAddress.Parse(text);
        SessionAddress session = SessionAddress.From(address);
        Assert.Equal(isIPv4, session.IsIPv4);
        Assert.Equal(address, session.ToIPAddress());
        Assert.Equal(text, session.ToString());
    }

    [Fact]
    public void Is_written_in_network_order_with_ipv4_mapped()
    {
        var bytes = new byte[16];
        SessionAddress.FromIPv4(0x0A01_0203).Write(bytes);
        Assert.Equal(IPAddress.Parse("::ffff:10.1.2.3").GetAddressBytes(), bytes);
        SessionAddress.From(IPAddress.Parse("2001:db8::7")).Write(bytes);
        Assert.Equal(IPAddress.Parse("2001:db8::7").GetAddressBytes(), bytes);
    }

    [Fact]
    public void A_record_goes_through_a_ring()
    {
        using var ring = new CryptoPlane.Lcores.SpscRing<FlowRecord>(2);
        var record = new FlowRecord
        {
            Source = SessionAddress.FromIPv4(0x0A01_0203), SourcePort = 4000, Forward = { Packets = 3, Octets = 180, TcpFlags = 0x02 }, EndReason = FlowEndReason.ActiveTimeout,
        };
        Assert.True(ring.TryEnqueue(record));
        Assert.True(ring.TryDequeue(out FlowRecord read));
        Assert.Equal(record, read);
    }
}
