using static CryptoPlane.Esp.Tests.Selectors.SelectorBed;
using static CryptoPlane.Esp.Tests.Selectors.SelectorPackets;

namespace CryptoPlane.Esp.Tests.Selectors;

/// <summary>Protocols, ports and what stands for them; fragments and extension headers that hide them (RFC 4301 §4.4.1.1, §7).</summary>
public sealed class PortSelectorTests
{
    private const byte HopByHop = 0, Routing = 43, FragmentHeader = 44, Authentication = 51, DestinationOptions = 60;
    private const string Peer = "10.1.0.1", Us = "10.2.0.2", PeerV6 = "fd01::1", UsV6 = "fd02::2";

    [Theory]
    [InlineData(Tcp)]
    [InlineData(Udp)]
    [InlineData(Sctp)]
    public void A_port_range_is_that_of_its_end(byte protocol)
    {
        using var bed = new SelectorBed([Prefix("10.1.0.0/16", protocol, 443, 445)], [Prefix("10.2.0.0/16", protocol)]);
        foreach ((ushort port, bool isIn) in ((ushort, bool)[])[(442, false), (443, true), (445, true), (446, false)])
        {
            foreach (int options in (int[])[0, 40])
            {
                Assert.Equal(isIn, bed.Receives(IPv4(Peer, Us, protocol, WithPorts(port, 443), options: options)));
                Assert.Equal(isIn, bed.MaySend(IPv4(Us, Peer, protocol, WithPorts(443, port), options: options)));
            }
        }
        Assert.False(bed.Receives(IPv4(Peer, Us, 47, WithPorts(443, 443))));
        Assert.False(bed.Receives(IPv4("10.3.0.1", Us, protocol, WithPorts(443, 443))));
        // Cut short, so that there is no port to be seen.
        Assert.False(bed.Receives(IPv4(Peer, Us, protocol, [1, 187, 0])));
    }

    [Fact]
    public void Both_ends_must_agree_with_the_packets_protocol()
    {
        using var bed = new SelectorBed(
            [Prefix("10.1.0.0/16", Tcp), Prefix("10.1.0.0/16", Udp, 53, 53)], [Prefix("10.2.0.0/16", Udp), Prefix("10.2.0.0/24", Tcp, 22, 22)]);
        Assert.True(bed.Receives(IPv4(Peer, Us, Udp, WithPorts(53, 9))));
        Assert.False(bed.Receives(IPv4(Peer, Us, Udp, WithPorts(54, 9))));
        Assert.True(bed.Receives(IPv4(Peer, "10.2.0.2", Tcp, WithPorts(5, 22))));
        Assert.False(bed.Receives(IPv4(Peer, "10.2.1.2", Tcp, WithPorts(5, 22))));
        Assert.False(bed.Receives(IPv4(Peer, "10.2.0.2", Tcp, WithPorts(5, 23))));
    }

    /// <summary>§7.1: any port is any fragment. §7.2: opaque is what has no port. A range is neither (§7.3 would need state).</summary>
    [Fact]
    public void Fragments_behind_the_first_match_any_port_and_opaque_only()
    {
        using var any = new SelectorBed([Prefix("10.1.0.0/16", Udp)], [Prefix("10.2.0.0/16", Udp)]);
        using var opaque = new SelectorBed([Opaque("10.1.0.0/16", Udp)], [Opaque("10.2.0.0/16", Udp)]);
        using var ports = new SelectorBed([Prefix("10.1.0.0/16", Udp, 0, 65534)], [Prefix("10.2.0.0/16", Udp)]);
        byte[] first = IPv4(Peer, Us, Udp, WithPorts(1, 2)), later = IPv4(Peer, Us, Udp, WithPorts(1, 2), fragmentOffset: 8);
        Assert.True(any.Receives(first) && any.Receives(later));
        Assert.True(!opaque.Receives(first) && opaque.Receives(later));
        Assert.True(ports.Receives(first) && !ports.Receives(later));
        // Of protocols that have no ports, and of ports that were cut off, there is nothing to be seen either.
        using var gre = new SelectorBed([Opaque("10.1.0.0/16", 47)], [Opaque("10.2.0.0/16", 47)]);
        Assert.True(gre.Receives(IPv4(Peer, Us, 47, WithPorts(1, 2))));
        Assert.True(opaque.Receives(IPv4(Peer, Us, Udp, [0, 1, 0])));
    }

