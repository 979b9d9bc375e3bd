using System.Net;
using CryptoPlane.Capture;
using VpnBroker.Capture;

namespace VpnBroker.Tests.Capture;

/// <summary>The filter's little language.</summary>
public sealed class CaptureFilterTextTests
{
    [Theory]
    [InlineData("proto udp", 17, null, null)]
    [InlineData("proto 47", 47, null, null)]
    [InlineData("proto icmp and host 10.0.0.1", 1, null, null)]
    [InlineData("port 4500", null, 4500, null)]
    [InlineData("spi 0x01000002", null, null, 0x0100_0002)]
    [InlineData("  spi 16777218   port 65535 and proto esp ", 50, 65535, 0x0100_0002)]
    [InlineData("", null, null, null)]
    [InlineData(null, null, null, null)]
    public void Conditions_are_read(string? text, int? protocol, int? port, int? spi)
    {
        CaptureFilter filter = Parse(text);
        Assert.Equal((protocol, port, spi), (filter.Protocol, filter.Port, (int?)filter.Spi));
        Assert.Equal(text?.Contains("host", StringComparison.Ordinal) == true, filter.ByHost);
    }

    [Fact]
    public void A_users_packets_are_those_of_the_inner_addresses()
    {
        Assert.True(Parse("user alice").ByHost);
        Assert.Contains("bob has no inner address now", Refusal("user bob"), StringComparison.Ordinal);
        Assert.Contains("more than 16 inner addresses", Refusal("user many"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("and")]
    [InlineData("and port 1")]
    [InlineData("port 1 and")]
    [InlineData("port 1 and and proto udp")]
    [InlineData("port")]
    [InlineData("port 65536")]
    [InlineData("port -1")]
    [InlineData("port 1 port 2")]
    [InlineData("proto 256")]
    [InlineData("proto sctp")]
    [InlineData("spi 0x100000000")]
    [InlineData("spi 0x")]
    [InlineData("spi -1")]
    [InlineData("host example.org")]
    [InlineData("host 10.0.0.1 user alice")]
    [InlineData("or port 1")]
    [InlineData("port 1;proto udp")]
    [InlineData("port\t1")]
    public void What_cannot_be_read_is_refused_with_help(string text) =>
        Assert.Contains("write host ADDRESS, user NAME", Refusal(text), StringComparison.Ordinal);

    [Fact]
    public void Any_text_is_read_or_refused()
    {
        string[] words = ["host", "10.0.0.1", "::1", "proto", "udp", "port", "4500", "spi", "0x1", "and", "user", "alice", "0", "99999999999", "\0", "é", "[", "%1"];
        var random = new Random(12);
        int refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            string text = string.Join(random.Next(20) == 0 ? "" : " ", Enumerable.Range(0, random.Next(7)).Select(_ => words[random.Next(words.Length)]));
            try
            {
                Parse(text);
            }
            catch (CaptureRefusedException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 10_000, 19_999);
    }

    private static string Refusal(string text) => Assert.Throws<CaptureRefusedException>(() => Parse(text)).Message;

    private static CaptureFilter Parse(string? text) => CaptureFilterText.Parse(text, user => user switch
    {
        "alice" => [IPAddress.Parse("10.8.0.10"), IPAddress.Parse("fd00:8::10")],
        "many" => [.. Enumerable.Range(1, CaptureFilter.MaxHosts + 1).Select(i => IPAddress.Parse($"10.8.0.{i}"))],
        _ => [],
    });
}
