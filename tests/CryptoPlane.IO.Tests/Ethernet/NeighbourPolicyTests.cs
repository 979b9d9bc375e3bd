using CryptoPlane.Buffers;
using CryptoPlane.IO.Ethernet;
using static CryptoPlane.IO.Tests.Ethernet.FrameForge;

namespace CryptoPlane.IO.Tests.Ethernet;

/// <summary>What the neighbour table believes, and how much of it others can take.</summary>
public sealed class NeighbourPolicyTests
{
    private const string Us = Station.Mac, Peer = Station.PeerMac, Other = "02-00-00-00-00-99", Unknown = "00-00-00-00-00-00";
    private const string AllNodes = "33-33-00-00-00-01";

    [Theory]
    [InlineData("10.0.0.2")]
    [InlineData("fd00::2")]
    public void Who_was_not_asked_for_is_not_learned(string neighbour)
    {
        using var station = new Station();
        station.Hear(Answer(neighbour, Peer), Announcement(neighbour, Peer));
        Assert.Equal(0, station.Port.NeighbourCount);
        // Who asks for us is about to talk with us.
        station.Hear(Question(neighbour, Peer, isForUs: false));
        Assert.Equal(0, station.Port.NeighbourCount);
        station.Hear(Question(neighbour, Peer, isForUs: true));
        Assert.Equal(1, station.Port.NeighbourCount);
        station.Sent();
        Assert.Equal(Peer, station.Reaches(neighbour));
    }

    [Theory]
    [InlineData("10.0.0.2")]
    [InlineData("fd00::2")]
    public void A_neighbour_that_moves_is_followed_and_asked(string neighbour)
    {
        using var station = new Station();
        Meet(station, neighbour);
        station.Hear(Announcement(neighbour, Other));
        List<byte[]> sent = station.SendTo(neighbour);
        // The question, to the new address alone, and then the packet.
        Assert.Equal(2, sent.Count);
        Assert.All(sent, frame => Assert.Equal(Other, BitConverter.ToString(frame, 0, 6)));
        for (int i = 0; i < 4; i++)
            station.Tick(Station.Second);
        // It did not answer: the link is asked where it is.
        Assert.Equal(0, station.Port.NeighbourCount);
        station.Sent();
        Assert.Null(station.Reaches(neighbour));
        station.Hear(Answer(neighbour, Peer));
        Assert.Equal(Peer, BitConverter.ToString(station.Sent()[^1], 0, 6));
    }

    [Theory]
    [InlineData("10.0.0.2")]
    [InlineData("fd00::2")]
    public void An_answer_to_no_question_is_checked_by_asking(string neighbour)
    {
        using var station = new Station();
        Meet(station, neighbour);
        Assert.Single(station.SendTo(neighbour));
        station.Hear(Answer(neighbour, Other));
        Assert.Equal(2, station.SendTo(neighbour).Count);
    }

    [Fact]
    public void An_advertisement_that_does_not_override_changes_nothing_but_makes_us_ask()
    {
        using var station = new Station();
        Meet(station, "fd00::2");
        station.Hear(Neighbour(136, AllNodes, Other, "fd00::2", "ff02::1", "fd00::2", Other));
        List<byte[]> sent = station.SendTo("fd00::2");
        Assert.Equal(2, sent.Count);
        Assert.All(sent, frame => Assert.Equal(Peer, BitConverter.ToString(frame, 0, 6)));
    }

    [Fact]
    public void A_neighbour_in_use_is_asked_every_half_minute_and_an_idle_one_forgotten_after_ten_minutes()
    {
        using var station = new Station();
        Meet(station, "10.0.0.2");
        station.Tick(29 * Station.Second);
        Assert.Single(station.SendTo("10.0.0.2"));
        station.Tick(2 * Station.Second);
        Assert.Equal(2, station.SendTo("10.0.0.2").Count);
        station.Hear(Answer("10.0.0.2", Peer));
        Assert.Single(station.SendTo("10.0.0.2"));
        for (int i = 0; i < 25; i++)
            station.Tick(30 * Station.Second);
        Assert.Equal(0, station.Port.NeighbourCount);
        Assert.Empty(station.Sent());
    }

    [Theory]
    [InlineData(254, Us, "fd00::2")] // from beyond the link
    [InlineData(255, "33-33-00-00-00-01", "fd00::2")] // a solicited answer to a group
    [InlineData(255, Us, "fd00::1")] // our own address
    public void Advertisements_that_cannot_be_are_not_believed(byte hopLimit, string destination, string target)
    {
        using var station = new Station();
        station.SendTo("fd00::2");
        string to = destination == Us ? Station.IPv6 : "ff02::1";
        station.Hear(Neighbour(136, destination, Peer, "fd00::2", to, target, Peer, flags: 0x60, hopLimit));
        Assert.Null(station.Reaches("fd00::2"));
        station.Hear(Answer("fd00::2", Peer));
        Assert.NotEmpty(station.Sent());
    }