    /// <summary>§7.2: fragments that have an SA to themselves must not overwrite the header by which the first one was judged.</summary>
    [Theory]
    [InlineData(8, false)]
    [InlineData(16, false)]
    [InlineData(24, true)]
    public void A_fragment_may_not_begin_inside_a_TCP_header(int offset, bool passes)
    {
        using var bed = new SelectorBed([Opaque("10.1.0.0/16", Tcp)], [Opaque("10.2.0.0/16", Tcp)]);
        Assert.Equal(passes, bed.Receives(IPv4(Peer, Us, Tcp, WithPorts(1, 2), fragmentOffset: offset)));
    }

    /// <summary>RFC 4301 §4.4.1.3: of a message's type only the end that sends it is asked.</summary>
    [Fact]
    public void ICMP_types_are_the_senders()
    {
        // We may send echo requests, and the peer may send replies and errors about what cannot be reached.
        using var bed = new SelectorBed(
            [Prefix("10.1.0.0/16", Icmp, 0x0000, 0x00FF), Prefix("10.1.0.0/16", Icmp, 0x0300, 0x0304)], [Prefix("10.2.0.0/16", Icmp, 0x0800, 0x08FF)]);
        Assert.True(bed.MaySend(IPv4(Us, Peer, Icmp, Message(8))));
        Assert.False(bed.MaySend(IPv4(Us, Peer, Icmp, Message(0))));
        Assert.True(bed.Receives(IPv4(Peer, Us, Icmp, Message(0))));
        Assert.False(bed.Receives(IPv4(Peer, Us, Icmp, Message(8))));
        Assert.True(bed.Receives(IPv4(Peer, Us, Icmp, Message(3, 4))));
        Assert.False(bed.Receives(IPv4(Peer, Us, Icmp, Message(3, 5))));
        Assert.False(bed.Receives(IPv4(Peer, Us, Icmp, [0])));
    }

    [Fact]
    public void A_mobility_headers_type_stands_for_its_port()
    {
        using var bed = new SelectorBed([Prefix("fd01::/16", MobilityHeader, 0x0500, 0x05FF)], [Prefix("fd02::/16", MobilityHeader)]);
        Assert.True(bed.Receives(IPv6(PeerV6, UsV6, MobilityHeader, [59, 0, 5, 0, 0, 0, 0, 0])));
        Assert.False(bed.Receives(IPv6(PeerV6, UsV6, MobilityHeader, [59, 0, 6, 0, 0, 0, 0, 0])));
        Assert.False(bed.Receives(IPv6(PeerV6, UsV6, MobilityHeader, [59, 0])));
    }

    [Fact]
    public void Extension_headers_are_walked_through()
    {
        using var bed = new SelectorBed([Prefix("fd01::/16", Tcp, 80, 80)], [Prefix("fd02::/16", Tcp)]);
        byte[] tcp = WithPorts(80, 9);
        Assert.True(bed.Receives(IPv6(PeerV6, UsV6, Tcp, tcp)));
        Assert.True(bed.Receives(IPv6(PeerV6, UsV6, HopByHop, [.. Extension(Routing), .. Extension(DestinationOptions, 5), .. Extension(Tcp, 2), .. tcp])));
        Assert.False(bed.Receives(IPv6(PeerV6, UsV6, HopByHop, [.. Extension(Udp), .. tcp])));
        Assert.True(bed.Receives(IPv6(PeerV6, UsV6, FragmentHeader, [.. Fragment(Tcp, 0), .. tcp])));
        Assert.False(bed.Receives(IPv6(PeerV6, UsV6, FragmentHeader, [.. Fragment(Tcp, 1280), .. tcp])));
        // AH is a protocol by itself (§4.4.1.1), and so is what is unknown.
        Assert.False(bed.Receives(IPv6(PeerV6, UsV6, Authentication, [.. Extension(Tcp), .. tcp])));
        using var ah = new SelectorBed([Prefix("fd01::/16", Authentication)], [Prefix("fd02::/16", Authentication)]);
        Assert.True(ah.Receives(IPv6(PeerV6, UsV6, HopByHop, [.. Extension(Authentication), .. Extension(Tcp), .. tcp])));
    }

