using System.Buffers.Binary;
using CryptoPlane.Esp.Wire;
using CryptoPlane.TestKit;

namespace CryptoPlane.Esp.Tests;

/// <summary>Received packets that are wrong outside of what the ICV covers.</summary>
public sealed unsafe class MalformedOuterTests
{
    private static readonly byte[] s_inner = InnerPackets.IPv4(96);

    public static TheoryData<EspOuterHeader, bool> Forms()
    {
        TheoryData<EspOuterHeader, bool> forms = WholePacketForms();
        forms.Add(EspOuterHeader.None, false);
        return forms;
    }

    public static TheoryData<EspOuterHeader, bool> WholePacketForms() => new()
    {
        { EspOuterHeader.Ip, false },
        { EspOuterHeader.IpUdp, false },
        { EspOuterHeader.Ip, true },
        { EspOuterHeader.IpUdp, true },
    };

    private static EspIngress IngressOf(EspOuterHeader outer) => outer == EspOuterHeader.None ? EspIngress.Esp : EspIngress.IpPacket;

    [Theory]
    [MemberData(nameof(Forms))]
    public void Truncated_at_every_length_nothing_is_delivered(EspOuterHeader outer, bool ipv6)
    {
        using var bed = new EspTestBed();
        (nint o, nint i) = bed.AddLoop(outer: outer, outerIPv6: ipv6);
        byte[] wire = bed.Seal((OutboundSa*)o, s_inner);
        for (int length = 0; length < wire.Length; length++)
        {
            Opened opened = bed.Open(wire.AsSpan(0, length), IngressOf(outer));
            Assert.Null(opened.Inner);
            Assert.Contains(opened.Reason, (EspDropReason[])[EspDropReason.Truncated, EspDropReason.OuterMalformed, EspDropReason.AuthenticationFailed]);
        }
        Assert.Equal(0u, ((InboundSa*)i)->HighestSequence);
        Assert.Equal(s_inner, bed.Open(wire, IngressOf(outer)).Inner);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void The_outer_headers_are_read_within_the_packet(EspOuterHeader outer, bool ipv6)
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop(outer: outer, outerIPv6: ipv6);
        byte[] wire = bed.Seal((OutboundSa*)o, s_inner);
        for (int length = 0; length <= wire.Length; length++)
        {
            // Behind the last byte lies a page that kills the process when it is read.
            using var buffer = new NativeBuffer(wire.AsSpan(0, length), GuardPage.Behind);
            foreach (EspIngress ingress in Enum.GetValues<EspIngress>())
            {
                EspStatus status = Ingress.Locate(buffer.Pointer, length, ingress, out Ingress.Location location, out _);
                if (status == EspStatus.Added)
                    Assert.InRange(location.Offset + location.Length, 0, length);
            }
            InnerPacket.TryMeasure(buffer.Pointer, length, out _, out _);
        }
    }

    [Theory]
    [MemberData(nameof(WholePacketForms))]
    public void Every_value_of_every_outer_length_is_survived(EspOuterHeader outer, bool ipv6)
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop(outer: outer, outerIPv6: ipv6);
        byte[] wire = bed.Seal((OutboundSa*)o, s_inner);
        int ip = ipv6 ? 40 : 20;
        var offsets = new List<int> { ipv6 ? 4 : 2 };
        if (outer == EspOuterHeader.IpUdp)
            offsets.Add(ip + 4);
        foreach (int offset in offsets)
        {
            ushort right = BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(offset));
            for (int value = 0; value <= ushort.MaxValue; value += value < 400 ? 1 : 97)
            {
                if (value == right)
                    continue;
                byte[] wrong = [.. wire];
                BinaryPrimitives.WriteUInt16BigEndian(wrong.AsSpan(offset), (ushort)value);
                Opened opened = bed.Open(wrong, EspIngress.IpPacket);
                Assert.Null(opened.Inner);
                if (value > right)
                    Assert.Equal(EspDropReason.OuterMalformed, opened.Reason);
                else
                    Assert.NotEqual(EspDropReason.None, opened.Reason);
            }
        }
        for (int first = 0; first < 256; first++)
        {
            byte[] wrong = [.. wire];
            wrong[0] = (byte)first;
            bool same = ipv6 ? first >> 4 == 6 : first == 0x45;
            Opened opened = bed.Open(wrong, EspIngress.IpPacket);
            Assert.Equal(same, opened.Inner != null);
            if (same)
                wire = bed.Seal((OutboundSa*)o, s_inner);
        }
    }

    [Theory]
    [MemberData(nameof(WholePacketForms))]
    public void Link_padding_behind_the_outer_packet_is_cut_off(EspOuterHeader outer, bool ipv6)
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop(outer: outer, outerIPv6: ipv6);
        byte[] wire = bed.Seal((OutboundSa*)o, s_inner);
        Assert.Equal(s_inner, bed.Open([.. wire, 1, 2, 3, 4, 5, 6, 7], EspIngress.IpPacket).Inner);
    }

    [Fact]
    public void Outer_fragments_are_dropped_under_their_own_name()
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop(outer: EspOuterHeader.Ip);
        foreach (ushort field in (ushort[])[0x2000, 0x0001, 0x1FFF, 0x3000])
        {
            byte[] wire = bed.Seal((OutboundSa*)o, s_inner);
            BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(6), field);
            Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.OuterFragment, null), bed.Open(wire, EspIngress.IpPacket));
        }
    }

    [Fact]
    public void Other_protocols_are_given_back_unchanged()
    {
        using var bed = new EspTestBed();
        byte[] tcp = InnerPackets.IPv4(60);
        tcp[9] = 6;
        Assert.Equal(new Opened(EspStatus.NotEsp, EspDropReason.None, null), bed.Open(tcp, EspIngress.IpPacket));
        byte[] icmp = InnerPackets.IPv6(80);
        icmp[6] = 58;
        Assert.Equal(new Opened(EspStatus.NotEsp, EspDropReason.None, null), bed.Open(icmp, EspIngress.IpPacket));
    }

    [Fact]
    public void An_unknown_SPI_is_counted()
    {
        using var bed = new EspTestBed();
        (nint o, nint i) = bed.AddLoop();
        byte[] wire = bed.Seal((OutboundSa*)o, s_inner);
        for (uint spi = 0; spi < 1000; spi++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(wire, spi * 7919);
            Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.UnknownSpi, null), bed.Open(wire));
        }
        Assert.Equal(0u, ((InboundSa*)i)->Drops.TotalDropped);
    }
}
