using System.Net;
using CryptoPlane.Capture;
using CryptoPlane.Ports;

namespace CryptoPlane.Tests.Capture;

/// <summary>Which packets a filter takes, byte by byte: built here by hand.</summary>
public sealed unsafe class CaptureFilterTests
{
    private const byte Icmp = 1, Tcp = 6, Udp = 17, Esp = 50, IcmpV6 = 58;

    private static readonly byte[] s_tcp = IPv4(Tcp, "10.0.0.1", "10.0.0.2", [0x01, 0xBB, 0xC0, 0x00, 0, 0, 0, 0]);
    private static readonly byte[] s_esp = IPv4(Esp, "192.0.2.1", "198.51.100.7", [1, 0, 0, 1, 0, 0, 0, 9]);
    private static readonly byte[] s_natEsp = IPv4(Udp, "192.0.2.1", "198.51.100.7", [0x11, 0x94, 0x11, 0x94, 0, 16, 0, 0, 1, 0, 0, 2, 0, 0, 0, 9]);
    private static readonly byte[] s_ike = IPv4(Udp, "192.0.2.1", "198.51.100.7", [0x11, 0x94, 0x11, 0x94, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    private static readonly byte[] s_icmp6 = IPv6(IcmpV6, "2001:db8::1", "2001:db8::2", [128, 0, 0, 0]);

    [Fact]
    public void An_empty_filter_takes_everything_even_rubbish()
    {
        foreach (byte[] packet in (byte[][])[[], [0], [0x45], s_tcp, [.. Enumerable.Repeat((byte)0xFF, 100)]])
            Assert.All(Enum.GetValues<CaptureFraming>(), framing => Assert.True(Takes(default, packet, framing)));
    }

    [Fact]
    public void Protocols()
    {
        Assert.Equal([true, false, false, false, false], Taken(new CaptureFilter { Protocol = Tcp }));
        Assert.Equal([false, true, true, false, false], Taken(new CaptureFilter { Protocol = Esp }));
        Assert.Equal([false, false, true, true, false], Taken(new CaptureFilter { Protocol = Udp }));
        Assert.Equal([false, false, false, false, true], Taken(new CaptureFilter { Protocol = Icmp }));
    }

    [Fact]
    public void Ports_and_SPIs()
    {
        Assert.Equal([true, false, false, false, false], Taken(new CaptureFilter { Port = 443 }));
        Assert.Equal([true, false, false, false, false], Taken(new CaptureFilter { Port = 0xC000 }));
        Assert.Equal([false, false, true, true, false], Taken(new CaptureFilter { Port = 4500 }));
        Assert.Equal([false, true, false, false, false], Taken(new CaptureFilter { Spi = 0x01000001 }));
        Assert.Equal([false, false, true, false, false], Taken(new CaptureFilter { Spi = 0x01000002 }));
        Assert.Equal([false, false, false, false, false], Taken(new CaptureFilter { Spi = 0x01000002, Port = 443 }));
    }

    [Fact]
    public void Hosts_are_source_or_destination_and_any_of_several()
    {
        Assert.Equal([true, false, false, false, false], Taken(Hosts("10.0.0.1")));
        Assert.Equal([true, false, false, false, false], Taken(Hosts("10.0.0.2")));
        Assert.Equal([true, false, false, false, true], Taken(Hosts("10.0.0.2", "2001:db8::2")));
        // The first bytes of an IPv6 address are no IPv4 address.
        Assert.Equal([false, false, false, false, false], Taken(Hosts("32.1.13.184")));
        Assert.Equal([false, false, false, false, false], Taken(new CaptureFilter { ByHost = true }));
        var full = new CaptureFilter();
        Assert.All(Enumerable.Range(0, CaptureFilter.MaxHosts), i => Assert.True(full.TryAddHost(new IPAddress(i))));
        Assert.False(full.TryAddHost(IPAddress.Loopback));
    }

    [Fact]
    public void A_connections_stream_is_taken_by_its_ends()
    {
        PacketEndpoint peer = PacketEndpoint.From(IPEndPoint.Parse("198.51.100.7:50000")), local = PacketEndpoint.From(IPEndPoint.Parse("192.0.2.1:443"));
        bool Matches(CaptureFilter filter)
        {
            byte one = 23;
            return filter.Matches(&one, 1, CaptureFraming.TcpPayload, in peer, in local);
        }
        Assert.True(Matches(new CaptureFilter { Protocol = Tcp, Port = 443 }));
        Assert.True(Matches(new CaptureFilter { Port = 50000 }));
        Assert.True(Matches(Hosts("192.0.2.1")));
        Assert.True(Matches(Hosts("198.51.100.7")));
        Assert.False(Matches(new CaptureFilter { Protocol = Udp }));
        Assert.False(Matches(new CaptureFilter { Protocol = Esp }));
        Assert.False(Matches(new CaptureFilter { Port = 4500 }));
        Assert.False(Matches(new CaptureFilter { Spi = 1 }));
        Assert.False(Matches(Hosts("10.0.0.1")));
    }

    [Fact]
    public void Ports_of_later_fragments_are_not_there()
    {
        byte[] fragment = [.. s_tcp];
        fragment[7] = 1;
        Assert.False(Takes(new CaptureFilter { Port = 443 }, fragment, CaptureFraming.Ip));
        Assert.True(Takes(new CaptureFilter { Protocol = Tcp }, fragment, CaptureFraming.Ip));
    }

    [Fact]
    public void Frames_are_read_with_and_without_a_tag()
    {
        byte[] addresses = new byte[12];
        CaptureFilter filter = Hosts("10.0.0.1");
        Assert.True(Takes(filter, [.. addresses, 8, 0, .. s_tcp], CaptureFraming.Ethernet));
        Assert.True(Takes(filter, [.. addresses, 0x81, 0, 0, 5, 8, 0, .. s_tcp], CaptureFraming.Ethernet));
        Assert.True(Takes(new CaptureFilter { Protocol = Icmp }, [.. addresses, 0x86, 0xDD, .. s_icmp6], CaptureFraming.Ethernet));
        Assert.False(Takes(filter, [.. addresses, 8, 6, .. s_tcp], CaptureFraming.Ethernet));
        Assert.False(Takes(filter, s_tcp, CaptureFraming.Ethernet));
    }

    [Fact]
    public void Payloads_are_matched_by_the_ends_that_the_port_knows()
    {
        byte[] esp = [1, 0, 0, 1, 0, 0, 0, 9], ike = [0, 0, 0, 0, 1, 2, 3, 4];
        foreach (string host in (string[])["192.0.2.1", "198.51.100.7"])
        {
            Assert.True(Takes(Hosts(host), esp, CaptureFraming.UdpPayload));
            Assert.True(Takes(Hosts(host), esp, CaptureFraming.Esp));
        }
        Assert.False(Takes(Hosts("192.0.2.2"), esp, CaptureFraming.UdpPayload));
        Assert.True(Takes(new CaptureFilter { Protocol = Esp, Spi = 0x01000001, Port = 4501 }, esp, CaptureFraming.UdpPayload));
        Assert.True(Takes(new CaptureFilter { Protocol = Esp, Spi = 0x01000001 }, esp, CaptureFraming.Esp));
        Assert.False(Takes(new CaptureFilter { Port = 4501 }, esp, CaptureFraming.Esp));
        Assert.False(Takes(new CaptureFilter { Protocol = Esp }, ike, CaptureFraming.UdpPayload));
        Assert.True(Takes(new CaptureFilter { Protocol = Udp }, ike, CaptureFraming.UdpPayload));
        Assert.False(Takes(new CaptureFilter { Spi = 1 }, [1, 2], CaptureFraming.Esp));
    }

    [Fact]
    public void Cut_and_random_packets_are_read_within_their_bounds()
    {
        CaptureFilter[] filters = [new() { Protocol = Tcp, Port = 443 }, new() { Spi = 7 }, Hosts("10.0.0.1"), new() { Protocol = Esp, Spi = 1, Port = 4500 }];
        var random = new Random(3);
        foreach (byte[] packet in (byte[][])[s_tcp, s_esp, s_natEsp, s_icmp6, [.. new byte[12], 0x81, 0, 0, 5, 8, 0, .. s_natEsp]])
        {
            for (int length = 0; length <= packet.Length; length++)
            {
                byte[] cut = packet[..length];
                for (int change = 0; change < 20; change++)
                {
                    foreach (CaptureFilter filter in filters)
                        Assert.All(Enum.GetValues<CaptureFraming>(), framing => Takes(filter, cut, framing));
                    if (length > 0)
                        cut[random.Next(length)] = (byte)random.Next(256);
                }
            }
        }
    }

    private static bool[] Taken(CaptureFilter filter) =>
        [.. ((byte[][])[s_tcp, s_esp, s_natEsp, s_ike, s_icmp6]).Select(packet => Takes(filter, packet, CaptureFraming.Ip))];

    private static CaptureFilter Hosts(params string[] hosts)
    {
        var filter = new CaptureFilter();
        Assert.All(hosts, host => Assert.True(filter.TryAddHost(IPAddress.Parse(host))));
        return filter;
    }

    private static bool Takes(CaptureFilter filter, byte[] packet, CaptureFraming framing)
    {
        PacketEndpoint peer = CaptureBed.Peer, local = CaptureBed.Local;
        fixed (byte* data = packet)
            return filter.Matches(data, packet.Length, framing, in peer, in local);
    }

    internal static byte[] IPv4(byte protocol, string source, string destination, byte[] payload) =>
    [
        0x45, 0, 0, (byte)(20 + payload.Length), 0, 0, 0, 0, 64, protocol, 0, 0,
        .. IPAddress.Parse(source).GetAddressBytes(), .. IPAddress.Parse(destination).GetAddressBytes(), .. payload,
    ];

    internal static byte[] IPv6(byte protocol, string source, string destination, byte[] payload) =>
    [
        0x60, 0, 0, 0, 0, (byte)payload.Length, protocol, 64,
        .. IPAddress.Parse(source).GetAddressBytes(), .. IPAddress.Parse(destination).GetAddressBytes(), .. payload,
    ];
}