    [Theory]
    [InlineData(Us)]
    [InlineData(Broadcast)]
    [InlineData("01-00-5E-00-00-01")]
    [InlineData(Unknown)]
    public void No_neighbour_has_an_address_that_no_other_station_can_have(string mac)
    {
        using var station = new Station();
        station.SendTo("10.0.0.2");
        station.SendTo("fd00::2");
        station.Hear(
            FrameForge.Frame(Us, Peer, TypeArp, Arp(2, Us, mac, "10.0.0.2", Us, Station.IPv4)[14..]),
            Neighbour(136, Us, Peer, "fd00::2", Station.IPv6, "fd00::2", mac, flags: 0x60));
        Assert.Null(station.Reaches("10.0.0.2"));
        Assert.Null(station.Reaches("fd00::2"));
    }

    [Fact]
    public void Our_addresses_are_never_anothers_and_are_defended_once_in_ten_seconds()
    {
        using var station = new Station();
        for (int i = 0; i < 100; i++)
        {
            station.Hear(
                Answer(Station.IPv4, Other), Announcement(Station.IPv4, Other), Question(Station.IPv4, Other, isForUs: true),
                Announcement(Station.IPv6, Other), Answer(Station.IPv6, Other));
        }
        Assert.Equal(500, station.Counters.AddressConflicts);
        Assert.Equal(0, station.Port.NeighbourCount);
        // One announcement for each of our two addresses.
        Assert.Equal(
            [Arp(1, Broadcast, Us, Station.IPv4, Unknown, Station.IPv4), Neighbour(136, AllNodes, Us, Station.IPv6, "ff02::1", Station.IPv6, Us, 0x20)],
            station.Sent());
        station.Tick(10 * Station.Second);
        station.Hear(Answer(Station.IPv4, Other));
        Assert.Equal(2, station.Sent().Count);
        Assert.Empty(station.SendTo(Station.IPv4));
        Assert.Equal(1, station.Counters[EthernetDrop.NoRoute]);
    }

    [Theory]
    [InlineData("10.0.9.9", "10.0.8.8")]
    [InlineData("fd00::9:9", "fd00::8:8")]
    public void Invented_senders_take_half_of_the_table_and_make_room(string known, string wanted)
    {
        using var station = new Station(neighbours: 64);
        Meet(station, known);
        for (int i = 0; i < 10_000; i++)
            station.Hear(Question(known.Contains(':') ? $"fd00::7:{i + 1:x}" : $"10.0.{100 + (i / 250)}.{1 + (i % 250)}", Other, isForUs: true));
        Assert.Equal(32, station.Port.NeighbourCount);
        station.Sent();
        Assert.Equal(Peer, station.Reaches(known));
        station.Tick(2 * Station.Second);
        Meet(station, wanted);
        Assert.Equal(Peer, station.Reaches(wanted));
    }

    [Fact]
    public void Invented_destinations_take_half_of_the_table_and_an_eighth_of_the_pool()
    {
        using var station = new Station(neighbours: 64, gateways: ["10.0.0.254", "fd00::fe"], buffers: 128);
        Meet(station, "10.0.0.2");
        for (int i = 0; i < 1000; i++)
            station.SendTo($"10.0.{1 + (i / 250)}.{1 + (i % 250)}");
        EthernetCounters counters = station.Counters;
        Assert.Equal(33, station.Port.NeighbourCount);
        Assert.Equal(1000 - 32, counters[EthernetDrop.NeighbourTableFull]);
        Assert.Equal(16, counters.Waited - 1);
        Assert.Equal(16, counters[EthernetDrop.NeighbourQueueFull]);
        Assert.Equal(128 - 16, station.Pool.Available);

        // The others are there as before.
        Assert.Equal(Peer, station.Reaches("10.0.0.2"));
        station.Hear(Question("fd00::2", Peer, isForUs: true));
        station.Sent();
        Assert.Equal(Peer, station.Reaches("fd00::2"));
        // So are those who ask for us; and gateways find a place, for themselves and for a packet.
        foreach ((string gateway, string far) in ((string, string)[])[("10.0.0.254", "192.0.2.1"), ("fd00::fe", "2001:db8::1")])
        {
            station.SendTo(far);
            station.Hear(Answer(gateway, Peer));
            Assert.Single(station.Sent());
            Assert.Equal(Peer, station.Reaches(far));
        }

        // All of them are given up, and their packets are back.
        for (int i = 0; i < 6; i++)
            station.Tick(Station.Second);
        Assert.Equal(128, station.Pool.Available);
        Assert.Equal(16, station.Counters[EthernetDrop.Unresolved]);
        // Who asked us has not answered since.
        Assert.Equal(3, station.Port.NeighbourCount);
    }

