using System.Buffers.Binary;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Ethernet;

namespace CryptoPlane.IO.Tests.Ethernet;

/// <summary>Who gets which frame.</summary>
public sealed class FrameClassTests
{
    // What becomes of it: outside and inside with a kernel behind, then outside and inside without one.
    public static TheoryData<string, string, string, string, string> Fates => new()
    {
        { "ESP in IPv4", "lcore", "kernel", "lcore", "NotForUs" },
        { "ESP in IPv6", "lcore", "kernel", "lcore", "NotForUs" },
        { "ESP in UDP in IPv4", "lcore", "kernel", "lcore", "NotForUs" },
        { "ESP in UDP in IPv6", "lcore", "kernel", "lcore", "NotForUs" },
        { "ESP behind IPv4 options", "lcore", "kernel", "lcore", "NotForUs" },
        { "ESP with a priority tag", "lcore", "kernel", "lcore", "NotForUs" },
        { "IKE in UDP", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "NAT keep-alive", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "UDP to another port", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "TCP", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "first fragment of ESP in IPv4", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "last fragment of ESP in IPv4", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "fragment of ESP in IPv6", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "ESP behind hop-by-hop options", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "echo request in IPv4", "kernel", "kernel", "answer", "answer" },
        { "echo request in IPv6", "kernel", "kernel", "answer", "answer" },
        { "packet in transit, IPv4", "kernel", "lcore", "NotForUs", "lcore" },
        { "packet in transit, IPv6", "kernel", "lcore", "NotForUs", "lcore" },
        { "IPv6 from a link-local address", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "IPv4 multicast", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "IPv6 multicast", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "IPv4 broadcast", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "ESP by broadcast", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "ARP request for us", "kernel", "kernel", "answer", "answer" },
        { "ARP probe for our address", "kernel", "kernel", "answer", "answer" },
        { "ARP request for another", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "ARP reply", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "ARP announcement", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "solicitation by multicast", "kernel", "kernel", "answer", "answer" },
        { "solicitation by unicast", "kernel", "kernel", "answer", "answer" },
        { "solicitation without an address", "kernel", "kernel", "answer", "answer" },
        { "advertisement, solicited", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "advertisement, unsolicited", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "router advertisement", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "VLAN 7", "kernel", "kernel", "Tagged", "Tagged" },
        { "two tags", "kernel", "kernel", "Tagged", "Tagged" },
        { "LLDP", "kernel", "kernel", "NotForUs", "NotForUs" },
        { "to another station", "OtherStation", "OtherStation", "OtherStation", "OtherStation" },
        { "from our Ethernet address", "OwnSource", "OwnSource", "OwnSource", "OwnSource" },
        { "from our IPv4 address", "OwnSource", "OwnSource", "OwnSource", "OwnSource" },
        { "from our IPv6 address", "OwnSource", "OwnSource", "OwnSource", "OwnSource" },
        { "from an IPv4 group", "Malformed", "Malformed", "Malformed", "Malformed" },
        { "from IPv4 loopback", "Malformed", "Malformed", "Malformed", "Malformed" },
        { "to IPv6 loopback", "Malformed", "Malformed", "Malformed", "Malformed" },
        { "IPv4-mapped in IPv6", "Malformed", "Malformed", "Malformed", "Malformed" },
    };

    [Theory]
    [MemberData(nameof(Fates))]
    public void Every_kind_of_frame_has_its_way(string kind, string outside, string inside, string outsideAlone, string insideAlone)
    {
        Assert.Equal(outside, FateOf(kind, EthernetRole.Outside, kernel: true));
        Assert.Equal(inside, FateOf(kind, EthernetRole.Inside, kernel: true));
        Assert.Equal(outsideAlone, FateOf(kind, EthernetRole.Outside, kernel: false));
        Assert.Equal(insideAlone, FateOf(kind, EthernetRole.Inside, kernel: false));
    }

    [Fact]
    public void No_kind_is_forgotten() => Assert.Equal(FrameKinds.All.Keys.Order(), Fates.Select(row => row.Data.Item1).Order());

    [Theory]
    [InlineData("ESP in IPv4")]
    [InlineData("ESP in IPv6")]
    [InlineData("ESP with a priority tag")]
    public void A_packet_begins_with_its_IP_header_and_ends_without_padding(string kind)
    {
        byte[] frame = FrameKinds.All[kind];
        int header = kind.Contains("tag", StringComparison.Ordinal) ? 18 : 14;
        using var station = new Station();
        Assert.Equal([frame[header..], frame[header..]], station.Hear([.. frame, 0, 0, 0, 0, 0, 0], frame));
        Assert.Equal(2 * (frame.Length - header), station.Counters.ReceivedBytes);
    }

