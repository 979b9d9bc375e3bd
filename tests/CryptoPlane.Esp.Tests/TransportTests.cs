using System.Buffers.Binary;
using System.Net;
using CryptoPlane.Esp.Tests.Selectors;

namespace CryptoPlane.Esp.Tests;

/// <summary>Transport mode (RFC 4303 §3.1.1): packets keep their IP header, of which lengths, protocol and checksum are made right.</summary>
public sealed unsafe class TransportTests
{
    private const byte HopByHop = 0, Udp = 17, Routing = 43, Fragment = 44, DestinationOptions = 60;

    public static TheoryData<int, EspOuterHeader> Forms
    {
        get
        {
            var data = new TheoryData<int, EspOuterHeader>();
            for (int i = 0; i < FormSa.All.Length; i++)
            {
                if (FormSa.All[i].Mode != SaMode.Transport)
                    continue;
                data.Add(i, EspOuterHeader.Ip);
                data.Add(i, EspOuterHeader.IpUdp);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Packets_come_out_as_they_went_in(int form, EspOuterHeader outer)
    {
        using var bed = new EspTestBed();
        OutboundSa* sa = FormSa.All[form].AddOutbound(bed, outer);
        InboundSa* inbound = FormSa.All[form].AddInbound(bed);
        int udp = outer == EspOuterHeader.IpUdp ? 8 : 0;
        for (int length = 28; length < 120; length++)
        {
            byte[] v4 = InnerPackets.IPv4(length, length, trafficClass: 0xB9);
            byte[] wire = bed.Seal(sa, v4);
            Assert.Equal(v4[12..20], wire[12..20]);
            Assert.Equal(0xB9, wire[1]);
            Assert.Equal(udp != 0 ? 17 : 50, wire[9]);
            Assert.Equal(wire.Length, BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(2)));
            Assert.Equal(0, InnerPackets.Checksum(wire.AsSpan(0, 20)));
            Assert.Equal(FormSa.Spi, BinaryPrimitives.ReadUInt32BigEndian(wire.AsSpan(20 + udp)));
            Assert.Equal(v4, bed.Open(wire, EspIngress.IpPacket).Inner);
            Assert.Equal(EspDropReason.Replayed, bed.Open(wire, EspIngress.IpPacket).Reason);

            byte[] v6 = InnerPackets.IPv6(length + 20, length, trafficClass: 0x2E);
            wire = bed.Seal(sa, v6);
            Assert.Equal(v6[..4], wire[..4]);
            Assert.Equal(udp != 0 ? 17 : 50, wire[6]);
            Assert.Equal(wire.Length - 40, BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(4)));
            Assert.True(udp == 0 || BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(46)) != 0);
            Assert.Equal(v6, bed.Open(wire, EspIngress.IpPacket).Inner);
        }
        Assert.Equal(sa->Bytes, inbound->Bytes);
        Assert.Equal(184u, inbound->Packets);
    }

    [Fact]
    public void Options_stay_outside()
    {
        foreach (FormSa form in FormSa.All.Where(form => form.Mode == SaMode.Transport))
        {
            using var bed = new EspTestBed();
            OutboundSa* sa = form.AddOutbound(bed, EspOuterHeader.Ip);
            form.AddInbound(bed);
            byte[] ports = SelectorPackets.WithPorts(1, 2, 40);
            byte[] options = SelectorPackets.IPv4("10.0.0.1", "10.0.0.2", Udp, ports, options: 40);
            byte[] wire = bed.Seal(sa, options);
            Assert.Equal(0x4F, wire[0]);
            Assert.Equal(options, bed.Open(wire, EspIngress.IpPacket).Inner);
            byte[] extended = SelectorPackets.IPv6("fd00::1", "fd00::2", HopByHop,
                [.. SelectorPackets.Extension(DestinationOptions, 2), .. SelectorPackets.Extension(Routing), .. SelectorPackets.Extension(DestinationOptions), .. SelectorPackets.Extension(Udp), .. ports]);
            wire = bed.Seal(sa, extended);
            // Hop-by-hop, destination options for the nodes on the way, and routing stay; the destination's own options do not.
            Assert.Equal(50, wire[64]);
            Assert.Equal(extended[41..64], wire[41..64]);
            Assert.Equal(extended, bed.Open(wire, EspIngress.IpPacket).Inner);
        }
    }

