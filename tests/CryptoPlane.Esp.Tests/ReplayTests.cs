using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp.Tests;

/// <summary>Replayed, reordered, late and forged packets through the decapsulator, with and without ESN.</summary>
public sealed unsafe class ReplayTests
{
    private static (byte[] Material, uint Spi) Key => (EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm), Spi.Create(0, 7));

    private static EspForge AddPeer(EspTestBed bed, out InboundSa* sa, bool esn = false, int window = 64, ulong highest = 0)
    {
        (byte[] material, uint spi) = Key;
        sa = bed.AddInbound(
            new InboundSaParameters
            {
                Spi = spi,
                Algorithm = AeadAlgorithm.Aes128Gcm,
                ExtendedSequenceNumbers = esn,
                ReplayWindow = window,
                HighestSequence = highest,
            },
            material);
        return new EspForge(AeadAlgorithm.Aes128Gcm, material, spi, esn);
    }

    [Fact]
    public void Of_many_copies_in_one_burst_the_first_is_delivered()
    {
        using var bed = new EspTestBed();
        EspForge forge = AddPeer(bed, out InboundSa* sa);
        byte[] inner = InnerPackets.IPv4(100);
        byte[] wire = forge.SealInner(5, inner);
        for (int i = 0; i < 8; i++)
            Assert.Equal(EspStatus.Added, bed.Decapsulator.TryAdd(bed.Burst, bed.Sad, bed.Rent(wire)));
        bed.Burst.Run(bed.Engine);
        bed.Decapsulator.Complete(bed.Burst);
        Assert.Equal(EspDropReason.None, bed.Decapsulator[0].Reason);
        Assert.Equal(inner, bed.Decapsulator[0].Packet->Span.ToArray());
        for (int i = 1; i < 8; i++)
        {
            PacketBuffer* packet = bed.Decapsulator[i].Packet;
            Assert.Equal(EspDropReason.Replayed, bed.Decapsulator[i].Reason);
            Assert.Equal(0, packet->Length);
            // Its plaintext was opened in place, and is gone.
            Assert.Equal(-1, new ReadOnlySpan<byte>(packet->Data, packet->Tailroom)[..wire.Length].IndexOf(inner.AsSpan(0, 16)));
        }
        Assert.Equal(7u, sa->Drops[EspDropReason.Replayed]);
        Assert.Equal(7u, bed.Decapsulator.Drops[EspDropReason.Replayed]);
        Assert.Equal(1u, sa->Packets);
    }

    [Fact]
    public void Of_two_copies_in_two_bursts_in_flight_one_is_delivered()
    {
        using var bed = new EspTestBed();
        EspForge forge = AddPeer(bed, out InboundSa* sa);
        using var secondBurst = new AeadBurst(8);
        using var second = new EspDecapsulator(8);
        byte[] wire = forge.SealInner(9, InnerPackets.IPv4(100));
        PacketBuffer* one = bed.Rent(wire), two = bed.Rent(wire);
        Assert.Equal(EspStatus.Added, bed.Decapsulator.TryAdd(bed.Burst, bed.Sad, one));
        Assert.Equal(EspStatus.Added, second.TryAdd(secondBurst, bed.Sad, two));
        // The later burst comes back first.
        secondBurst.Run(bed.Engine);
        second.Complete(secondBurst);
        bed.Burst.Run(bed.Engine);
        bed.Decapsulator.Complete(bed.Burst);
        Assert.Equal(EspDropReason.None, second[0].Reason);
        Assert.Equal(EspDropReason.Replayed, bed.Decapsulator[0].Reason);
        Assert.Equal(1u, sa->Packets);
        // From now on a copy is refused before it costs any cryptography.
        Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.Replayed, null), OpenNext(bed, wire));
    }

    [Theory]
    [InlineData(false, 0ul)]
    [InlineData(true, 0ul)]
    [InlineData(true, 0x3_FFFF_FFE0ul)]
    public void Reordered_packets_are_delivered_once_and_late_ones_never(bool esn, ulong start)
    {
        const int window = 128;
        using var bed = new EspTestBed();
        EspForge forge = AddPeer(bed, out InboundSa* sa, esn, window, start);
        var random = new Random(11);
        byte[] inner = InnerPackets.IPv4(64);
        var delivered = new HashSet<ulong>();
        ulong highest = start;
        for (int i = 0; i < 5000; i++)
        {
            ulong sequence = highest + (ulong)random.Next(1, 6);
            if (random.Next(2) == 0)
                sequence = (ulong)Math.Max(1, (long)highest - random.Next(200));
            bool late = sequence <= highest && highest - sequence >= window;
            bool seen = sequence <= start || delivered.Contains(sequence);
            Opened opened = bed.Open(forge.SealInner(sequence, inner));
            if (late && esn)
            {
                // RFC 4303 Appendix A2.2: left of the window it reads as a number of the next subspace, whose ICV is not there.
                Assert.Equal(EspDropReason.AuthenticationFailed, opened.Reason);
            }
            else
            {
                Assert.Equal(late ? EspDropReason.Late : seen ? EspDropReason.Replayed : EspDropReason.None, opened.Reason);
            }
            if (opened.Inner != null)
                delivered.Add(sequence);
            highest = Math.Max(highest, late || seen ? highest : sequence);
            Assert.Equal(highest, sa->HighestSequence);
        }
        Assert.Equal((ulong)delivered.Count, sa->Packets);
        Assert.True(delivered.Count > 2000);
    }

    [Fact]
    public void Sequence_numbers_pass_2_to_the_32_with_ESN()
    {
        using var bed = new EspTestBed();
        const ulong start = 0xFFFF_FFFFul - 100;
        EspForge forge = AddPeer(bed, out InboundSa* sa, esn: true, highest: start);
        byte[] inner = InnerPackets.IPv6(90);
        for (ulong i = 1; i <= 200; i++)
            Assert.Equal(inner, bed.Open(forge.SealInner(start + i, inner)).Inner);
        Assert.Equal(start + 200, sa->HighestSequence);
        // A gap over the edge, then its numbers from behind.
        Assert.Equal(inner, bed.Open(forge.SealInner(0x1_FFFF_FFF0, inner)).Inner);
        Assert.Equal(inner, bed.Open(forge.SealInner(0x2_0000_0005, inner)).Inner);
        Assert.Equal(inner, bed.Open(forge.SealInner(0x1_FFFF_FFF8, inner)).Inner);
        Assert.Equal(EspDropReason.Replayed, bed.Open(forge.SealInner(0x1_FFFF_FFF8, inner)).Reason);
    }

    [Fact]
    public void A_forged_packet_moves_nothing()
    {
        using var bed = new EspTestBed();
        EspForge forge = AddPeer(bed, out InboundSa* sa);
        byte[] inner = InnerPackets.IPv4(64);
        Assert.NotNull(bed.Open(forge.SealInner(10, inner)).Inner);
        for (ulong sequence = 11; sequence < 5000; sequence += 31)
        {
            byte[] forged = forge.SealInner(sequence, inner);
            forged[20] ^= 0x80;
            Assert.Equal(new Opened(EspStatus.Added, EspDropReason.AuthenticationFailed, null), bed.Open(forged));
        }
        Assert.Equal(10u, sa->HighestSequence);
        Assert.NotNull(bed.Open(forge.SealInner(9, inner)).Inner);
        Assert.NotNull(bed.Open(forge.SealInner(11, inner)).Inner);
    }

    [Fact]
    public void Sequence_number_0_is_refused()
    {
        using var bed = new EspTestBed();
        EspForge forge = AddPeer(bed, out _);
        Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.Late, null), bed.Open(forge.SealInner(0, InnerPackets.IPv4(64))));
    }

    [Fact]
    public void What_a_restored_SA_counts_as_received_is_refused()
    {
        using var bed = new EspTestBed();
        EspForge forge = AddPeer(bed, out _, highest: 1000);
        byte[] inner = InnerPackets.IPv4(64);
        Assert.Equal(EspDropReason.Replayed, bed.Open(forge.SealInner(1000, inner)).Reason);
        Assert.Equal(EspDropReason.Replayed, bed.Open(forge.SealInner(960, inner)).Reason);
        Assert.Equal(EspDropReason.Late, bed.Open(forge.SealInner(936, inner)).Reason);
        Assert.NotNull(bed.Open(forge.SealInner(1001, inner)).Inner);
    }

    private static Opened OpenNext(EspTestBed bed, byte[] wire)
    {
        bed.Decapsulator.Clear();
        bed.Burst.Clear();
        return bed.Open(wire);
    }
}
