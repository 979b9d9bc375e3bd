using System.Buffers.Binary;
using System.Net;
using CryptoPlane.Esp.Wire;
using CryptoPlane.TestKit;

namespace CryptoPlane.Esp.Tests.Wire;

/// <summary>The outer headers of whole packets, read back field by field.</summary>
public sealed unsafe class OuterHeaderTests
{
    [Theory]
    [InlineData(EspOuterHeader.Ip)]
    [InlineData(EspOuterHeader.IpUdp)]
    public void IPv4_header_and_checksum(EspOuterHeader outer)
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop(outer: outer);
        for (int length = 28; length < 300; length++)
        {
            byte[] wire = bed.Seal((OutboundSa*)o, InnerPackets.IPv4(length, length, trafficClass: (byte)length));
            Assert.Equal(0x45, wire[0]);
            Assert.Equal((byte)length, wire[1]);
            Assert.Equal(wire.Length, BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(2)));
            Assert.Equal(64, wire[8]);
            Assert.Equal(outer == EspOuterHeader.Ip ? 50 : 17, wire[9]);
            Assert.Equal(0, InnerPackets.Checksum(wire.AsSpan(0, 20)));
            Assert.Equal("192.0.2.1", new IPAddress(wire.AsSpan(12, 4)).ToString());
            Assert.Equal("198.51.100.2", new IPAddress(wire.AsSpan(16, 4)).ToString());
            if (outer == EspOuterHeader.Ip)
                continue;
            Assert.Equal(4500, BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(20)));
            Assert.Equal(4500, BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(22)));
            Assert.Equal(wire.Length - 20, BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(24)));
            Assert.Equal(0, BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(26)));
        }
    }

    [Theory]
    [InlineData(EspOuterHeader.Ip)]
    [InlineData(EspOuterHeader.IpUdp)]
    public void IPv6_header_and_UDP_checksum(EspOuterHeader outer)
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop(outer: outer, outerIPv6: true);
        for (int length = 48; length < 300; length++)
        {
            byte[] inner = length % 2 == 0
                ? InnerPackets.IPv6(length, length, trafficClass: (byte)length)
                : InnerPackets.IPv4(length, length, trafficClass: (byte)length);
            byte[] wire = bed.Seal((OutboundSa*)o, inner);
            Assert.Equal(0x6000_0000u | ((uint)(byte)length << 20), BinaryPrimitives.ReadUInt32BigEndian(wire));
            Assert.Equal(wire.Length - 40, BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(4)));
            Assert.Equal(outer == EspOuterHeader.Ip ? 50 : 17, wire[6]);
            Assert.Equal(64, wire[7]);
            Assert.Equal("2001:db8:1::1", new IPAddress(wire.AsSpan(8, 16)).ToString());
            Assert.Equal("2001:db8:2::2", new IPAddress(wire.AsSpan(24, 16)).ToString());
            if (outer == EspOuterHeader.Ip)
                continue;
            // RFC 8200 §8.1: pseudo-header and datagram sum to zero, and 0 itself is never sent.
            byte[] pseudo = [.. wire[8..40], 0, 0, wire[44], wire[45], 0, 0, 0, 17, .. wire[40..]];
            Assert.Equal(0, InnerPackets.Checksum(pseudo));
            Assert.NotEqual(0, BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(46)));
        }
    }

    [Fact]
    public void A_UDP_checksum_of_zero_is_sent_as_all_ones()
    {
        byte[] packet = InnerPackets.IPv6(80, 3);
        packet[^2] = packet[^1] = 0;
        using var buffer = new NativeBuffer(packet);
        OuterHeader.WriteUdpChecksum(buffer.Pointer, packet.Length);
        // The checksum itself as the payload's last word brings the sum to all ones, and so the checksum to 0.
        buffer.Span.Slice(46, 2).CopyTo(buffer.Span[^2..]);
        buffer.Span.Slice(46, 2).Clear();
        OuterHeader.WriteUdpChecksum(buffer.Pointer, packet.Length);
        Assert.Equal(0xFFFF, BinaryPrimitives.ReadUInt16BigEndian(buffer.Span[46..]));
    }

    [Theory]
    [InlineData(EspDfPolicy.Copy, true, true)]
    [InlineData(EspDfPolicy.Copy, false, false)]
    [InlineData(EspDfPolicy.Set, false, true)]
    [InlineData(EspDfPolicy.Clear, true, false)]
    public void Dont_fragment_follows_the_policy(EspDfPolicy policy, bool inner, bool expected)
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop(outer: EspOuterHeader.Ip, dontFragment: policy);
        for (ushort i = 1; i <= 3; i++)
        {
            byte[] wire = bed.Seal((OutboundSa*)o, InnerPackets.IPv4(64, dontFragment: inner));
            Assert.Equal(expected ? 0x4000 : 0, BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(6)));
            // Routers may fragment only what has an identification of its own.
            Assert.Equal(expected ? 0 : i, BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(4)));
            Assert.Equal(0, InnerPackets.Checksum(wire.AsSpan(0, 20)));
        }
        byte[] overIPv6 = bed.Seal((OutboundSa*)o, InnerPackets.IPv6(64));
        Assert.Equal(policy == EspDfPolicy.Clear ? 0 : 0x4000, BinaryPrimitives.ReadUInt16BigEndian(overIPv6.AsSpan(6)));
    }
}