    [Fact]
    public void Of_a_later_IPv6_fragment_the_protocol_counts_unless_it_is_an_extension_header()
    {
        using var bed = new SelectorBed([Prefix("fd01::/16", Udp)], [Prefix("fd02::/16", Udp)]);
        Assert.True(bed.Receives(IPv6(PeerV6, UsV6, FragmentHeader, [.. Fragment(Udp, 8), .. new byte[16]])));
        Assert.False(bed.Receives(IPv6(PeerV6, UsV6, FragmentHeader, [.. Fragment(DestinationOptions, 8), .. Extension(Udp), .. WithPorts(1, 2)])));
        using var any = new SelectorBed([Prefix("fd01::/16"), Prefix("fd01::/16", Udp)], [Prefix("fd02::/16")]);
        Assert.True(any.Receives(IPv6(PeerV6, UsV6, FragmentHeader, [.. Fragment(DestinationOptions, 8), .. Extension(Udp), .. WithPorts(1, 2)])));
    }

    /// <summary>Extension headers that lie about their length, or never end: the protocol is hidden, nothing is read beyond the packet.</summary>
    [Fact]
    public void A_broken_chain_of_extension_headers_hides_the_protocol()
    {
        using var udp = new SelectorBed([Prefix("fd01::/16", Udp)], [Prefix("fd02::/16")]);
        using var any = new SelectorBed([Prefix("fd01::/16"), Prefix("fd01::/16", Udp)], [Prefix("fd02::/16")]);
        byte[] endless = [.. Enumerable.Repeat(Extension(DestinationOptions), 8).SelectMany(header => header), .. Extension(Udp), .. WithPorts(1, 2)];
        byte[][] broken =
        [
            IPv6(PeerV6, UsV6, HopByHop, []),
            IPv6(PeerV6, UsV6, HopByHop, [Udp]),
            IPv6(PeerV6, UsV6, HopByHop, [Udp, 1, 0, 0, 0, 0, 0, 0]),
            IPv6(PeerV6, UsV6, HopByHop, [Udp, 255, 0, 0, 0, 0, 0, 0, .. new byte[64]]),
            IPv6(PeerV6, UsV6, FragmentHeader, [Udp, 0, 0, 0, 0, 0, 0]),
            IPv6(PeerV6, UsV6, HopByHop, [.. Extension(DestinationOptions), Udp, 2, .. new byte[6]]),
            IPv6(PeerV6, UsV6, DestinationOptions, endless),
        ];
        foreach (byte[] packet in broken)
        {
            Assert.False(udp.Receives(packet));
            Assert.True(any.Receives(packet));
        }
        // A header that ends with the packet hides nothing of the protocol, only the ports.
        Assert.True(udp.Receives(IPv6(PeerV6, UsV6, HopByHop, Extension(Udp))));
    }

    [Fact]
    public void Random_inner_packets_are_judged_without_reading_beyond_them()
    {
        using var bed = new SelectorBed([Prefix("0.0.0.0/1", Udp, 0, 999), Prefix("::/1", Tcp)], [Prefix("0.0.0.0/0", Udp), Prefix("::/0")]);
        var random = new Random(4301);
        byte[] protocols = [HopByHop, Icmp, Tcp, Udp, Routing, FragmentHeader, DestinationOptions, MobilityHeader];
        int passed = 0;
        for (int i = 0; i < 5000; i++)
        {
            byte[] payload = new byte[random.Next(60)];
            random.NextBytes(payload);
            for (int at = 0; at < payload.Length; at += 8)
                payload[at] = protocols[random.Next(protocols.Length)];
            string source = random.Next(2) == 0 ? "127.0.0.1" : "128.0.0.1";
            byte[] packet = random.Next(2) == 0
                ? IPv4(source, Us, protocols[random.Next(protocols.Length)], payload, 8 * random.Next(3))
                : IPv6(random.Next(2) == 0 ? PeerV6 : "::1", UsV6, protocols[random.Next(protocols.Length)], payload);
            passed += bed.Receives(packet) ? 1 : 0;
        }
        Assert.InRange(passed, 100, 4000);
    }
}