    [Fact]
    public void A_gateway_finds_a_place_where_everything_is_taken()
    {
        using var station = new Station(neighbours: 16, gateways: ["10.0.0.254"]);
        for (int i = 0; i < 100; i++)
            station.SendTo($"10.0.2.{1 + i}");
        for (int i = 0; i < 8; i++)
            station.Hear(Question($"10.0.1.{1 + i}", Other, isForUs: true));
        Assert.Equal(16, station.Port.NeighbourCount);
        station.Sent();
        station.SendTo("192.0.2.1");
        station.Hear(Answer("10.0.0.254", Peer));
        station.Sent();
        Assert.Equal(Peer, station.Reaches("192.0.2.1"));
        Assert.Equal(16, station.Port.NeighbourCount);
        // Whoever had to go was asked for: what waited for him was dropped.
        Assert.Equal(1, station.Counters[EthernetDrop.Unresolved]);
    }

    [Fact]
    public void A_table_that_is_longer_than_a_turns_part_is_looked_through_by_rare_turns()
    {
        using var station = new Station(neighbours: 8192, buffers: 64);
        for (int i = 0; i < 4000; i++)
            station.SendTo($"10.0.{1 + (i / 250)}.{1 + (i % 250)}");
        Assert.Equal(4000, station.Port.NeighbourCount);
        // Three questions and a second of silence, with a turn every 0.2 s that looks at an eighth.
        for (int i = 0; i < 5 * 8 * 2; i++)
            station.Tick(Station.Second / 5);
        Assert.Equal(0, station.Port.NeighbourCount);
        Assert.Equal(station.Pool.Count, station.Pool.Available);
    }

    [Fact]
    public unsafe void A_question_for_which_there_is_no_buffer_is_asked_later()
    {
        using var station = new Station(buffers: 16);
        PacketBuffer** taken = stackalloc PacketBuffer*[15];
        for (int i = 0; i < 15; i++)
            Assert.True(station.Pool.TryRent(out taken[i]));
        Assert.Empty(station.SendTo("10.0.0.2"));
        station.Port.Announce();
        Assert.Empty(station.Sent());
        station.Pool.Return(taken, 15);
        station.Tick(Station.Second);
        Assert.Single(station.Sent());
        station.Hear(Answer("10.0.0.2", Peer));
        Assert.Single(station.Sent());
    }

    [Fact]
    public void Ports_of_one_link_tell_one_another_what_they_hear()
    {
        using var first = new Station();
        using var second = new Station();
        EthernetIpPort.Connect([first.Port, second.Port]);
        Assert.Single(first.SendTo("10.0.0.2"));
        // The answer comes to the other's queue.
        second.Hear(Answer("10.0.0.2", Peer));
        Assert.Equal(0, second.Port.NeighbourCount);
        first.Tick(1);
        Assert.Single(first.Sent());
        Assert.Equal(Peer, first.Reaches("10.0.0.2"));
        // So does the news that it has moved: this is no answer.
        second.Hear(Announcement("10.0.0.2", Other));
        first.Tick(1);
        Assert.Equal(2, first.SendTo("10.0.0.2").Count);
        // More news than the ring holds are lost, and nothing else.
        for (int i = 0; i < 1000; i++)
            second.Hear(Answer("10.0.0.2", i % 2 == 0 ? Peer : Other));
        for (int i = 0; i < 5; i++)
            first.Tick(1);
        Assert.NotNull(first.Reaches("10.0.0.2"));
    }

    /// <summary>A packet of ours makes us ask; the neighbour answers.</summary>
    private static void Meet(Station station, string neighbour)
    {
        station.SendTo(neighbour);
        station.Hear(Answer(neighbour, Peer));
        Assert.Equal(Esp, station.Sent()[^1][neighbour.Contains(':') ? 20 : 23]);
    }

    private static byte[] Answer(string neighbour, string mac) => neighbour.Contains(':')
        ? Neighbour(136, Us, mac, neighbour, Station.IPv6, neighbour, mac, flags: 0x60)
        : Arp(2, Us, mac, neighbour, Us, Station.IPv4);

    private static byte[] Announcement(string neighbour, string mac) => neighbour.Contains(':')
        ? Neighbour(136, AllNodes, mac, neighbour, "ff02::1", neighbour, mac, flags: 0x20)
        : Arp(1, Broadcast, mac, neighbour, Unknown, neighbour);

    private static byte[] Question(string asker, string mac, bool isForUs)
    {
        bool isV6 = asker.Contains(':');
        string target = isForUs ? isV6 ? Station.IPv6 : Station.IPv4 : isV6 ? "fd00::77" : "10.0.0.77";
        return isV6 ? Neighbour(135, Us, mac, asker, target, target, mac) : Arp(1, Broadcast, mac, asker, Unknown, target);
    }
}
