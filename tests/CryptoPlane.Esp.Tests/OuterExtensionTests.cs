using System.Buffers.Binary;

namespace CryptoPlane.Esp.Tests;

/// <summary>Extension headers between an outer IPv6 header and ESP (RFC 8200 §4), and what is wrong with them.</summary>
public sealed unsafe class OuterExtensionTests : IDisposable
{
    private const byte HopByHop = 0, Udp = 17, Routing = 43, Fragment = 44, Esp = 50, Authentication = 51, DestinationOptions = 60;

    private static readonly byte[] s_inner = InnerPackets.IPv4(90);

    private readonly EspTestBed _bed = new();
    private readonly OutboundSa* _sa, _udp;

    public OuterExtensionTests()
    {
        _sa = (OutboundSa*)_bed.AddLoop(outer: EspOuterHeader.Ip, outerIPv6: true, low24: 1).Out;
        _udp = (OutboundSa*)_bed.AddLoop(outer: EspOuterHeader.IpUdp, outerIPv6: true, low24: 2).Out;
    }

    public void Dispose() => _bed.Dispose();

    [Fact]
    public void Options_and_spent_routing_headers_are_skipped()
    {
        Assert.Equal(s_inner, Open(HopByHop, Extension(Esp)).Inner);
        Assert.Equal(s_inner, Open(HopByHop, [.. Extension(DestinationOptions), .. Extension(Routing, 3), .. Extension(DestinationOptions, 2), .. Extension(Esp, 4)]).Inner);
        // A fragment header with nothing to reassemble (RFC 6946).
        Assert.Equal(s_inner, Open(Fragment, [Esp, 0, 0, 0, 1, 2, 3, 4]).Inner);
        Assert.Equal(s_inner, Open(HopByHop, [.. Extension(DestinationOptions), .. Extension(Udp)], _udp).Inner);
        Assert.Equal(s_inner, Open(HopByHop, Extension(Esp, 40)).Inner);
    }

    [Fact]
    public void Congestion_marks_are_merged_as_without_extensions()
    {
        byte[] wire = With(HopByHop, Extension(Esp), _bed.Seal(_sa, InnerPackets.IPv4(90, trafficClass: 2)));
        wire[1] |= 0x30;
        byte[]? inner = _bed.Open(wire, EspIngress.IpPacket).Inner;
        Assert.NotNull(inner);
        Assert.Equal(3, inner[1]);
    }

    [Fact]
    public void Fragments_are_dropped_and_counted()
    {
        foreach (byte[] fragment in (byte[][])[[Esp, 0, 0, 1, 0, 0, 0, 1], [Esp, 0, 0, 8, 0, 0, 0, 1], [Esp, 0, 0x10, 1, 0, 0, 0, 1]])
        {
            Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.OuterFragment, null), Open(Fragment, fragment));
            Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.OuterFragment, null), Open(HopByHop, [.. Extension(Fragment), .. fragment]));
        }
    }

    [Fact]
    public void What_is_for_others_is_given_back()
    {
        // A node is left to visit.
        Assert.Equal(EspStatus.NotEsp, Open(Routing, [Esp, 0, 3, 1, 0, 0, 0, 0]).Status);
        Assert.Equal(EspStatus.NotEsp, Open(Authentication, Extension(Esp)).Status);
        Assert.Equal(EspStatus.NotEsp, Open(HopByHop, Extension(Authentication)).Status);
        byte[] nine = [.. Enumerable.Repeat(Extension(DestinationOptions), 8).SelectMany(header => header), .. Extension(Esp)];
        Assert.Equal(EspStatus.NotEsp, Open(DestinationOptions, nine).Status);
        Assert.Equal(s_inner, Open(DestinationOptions, nine[8..]).Inner);
    }

    [Fact]
    public void A_chain_that_leaves_the_packet_is_malformed()
    {
        byte[] wire = _bed.Seal(_sa, s_inner);
        for (int length = 40; length < 48; length++)
            Assert.Equal(EspDropReason.OuterMalformed, _bed.Open(Cut(With(HopByHop, Extension(Esp), wire), length), EspIngress.IpPacket).Reason);
        Assert.Equal(EspDropReason.OuterMalformed, Open(HopByHop, [Esp, 255, 0, 0, 0, 0, 0, 0]).Reason);
        Assert.Equal(EspDropReason.OuterMalformed, Open(HopByHop, [.. Extension(DestinationOptions), Esp, 99, 0, 0, 0, 0, 0, 0]).Reason);
        // It ends right where ESP should begin.
        Assert.Equal(EspDropReason.Truncated, _bed.Open(Cut(With(HopByHop, Extension(Esp), wire), 48), EspIngress.IpPacket).Reason);
    }

    private Opened Open(byte first, byte[] extensions, OutboundSa* sa = null) =>
        _bed.Open(With(first, extensions, _bed.Seal(sa == null ? _sa : sa, s_inner)), EspIngress.IpPacket);

    /// <summary>A packet with extension headers behind its IPv6 header.</summary>
    private static byte[] With(byte first, byte[] extensions, byte[] wire)
    {
        byte[] packet = [.. wire[..40], .. extensions, .. wire[40..]];
        packet[6] = first;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)(packet.Length - 40));
        return packet;
    }

    private static byte[] Cut(byte[] packet, int length)
    {
        byte[] cut = packet[..length];
        BinaryPrimitives.WriteUInt16BigEndian(cut.AsSpan(4), (ushort)(length - 40));
        return cut;
    }

    private static byte[] Extension(byte nextHeader, int words = 1) => [nextHeader, (byte)(words - 1), .. new byte[(8 * words) - 2]];
}
