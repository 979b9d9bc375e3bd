using System.Net;
using static CryptoPlane.Esp.Tests.Selectors.SelectorBed;
using static CryptoPlane.Esp.Tests.Selectors.SelectorPackets;

namespace CryptoPlane.Esp.Tests.Selectors;

/// <summary>RFC 4301 §5.2: what comes by an SA must come from and go to whom the SA was made for.</summary>
public sealed unsafe class AddressSelectorTests
{
    private static readonly byte[] s_ports = WithPorts(1000, 2000);

    [Fact]
    public void An_SA_without_selectors_carries_everything()
    {
        foreach (EspSelector[] everything in (EspSelector[][])[[], [Prefix("::/0"), Prefix("0.0.0.0/0")]])
        {
            using var bed = new SelectorBed(everything, everything);
            Assert.True(bed.Receives(IPv4("0.0.0.0", "255.255.255.255", Udp, s_ports)));
            Assert.True(bed.Receives(IPv6("::", "ff02::1", 200, s_ports)));
            Assert.True(bed.MaySend(IPv4("1.2.3.4", "5.6.7.8", Tcp, s_ports, fragmentOffset: 8)));
            Assert.False(bed.MaySend([0x45, 0, 0]));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(64)]
    public void Both_addresses_must_lie_in_ranges_of_their_ends(int ranges)
    {
        // One range is [x.0.16, x.0.31]: neighbours on both sides are out, whether there is a line for the ranges or a table.
        EspSelector[] remote = [.. Enumerable.Range(0, ranges).Select(i => Range($"10.{i}.0.16", $"10.{i}.0.31"))];
        EspSelector[] local = [Prefix("192.168.4.0/22")];
        using var bed = new SelectorBed(remote, local);
        for (int i = 0; i < ranges; i++)
        {
            foreach ((int last, bool isIn) in ((int, bool)[])[(15, false), (16, true), (31, true), (32, false)])
            {
                string ours = $"10.{i}.0.{last}";
                Assert.Equal(isIn, bed.Receives(IPv4(ours, "192.168.4.0", Udp, s_ports)));
                Assert.Equal(isIn, bed.Receives(IPv4(ours, "192.168.7.255", Udp, s_ports)));
                Assert.False(bed.Receives(IPv4(ours, "192.168.3.255", Udp, s_ports)));
                Assert.False(bed.Receives(IPv4(ours, "192.168.8.0", Udp, s_ports)));
                // The other way round it is an outbound packet's business.
                Assert.False(bed.Receives(IPv4("192.168.4.1", ours, Udp, s_ports)));
                Assert.Equal(isIn, bed.MaySend(IPv4("192.168.4.1", ours, Udp, s_ports)));
                Assert.False(bed.MaySend(IPv4(ours, "192.168.4.1", Udp, s_ports)));
            }
        }
        Assert.False(bed.Receives(IPv4($"10.{ranges}.0.20", "192.168.4.1", Udp, s_ports)));
        Assert.False(bed.Receives(IPv6("::a00:10", "::c0a8:401", Udp, s_ports)));
        Assert.Equal(bed.Bed.Decapsulator.Drops[EspDropReason.SelectorMismatch], bed.Inbound->Drops[EspDropReason.SelectorMismatch]);
        Assert.Equal((ulong)(4 * ranges), bed.Inbound->Packets);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void IPv6_addresses_are_compared_to_their_last_bit(int ranges)
    {
        EspSelector[] remote = [.. Enumerable.Range(0, ranges).Select(i => Range($"fd00:{i}::1:0:0:10", $"fd00:{i}::1:0:1:f"))];
        using var bed = new SelectorBed(remote, [Prefix("2001:db8::/33")]);
        for (int i = 0; i < ranges; i++)
        {
            foreach ((string last, bool isIn) in ((string, bool)[])
                [("1:0:0:f", false), ("1:0:0:10", true), ("1:0:0:ffff", true), ("1:0:1:f", true), ("1:0:1:10", false), ("2:0:0:10", false), ("0:0:0:10", false)])
            {
                Assert.Equal(isIn, bed.Receives(IPv6($"fd00:{i}::{last}", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", Udp, s_ports)));
                Assert.False(bed.Receives(IPv6($"fd00:{i}::{last}", "2001:db8:8000::", Udp, s_ports)));
                Assert.Equal(isIn, bed.MaySend(IPv6("2001:db8::", $"fd00:{i}::{last}", Udp, s_ports)));
            }
        }
        Assert.False(bed.Receives(IPv4("0.0.0.16", "32.1.13.184", Udp, s_ports)));
    }

    [Fact]
    public void Families_may_be_mixed()
    {
        using var bed = new SelectorBed([Prefix("10.0.0.0/8"), Prefix("fd00::/16")], [Prefix("0.0.0.0/0"), Prefix("2001:db8::/32")]);
        Assert.True(bed.Receives(IPv4("10.255.0.1", "8.8.8.8", Udp, s_ports)));
        Assert.True(bed.Receives(IPv6("fd00::1", "2001:db8::1", Udp, s_ports)));
        Assert.False(bed.Receives(IPv4("11.0.0.0", "8.8.8.8", Udp, s_ports)));
        Assert.False(bed.Receives(IPv6("fd00::1", "2001:db9::", Udp, s_ports)));
    }

    [Fact]
    public void An_end_without_selectors_may_be_anything()
    {
        using var bed = new SelectorBed([Prefix("10.0.0.0/8")], []);
        Assert.True(bed.Receives(IPv4("10.0.0.1", "1.2.3.4", Udp, s_ports)));
        Assert.False(bed.Receives(IPv4("9.255.255.255", "1.2.3.4", Udp, s_ports)));
        Assert.True(bed.MaySend(IPv4("1.2.3.4", "10.0.0.1", Udp, s_ports)));
    }

    [Fact]
    public void A_packet_that_is_refused_moves_the_window_and_is_wiped()
    {
        using var bed = new SelectorBed([Prefix("10.0.0.0/8")], [Prefix("10.0.0.0/8")]);
        Assert.False(bed.Receives(IPv4("11.0.0.1", "10.0.0.1", Udp, s_ports)));
        Assert.Equal(1u, bed.Inbound->HighestSequence);
        Assert.Equal(0u, bed.Inbound->Packets);
        Assert.Equal(0u, bed.Inbound->Bytes);
    }

    [Fact]
    public void A_whole_burst_is_told_apart_packet_by_packet()
    {
        using var bed = new SelectorBed([Prefix("10.0.0.0/8")], [Prefix("10.0.0.0/8")]);
        var random = new Random(11);
        for (int i = 0; i < 2000; i++)
        {
            bool isIn = random.Next(2) == 0;
            Assert.Equal(isIn, bed.Receives(IPv4(isIn ? $"10.{random.Next(256)}.3.4" : $"11.{random.Next(256)}.3.4", "10.9.9.9", Tcp, WithPorts(1, 2, random.Next(60)))));
        }
    }

    [Fact]
    public void Selectors_that_make_no_sense_are_refused_with_a_reason()
    {
        Assert.Contains("from the lower to the higher one", Refused(Range("10.0.0.2", "10.0.0.1")));
        Assert.Contains("of one family", Refused(new EspSelector(IPAddress.Loopback, IPAddress.IPv6Loopback)));
        Assert.Contains("of one family", Refused(default(EspSelector)));
        Assert.Contains("ports go", Refused(Prefix("10.0.0.0/8", Tcp, 80, 79)));
        Assert.Contains("at most 64", Refused([.. Enumerable.Repeat(Prefix("10.0.0.0/8"), 65)]));

        static string Refused(params EspSelector[] selectors) =>
            Assert.Throws<ArgumentException>(() => new SelectorBed(selectors, []).Dispose()).Message;
    }
}
