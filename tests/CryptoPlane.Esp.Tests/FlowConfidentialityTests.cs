using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp.Tests;

/// <summary>Padding and dummies that hide how long packets are, and whether there are any (RFC 4303 §2.6, §2.7).</summary>
public sealed unsafe class FlowConfidentialityTests
{
    private const AeadAlgorithm Algorithm = AeadAlgorithm.Aes128Gcm;

    [Theory]
    [InlineData(EspOuterHeader.None)]
    [InlineData(EspOuterHeader.Ip)]
    [InlineData(EspOuterHeader.IpUdp)]
    public void Shorter_packets_and_dummies_look_like_those_of_the_length_that_they_are_padded_to(EspOuterHeader outer)
    {
        using var bed = new EspTestBed();
        OutboundSa* sa = Add(bed, outer, padTo: 600);
        EspIngress ingress = outer == EspOuterHeader.None ? EspIngress.Esp : EspIngress.IpPacket;
        int length = bed.Seal(sa, InnerPackets.IPv4(600)).Length;
        foreach (byte[] inner in (byte[][])[InnerPackets.IPv4(28), InnerPackets.IPv4(599), InnerPackets.IPv6(48), InnerPackets.IPv6(333)])
        {
            byte[] wire = bed.Seal(sa, inner);
            Assert.Equal(length, wire.Length);
            Assert.Equal(inner, bed.Open(wire, ingress).Inner);
        }
        Assert.Equal(length + 4, bed.Seal(sa, InnerPackets.IPv4(603)).Length);
        byte[] dummy = SealDummy(bed, sa, 40);
        Assert.Equal(length, dummy.Length);
        Assert.Equal(new Opened(EspStatus.Added, EspDropReason.Dummy, null), bed.Open(dummy, ingress));
    }

    [Fact]
    public void Padding_is_zeros_and_never_what_was_in_the_buffer()
    {
        using var bed = new EspTestBed();
        OutboundSa* sa = Add(bed, EspOuterHeader.None, padTo: 200);
        PacketBuffer* packet = bed.Rent(InnerPackets.IPv4(2000, seed: 3));
        packet->TrySetLength(100);
        packet->Data[2] = 0;
        packet->Data[3] = 100;
        Assert.Equal(EspStatus.Added, bed.Encapsulator.TryAdd(bed.Burst, sa, packet));
        // Before the burst runs the packet is still plain.
        Assert.All(new ReadOnlySpan<byte>(packet->Data + 16 + 100, 100).ToArray(), padding => Assert.Equal(0, padding));
        bed.Burst.Run(bed.Engine);
        bed.Encapsulator.Complete(bed.Burst);
        Assert.Equal(100u, sa->Bytes);
    }

    [Fact]
    public void Padding_stops_at_what_the_path_takes()
    {
        using var bed = new EspTestBed();
        OutboundSa* sa = Add(bed, EspOuterHeader.Ip, padTo: 1500, maxPacket: 1000);
        Assert.InRange(bed.Seal(sa, InnerPackets.IPv4(28)).Length, 997, 1000);
        Assert.Equal(bed.Seal(sa, InnerPackets.IPv4(sa->MaxInnerPacket)).Length, bed.Seal(sa, InnerPackets.IPv4(28)).Length);
    }

    [Fact]
    public void Dummies_use_up_numbers_and_room_as_packets_do()
    {
        using var bed = new EspTestBed(bufferSize: 400);
        OutboundSa* sa = Add(bed, EspOuterHeader.None);
        SealDummy(bed, sa, 64);
        Assert.Equal(1u, sa->Sequence);
        Assert.Equal(1u, sa->Packets);
        PacketBuffer* packet = bed.Rent([]);
        Assert.Equal(EspStatus.Dropped, bed.Encapsulator.TryAddDummy(bed.Burst, sa, packet, 390));
        Assert.Equal(EspStatus.Dropped, bed.Encapsulator.TryAddDummy(bed.Burst, sa, packet, 4000));
        Assert.Equal(2u, sa->Drops[EspDropReason.NoRoom]);
        Assert.Throws<ArgumentOutOfRangeException>(() => { bed.Encapsulator.TryAddDummy(bed.Burst, sa, packet, 19); });
        for (int i = 0; i < EspTestBed.BurstSize; i++)
            Assert.Equal(EspStatus.Added, bed.Encapsulator.TryAddDummy(bed.Burst, sa, bed.Rent([]), 40));
        Assert.Equal(EspStatus.BurstFull, bed.Encapsulator.TryAddDummy(bed.Burst, sa, packet, 40));
        bed.Burst.Run(bed.Engine);
        bed.Encapsulator.Complete(bed.Burst);
    }

    [Fact]
    public void A_length_that_no_packet_has_is_refused()
    {
        foreach (int padTo in (int[])[65_536, -1])
        {
            using var bed = new EspTestBed();
            Assert.Throws<ArgumentException>(() => { Add(bed, EspOuterHeader.None, padTo); });
        }
    }

    private static OutboundSa* Add(EspTestBed bed, EspOuterHeader outer, int padTo = 0, int maxPacket = 0)
    {
        byte[] material = EspTestBed.KeyingMaterial(Algorithm);
        uint spi = Spi.Create(0, 77);
        bed.AddInbound(new InboundSaParameters { Spi = spi, Algorithm = Algorithm }, material);
        return bed.AddOutbound(
            new OutboundSaParameters
            {
                Spi = spi,
                Algorithm = Algorithm,
                OuterHeader = outer,
                Source = new([192, 0, 2, 1]),
                Destination = new([192, 0, 2, 2]),
                PadTo = padTo,
                MaxPacket = maxPacket,
            },
            material);
    }

    private static byte[] SealDummy(EspTestBed bed, OutboundSa* sa, int length)
    {
        PacketBuffer* packet = bed.Rent(InnerPackets.IPv4(length));
        Assert.Equal(EspStatus.Added, bed.Encapsulator.TryAddDummy(bed.Burst, sa, packet, length));
        bed.Burst.Run(bed.Engine);
        bed.Encapsulator.Complete(bed.Burst);
        Assert.Equal(EspDropReason.None, bed.Encapsulator[0].Reason);
        byte[] wire = packet->Span.ToArray();
        bed.Encapsulator.Clear();
        bed.Burst.Clear();
        bed.Pool.Return(packet);
        return wire;
    }
}
