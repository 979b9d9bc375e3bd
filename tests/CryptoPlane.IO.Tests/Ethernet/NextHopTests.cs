using System.Net;
using System.Net.NetworkInformation;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Ethernet;
using static CryptoPlane.IO.Tests.Ethernet.FrameForge;

namespace CryptoPlane.IO.Tests.Ethernet;

/// <summary>Where packets to send go, and which are not sent.</summary>
public sealed class NextHopTests
{
    [Theory]
    [InlineData("10.0.3.4", "10.0.3.4")]
    [InlineData("10.1.0.1", "10.0.0.254")]
    [InlineData("192.0.2.1", "10.0.0.254")]
    [InlineData("fd00::3:4", "fd00::3:4")]
    [InlineData("2001:db8::1", "fe80::fe")]
    [InlineData("fe80::77", "fe80::77")]
    public void The_prefixes_and_the_gateways_say_who_is_asked(string destination, string neighbour)
    {
        using var station = new Station(gateways: ["10.0.0.254", "fe80::fe"]);
        byte[] question = Assert.Single(station.SendTo(destination));
        byte[] wanted = IPAddress.Parse(neighbour).GetAddressBytes();
        Assert.Equal(wanted, question[(wanted.Length == 4 ? 38 : 62)..][..wanted.Length]);
        Assert.Equal(Station.Mac, BitConverter.ToString(question, 6, 6));
    }

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("2001:db8::1")]
    [InlineData("10.0.255.255")]
    [InlineData("10.0.0.0")]
    [InlineData("255.255.255.255")]
    [InlineData("224.0.0.1")]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("ff02::1")]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("::ffff:10.0.0.2")]
    [InlineData(Station.IPv4)]
    [InlineData(Station.IPv6)]
    public void Nobody_is_asked_for_a_destination_that_no_neighbour_leads_to(string destination)
    {
        using var station = new Station();
        byte[] payload = EspPacket(20);
        byte[] packet = destination.Contains(':')
            ? [0x60, 0, 0, 0, 0, 28, Esp, 64, .. IPAddress.Parse(Station.IPv6).GetAddressBytes(), .. IPAddress.Parse(destination).GetAddressBytes(), .. payload]
            : IPv4(Station.IPv4, destination, Esp, payload);
        Assert.Empty(station.Send(packet));
        Assert.Equal(1, station.Counters[EthernetDrop.NoRoute]);
        Assert.Equal(0, station.Port.NeighbourCount);
    }

    [Fact]
    public void What_leaves_the_inside_reaches_no_link_local_address()
    {
        using var station = new Station(EthernetRole.Inside);
        Assert.Empty(station.SendTo("fe80::77"));
        Assert.Equal(1, station.Counters[EthernetDrop.NoRoute]);
    }

    [Fact]
    public void A_prefix_of_two_addresses_has_two_stations()
    {
        using var pool = new PacketPool(16, 2048, 128);
        var wire = new FrameWire(pool, pool);
        using var port = new EthernetIpPort(wire.Left, Options([("10.0.0.0", 31)]), pool);
        port.Tick(1);
        Send(port, pool, IPv4("10.0.0.0", "10.0.0.1", Esp, EspPacket(20)));
        Assert.Single(wire.Left.Outgoing);
    }

    [Fact]
    public unsafe void Packets_that_cannot_be_sent_are_dropped_for_a_reason()
    {
        using var station = new Station();
        station.Send([]);
        station.Send(new byte[40]);
        station.Send(IPv4(Station.IPv4, "10.0.0.2", Esp, EspPacket(20))[..19]);
        station.Send(IPv6(Station.IPv6, "fd00::2", Esp, [])[..39]);
        Assert.Equal(4, station.Counters[EthernetDrop.NoIpPacket]);
        station.Send(IPv4(Station.IPv4, "10.0.0.2", Esp, EspPacket(1500)));
        Assert.Equal(1, station.Counters[EthernetDrop.TooLong]);
        Assert.Single(station.Send(IPv4(Station.IPv4, "10.0.0.2", Esp, EspPacket(20))));

        // A waiting packet without room before it, and one that comes when the neighbour is known.
        PacketBuffer* bare = Bare(station);
        station.Port.Transmit(&bare, 1);
        station.Hear(Arp(2, Station.Mac, Station.PeerMac, "10.0.0.2", Station.Mac, Station.IPv4));
        Assert.Single(station.Sent());
        bare = Bare(station);
        station.Port.Transmit(&bare, 1);
        Assert.Equal(2, station.Counters[EthernetDrop.NoHeadroom]);

        station.Link.Room = 0;
        Assert.Empty(station.SendTo("10.0.0.2"));
        Assert.Equal(1, station.Counters[EthernetDrop.PortFull]);
        Assert.Equal(1, station.Counters.TransmittedPackets);
    }

    [Fact]
    public unsafe void A_long_burst_to_many_leaves_in_order()
    {
        using var station = new Station();
        for (int i = 0; i < 3; i++)
        {
            station.SendTo($"10.0.1.{i}");
            station.Hear(Arp(2, Station.Mac, Station.PeerMac, $"10.0.1.{i}", Station.Mac, Station.IPv4));
        }
        station.Sent();
        const int count = 200;
        PacketBuffer** burst = stackalloc PacketBuffer*[count];
        var expected = new List<byte[]>();
        for (int i = 0; i < count; i++)
        {
            Assert.True(station.Pool.TryRent(out burst[i]));
            byte[] packet = IPv4(Station.IPv4, i % 7 == 6 ? "192.0.2.1" : $"10.0.1.{i % 3}", Esp, EspPacket(i));
            Assert.True(burst[i]->TrySetLength(packet.Length));
            packet.CopyTo(burst[i]->Span);
            if (i % 7 != 6)
                expected.Add(packet);
        }
        Assert.Equal(count, station.Port.Transmit(burst, count));
        Assert.Equal(expected, station.Sent().Select(frame => frame[14..]));
        Assert.Equal(count - expected.Count, station.Counters[EthernetDrop.NoRoute]);
    }

    [Fact]
    public void Options_that_contradict_themselves_are_refused()
    {
        (string, int)[] good = [("10.0.0.1", 24)];
        (Action<EthernetIpOptionsBuilder> Change, string Parameter)[] cases = [
            (options => options.Mac = "01-00-00-00-00-01", "Mac"),
            (options => options.Mac = "00-00-00-00-00-00", "Mac"),
            (options => options.Addresses = [("10.0.0.1", 33)], "Addresses"),
            (options => options.Addresses = [("224.0.0.1", 24)], "Addresses"),
            (options => options.Addresses = [("127.0.0.1", 8)], "Addresses"),
            (options => options.Addresses = [("::ffff:10.0.0.1", 96)], "Addresses"),
            (options => options.Addresses = [("::", 64)], "Addresses"),
            (options => options.Gateways = ["10.0.0.1"], "Gateways"),
            (options => options.Gateways = ["10.0.0.2", "10.0.0.3"], "Gateways"),
            (options => options.Gateways = ["fe80::1"], "Gateways"),
            (options => options.Mtu = 67, "Mtu"),
            (options => options.Mtu = 65536, "Mtu"),
            (options => (options.Addresses, options.Mtu) = ([("fd00::1", 64)], 1279), "Mtu"),
            (options => options.EspUdpPorts = [0], "EspUdpPorts"),
            (options => options.Neighbours = 15, "Neighbours"),
            (options => options.Neighbours = 65537, "Neighbours"),
        ];
        using var pool = new PacketPool(8, 2048, 128);
        var wire = new FrameWire(pool, pool);
        foreach ((Action<EthernetIpOptionsBuilder> change, string parameter) in cases)
        {
            var options = new EthernetIpOptionsBuilder { Addresses = good };
            change(options);
            ArgumentException refused = Assert.ThrowsAny<ArgumentException>(() => new EthernetIpPort(wire.Left, options.Build(), pool));
            Assert.Equal(parameter, refused.ParamName);
        }
        new EthernetIpPort(wire.Left, new EthernetIpOptionsBuilder { Addresses = good }.Build(), pool).Dispose();
    }

    private static EthernetIpOptions Options((string Address, int Prefix)[] addresses) => new EthernetIpOptionsBuilder { Addresses = addresses }.Build();

    private static unsafe void Send(EthernetIpPort port, PacketPool pool, byte[] packet)
    {
        Assert.True(pool.TryRent(out PacketBuffer* buffer));
        Assert.True(buffer->TrySetLength(packet.Length));
        packet.CopyTo(buffer->Span);
        Assert.Equal(1, port.Transmit(&buffer, 1));
    }

    /// <summary>A packet with 13 bytes before it.</summary>
    private static unsafe PacketBuffer* Bare(Station station)
    {
        Assert.True(station.Pool.TryRent(out PacketBuffer* buffer));
        Assert.True(buffer->TryReset(13));
        byte[] packet = IPv4(Station.IPv4, "10.0.0.2", Esp, EspPacket(20));
        Assert.True(buffer->TrySetLength(packet.Length));
        packet.CopyTo(buffer->Span);
        return buffer;
    }

    private sealed class EthernetIpOptionsBuilder
    {
        public string Mac { get; set; } = Station.Mac;

        public (string Address, int Prefix)[] Addresses { get; set; } = [];

        public string[] Gateways { get; set; } = [];

        public int Mtu { get; set; } = 1500;

        public int[] EspUdpPorts { get; set; } = [4500];

        public int Neighbours { get; set; } = 64;

        public EthernetIpOptions Build() => new()
        {
            Mac = PhysicalAddress.Parse(Mac),
            Addresses = [.. Addresses.Select(own => (IPAddress.Parse(own.Address), own.Prefix))],
            Gateways = [.. Gateways.Select(IPAddress.Parse)],
            Mtu = Mtu,
            EspUdpPorts = EspUdpPorts,
            Neighbours = Neighbours,
        };
    }
}
