using System.Net;
using CryptoPlane.Aead;

namespace CryptoPlane.Esp.Tests;

/// <summary>What a path does not take is not sealed, and the caller learns what would fit (RFC 4301 §8.2).</summary>
public sealed unsafe class PathMtuTests
{
    [Theory]
    [InlineData(EspOuterHeader.Ip, false)]
    [InlineData(EspOuterHeader.Ip, true)]
    [InlineData(EspOuterHeader.IpUdp, false)]
    [InlineData(EspOuterHeader.IpUdp, true)]
    [InlineData(EspOuterHeader.None, false)]
    public void The_longest_inner_packet_fits_and_one_byte_more_does_not(EspOuterHeader outer, bool outerIPv6)
    {
        using var bed = new EspTestBed();
        OutboundSa* sa = Add(bed, outer, outerIPv6, 0);
        Assert.Equal(65_535, sa->MaxPacket);
        foreach (int mtu in (int[])[1500, 1499, 1498, 1497, 1280, 576])
        {
            sa->SetMaxPacket(mtu);
            int fits = sa->MaxInnerPacket;
            if (outer != EspOuterHeader.None)
                Assert.Equal(EspOverhead.MaxInnerPacket(mtu, outerIPv6, outer == EspOuterHeader.IpUdp), fits);
            Assert.InRange(bed.Seal(sa, InnerPackets.IPv4(fits)).Length, mtu - 3, mtu);
            ulong sequence = sa->Sequence;
            foreach (byte[] inner in (byte[][])[InnerPackets.IPv4(fits + 1), InnerPackets.IPv4(fits + 1, dontFragment: false), InnerPackets.IPv6(fits + 1)])
            {
                var packet = bed.Rent(inner);
                Assert.Equal(EspStatus.TooBig, bed.Encapsulator.TryAdd(bed.Burst, sa, packet));
                // It is the caller's, who fragments it or quotes it in an ICMP message.
                Assert.Equal(inner, packet->Span.ToArray());
                bed.Pool.Return(packet);
            }
            Assert.Equal(sequence, sa->Sequence);
            Assert.Equal(0, bed.Burst.Count);
        }
        Assert.Equal(18u, sa->Drops[EspDropReason.PathMtuExceeded]);
        sa->SetMaxPacket(0);
        bed.Seal(sa, InnerPackets.IPv4(2000));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(65_536)]
    [InlineData(100)]
    public void A_path_that_takes_next_to_nothing_is_refused(int mtu)
    {
        using var bed = new EspTestBed();
        Assert.Throws<ArgumentException>(() => { Add(bed, EspOuterHeader.Ip, false, mtu); });
        OutboundSa* sa = Add(bed, EspOuterHeader.Ip, false, 1500);
        Assert.Throws<ArgumentException>(() => sa->SetMaxPacket(mtu));
        Assert.Equal(1500, sa->MaxPacket);
    }

    private static OutboundSa* Add(EspTestBed bed, EspOuterHeader outer, bool outerIPv6, int mtu) => bed.AddOutbound(
        new OutboundSaParameters
        {
            Spi = 300,
            Algorithm = AeadAlgorithm.Aes128Gcm,
            OuterHeader = outer,
            Source = IPAddress.Parse(outerIPv6 ? "2001:db8::1" : "192.0.2.1"),
            Destination = IPAddress.Parse(outerIPv6 ? "2001:db8::2" : "192.0.2.2"),
            MaxPacket = mtu,
        },
        EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm));
}