    [Fact]
    public void What_the_hardware_says_about_the_IPv4_checksum_is_believed()
    {
        byte[] right = FrameKinds.All["ESP in IPv4"], wrong = [.. right];
        wrong[25] ^= 1;
        using var station = new Station();
        Assert.Single(station.Hear(right));
        Assert.Empty(station.Hear(wrong));
        station.Link.Flags = PacketFlags.IpChecksumBad;
        Assert.Empty(station.Hear(right));
        Assert.Equal(2, station.Counters[EthernetDrop.Checksum]);
        station.Link.Flags = PacketFlags.IpChecksumGood;
        Assert.Single(station.Hear(wrong));
    }

    [Fact]
    public void The_UDP_checksum_around_ESP_does_not_matter()
    {
        byte[] frame = [.. FrameKinds.All["ESP in UDP in IPv4"]];
        frame[14 + 20 + 6] = 0x55;
        using var station = new Station();
        station.Link.Flags = PacketFlags.TransportChecksumBad;
        Assert.Single(station.Hear(frame));
    }

    [Theory]
    [InlineData(7, false)]
    [InlineData(11, false)]
    [InlineData(12, true)]
    [InlineData(60, true)]
    [InlineData(61, false)]
    public void The_length_in_a_UDP_header_is_within_the_packet(int length, bool isTunnel)
    {
        byte[] frame = [.. FrameKinds.All["ESP in UDP in IPv6"]];
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(14 + 40 + 4), (ushort)length);
        using var station = new Station(kernel: true);
        Assert.Equal(isTunnel ? 1 : 0, station.Hear(frame).Count);
        Assert.Equal(isTunnel ? 0 : 1, station.ToKernel().Count);
    }

    [Theory]
    [InlineData(7, 0)]
    [InlineData(8, 1)]
    public void Echo_requests_have_a_whole_header(int length, int answers)
    {
        byte[] v4 = [8, 0, 0, 0, 1, 2, 3, 4], v6 = [128, 0, 0, 0, 1, 2, 3, 4];
        v4 = v4[..length];
        BinaryPrimitives.WriteUInt16BigEndian(v4.AsSpan(2), FrameForge.Checksum(v4));
        using var station = new Station();
        station.Hear(
            FrameForge.Ip(Station.Mac, Station.PeerMac, FrameForge.IPv4("10.0.0.2", Station.IPv4, FrameForge.Icmp, v4)),
            FrameForge.Ip(Station.Mac, Station.PeerMac, FrameForge.IPv6("fd00::2", Station.IPv6, FrameForge.IcmpV6, v6[..length])));
        Assert.Equal(2 * answers, station.Counters.Answered);
    }

    [Fact]
    public void The_kernels_frames_leave_as_they_are_and_its_full_queue_is_counted()
    {
        using var station = new Station(kernel: true);
        byte[][] frames = [.. FrameKinds.All.Values];
        foreach (byte[] frame in frames)
            station.Kernel!.Incoming.Enqueue(frame);
        Assert.Equal(frames.Length, station.Port.PumpException());
        Assert.Equal(0, station.Port.PumpException());
        Assert.Equal(frames, station.Sent());
        Assert.Equal(frames.Length, station.Counters.FromException);

        station.Kernel!.Room = 1;
        byte[] tcp = FrameKinds.All["TCP"];
        station.Hear(tcp, tcp, tcp);
        Assert.Equal(1, station.Counters.ToException);
        Assert.Equal(2, station.Counters[EthernetDrop.ExceptionFull]);
        station.AssertEveryFrameIsAccountedFor();

        station.Kernel.Incoming.Enqueue(tcp);
        station.Link.Room = 0;
        Assert.Equal(1, station.Port.PumpException());
        Assert.Equal(1, station.Counters[EthernetDrop.PortFull]);
    }

    [Fact]
    public void Every_reason_has_a_counter()
    {
        EthernetCounters counters = default;
        foreach (EthernetDrop reason in Enum.GetValues<EthernetDrop>())
        {
            counters.Add(reason);
            Assert.Equal(1, counters[reason]);
        }
        Assert.Equal(0, counters.AddressConflicts);
        Assert.Throws<ArgumentOutOfRangeException>(() => counters[(EthernetDrop)200]);
    }

    private static string FateOf(string kind, EthernetRole role, bool kernel)
    {
        byte[] frame = FrameKinds.All[kind];
        using var station = new Station(role, kernel);
        bool delivered = station.Hear(frame).Count == 1;
        bool moved = station.ToKernel().Count == 1;
        station.AssertEveryFrameIsAccountedFor();
        EthernetCounters counters = station.Counters;
        Assert.Equal(counters.Answered, station.Sent().Count);
        if (delivered)
            return "lcore";
        return moved ? "kernel" : counters.Answered == 1 ? "answer" : Enum.GetValues<EthernetDrop>().Single(reason => counters[reason] == 1).ToString();
    }
}