    [Fact]
    public void Where_the_port_makes_the_header_only_ESP_is_left()
    {
        using var bed = new EspTestBed();
        FormSa form = FormSa.All.Last();
        OutboundSa* sa = form.AddOutbound(bed, EspOuterHeader.None);
        form.AddInbound(bed);
        byte[] inner = InnerPackets.IPv4(77);
        byte[] esp = bed.Seal(sa, inner);
        Assert.Equal(FormSa.Spi, BinaryPrimitives.ReadUInt32BigEndian(esp));
        // Without the header that it came with there is nothing to make an IP packet of.
        Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.NotTransport, null), bed.Open(esp));
        byte[] wire = [.. inner[..20], .. esp];
        BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(2), (ushort)wire.Length);
        wire[9] = 50;
        Assert.Equal(inner, bed.Open(wire, EspIngress.IpPacket).Inner);
    }

    [Fact]
    public void Fragments_and_dummies_have_no_transport_mode()
    {
        using var bed = new EspTestBed();
        OutboundSa* sa = FormSa.All.Last().AddOutbound(bed, EspOuterHeader.IpUdp);
        byte[] ports = SelectorPackets.WithPorts(1, 2);
        byte[] first = SelectorPackets.IPv4("10.0.0.1", "10.0.0.2", Udp, ports);
        first[6] = 0x20;
        byte[][] refused =
        [
            first,
            SelectorPackets.IPv4("10.0.0.1", "10.0.0.2", Udp, ports, fragmentOffset: 8),
            SelectorPackets.IPv6("fd00::1", "fd00::2", Fragment, [.. SelectorPackets.Fragment(Udp, 0), .. ports]),
            SelectorPackets.IPv6("fd00::1", "fd00::2", HopByHop, [.. SelectorPackets.Extension(Fragment), .. SelectorPackets.Fragment(Udp, 8), .. ports]),
            // A chain that ends too early, one that is too long, and one that cannot go before UDP.
            SelectorPackets.IPv6("fd00::1", "fd00::2", HopByHop, [Udp, 9, 0, 0, 0, 0, 0, 0]),
            SelectorPackets.IPv6("fd00::1", "fd00::2", HopByHop, [.. SelectorPackets.Extension(Udp, 30), .. ports]),
            SelectorPackets.IPv6("fd00::1", "fd00::2", HopByHop, [.. SelectorPackets.Extension(Udp), .. ports]),
        ];
        foreach (byte[] packet in refused)
        {
            Assert.Null(bed.TrySeal(sa, packet, out EspStatus status));
            Assert.Equal(EspStatus.Dropped, status);
        }
        Assert.Equal(EspStatus.Dropped, bed.Encapsulator.TryAddDummy(bed.Burst, sa, bed.Rent([]), 40));
        Assert.Equal((ulong)refused.Length + 1, sa->Drops[EspDropReason.NotTransport]);
        Assert.Equal(0u, sa->Sequence);
        Assert.Throws<ArgumentException>(() => { FormSa.All.Last().AddOutbound(bed, EspOuterHeader.Ip, padTo: 100); });
    }

    [Fact]
    public void Selectors_see_the_packet_with_its_header()
    {
        using var bed = new EspTestBed();
        FormSa form = FormSa.All.Last();
        OutboundSa* sa = form.AddOutbound(bed, EspOuterHeader.Ip);
        form.AddInbound(bed, 0, EspSelector.FromPrefix(IPNetwork.Parse("10.1.0.0/16"), Udp, 1000, 1000));
        byte[] wire = bed.Seal(sa, InnerPackets.IPv4(60));
        Assert.Equal(InnerPackets.IPv4(60), bed.Open(wire, EspIngress.IpPacket).Inner);
        // The header is not authenticated in transport mode: a source that was changed on the way is the selectors' to find.
        wire = bed.Seal(sa, InnerPackets.IPv4(60));
        wire[13] ^= 8;
        Assert.Equal(EspDropReason.SelectorMismatch, bed.Open(wire, EspIngress.IpPacket).Reason);
        Assert.Equal(EspDropReason.SelectorMismatch, bed.Open(bed.Seal(sa, SelectorPackets.IPv4("10.1.0.1", "10.2.0.2", Udp, SelectorPackets.WithPorts(999, 1))), EspIngress.IpPacket).Reason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_said_to_fit_a_path_fits(bool ipv6)
    {
        foreach (FormSa form in FormSa.All)
        {
            foreach (EspOuterHeader outer in (EspOuterHeader[])[EspOuterHeader.Ip, EspOuterHeader.IpUdp, EspOuterHeader.None])
            {
                using var bed = new EspTestBed();
                OutboundSa* sa = form.AddOutbound(bed, outer, ipv6);
                for (int mtu = 1400; mtu < 1420; mtu++)
                {
                    sa->SetMaxPacket(mtu);
                    int fits = sa->MaxInnerPacket;
                    Assert.InRange(bed.Seal(sa, ipv6 ? InnerPackets.IPv6(fits) : InnerPackets.IPv4(fits)).Length, mtu - 47, mtu);
                    Assert.Null(bed.TrySeal(sa, ipv6 ? InnerPackets.IPv6(fits + 40) : InnerPackets.IPv4(fits + 40), out EspStatus status));
                    Assert.Equal(EspStatus.TooBig, status);
                }
            }
        }
    }

    [Fact]
    public void Random_damage_never_delivers_another_packet()
    {
        var random = new Random(3602);
        foreach (FormSa form in FormSa.All)
        {
            using var bed = new EspTestBed();
            OutboundSa* sa = form.AddOutbound(bed, EspOuterHeader.IpUdp);
            form.AddInbound(bed);
            for (int i = 0; i < 600; i++)
            {
                byte[] inner = random.Next(2) == 0 ? InnerPackets.IPv4(random.Next(28, 120), i) : InnerPackets.IPv6(random.Next(48, 120), i);
                byte[] wire = bed.Seal(sa, inner);
                wire[random.Next(random.Next(2) == 0 ? 48 : wire.Length)] ^= (byte)random.Next(1, 256);
                Opened opened = bed.Open(random.Next(4) == 0 ? wire[..random.Next(wire.Length)] : wire, EspIngress.IpPacket);
                if (opened.Inner != null)
                    Assert.Equal(inner[^8..], opened.Inner[^8..]);
            }
        }
    }
}
