using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp.Tests;

/// <summary>Sequence numbers, reservations, lifetimes and the layout of the state that holds them.</summary>
public sealed unsafe class SaStateTests
{
    private static readonly byte[] s_inner = InnerPackets.IPv4(100);

    private static OutboundSaParameters Parameters(
        bool esn = false, ulong first = 1, ulong limit = ulong.MaxValue, SaLifetime lifetime = default) => new()
        {
            Spi = Spi.Create(0, 1),
            Algorithm = AeadAlgorithm.Aes128Gcm,
            ExtendedSequenceNumbers = esn,
            FirstSequence = first,
            SequenceLimit = limit,
            Lifetime = lifetime,
        };

    [Theory]
    [InlineData(false, uint.MaxValue)]
    [InlineData(true, ulong.MaxValue)]
    public void The_last_sequence_number_is_used_once_and_none_after_it(bool esn, ulong last)
    {
        using var bed = new EspTestBed();
        OutboundSa* sa = bed.AddOutbound(Parameters(esn, last - 2), EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm));
        for (int i = 0; i < 3; i++)
            bed.Seal(sa, s_inner);
        Assert.Equal(last, sa->Sequence);
        for (int i = 0; i < 3; i++)
        {
            Assert.Null(bed.TrySeal(sa, s_inner, out EspStatus status));
            Assert.Equal(EspStatus.SequenceExhausted, status);
        }
        Assert.Equal(last, sa->Sequence);
        Assert.Equal(3u, sa->Packets);
        Assert.Equal(0u, sa->SequencesLeft);
        Assert.Equal(3u, sa->Drops[EspDropReason.SequenceExhausted]);
    }

    [Fact]
    public void Nothing_is_sent_beyond_the_reserved_numbers_until_the_owner_reserves_more()
    {
        using var bed = new EspTestBed();
        OutboundSa* sa = bed.AddOutbound(Parameters(first: 1001, limit: 1010), EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm));
        var ivs = new HashSet<string>();
        Assert.Equal(10u, sa->SequencesLeft);
        for (int i = 0; i < 10; i++)
            Assert.True(ivs.Add(Convert.ToHexString(bed.Seal(sa, s_inner).AsSpan(8, 8))));
        Assert.Equal(0u, sa->SequencesLeft);

        PacketBuffer* packet = bed.Rent(s_inner);
        Assert.Equal(EspStatus.SequenceLimitReached, bed.Encapsulator.TryAdd(bed.Burst, sa, packet));
        Assert.Equal(s_inner, packet->Span.ToArray());
        Assert.Equal(0, bed.Burst.Count);
        Assert.Equal(1u, sa->Drops[EspDropReason.SequenceLimitReached]);
        Assert.Throws<ArgumentOutOfRangeException>(() => sa->RaiseSequenceLimit(1009));

        sa->RaiseSequenceLimit(1012);
        for (int i = 0; i < 2; i++)
            Assert.True(ivs.Add(Convert.ToHexString(bed.Seal(sa, s_inner).AsSpan(8, 8))));
        Assert.Null(bed.TrySeal(sa, s_inner, out EspStatus status));
        Assert.Equal(EspStatus.SequenceLimitReached, status);
        Assert.Equal(1012u, sa->Sequence);
    }

    [Fact]
    public void A_reservation_below_the_first_number_allows_nothing()
    {
        using var bed = new EspTestBed();
        OutboundSa* sa = bed.AddOutbound(Parameters(first: 100, limit: 50), EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm));
        Assert.Null(bed.TrySeal(sa, s_inner, out EspStatus status));
        Assert.Equal(EspStatus.SequenceLimitReached, status);
        Assert.Equal(0u, sa->SequencesLeft);
    }

    [Fact]
    public void Outbound_lifetimes_first_warn_and_then_stop()
    {
        using var bed = new EspTestBed();
        var packets = new SaLifetime { SoftPackets = 3, HardPackets = 5 };
        var bytes = new SaLifetime { SoftBytes = 300, HardBytes = 599 };
        byte[] material = EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm);
        OutboundSa* byPackets = bed.AddOutbound(Parameters(first: 50, lifetime: packets), material);
        OutboundSa* byBytes = bed.AddOutbound(Parameters(lifetime: bytes), material);
        for (int i = 1; i <= 5; i++)
        {
            bed.Seal(byPackets, s_inner);
            Assert.Equal(i > 3, byPackets->SoftLifetimeReached);
            bed.Seal(byBytes, s_inner);
            Assert.Equal(i > 3, byBytes->SoftLifetimeReached);
        }
        Assert.Null(bed.TrySeal(byPackets, s_inner, out EspStatus status));
        Assert.Equal(EspStatus.LifetimeExpired, status);
        Assert.Null(bed.TrySeal(byBytes, s_inner, out status));
        Assert.Equal(EspStatus.LifetimeExpired, status);
        Assert.Equal(2u, bed.Encapsulator.Drops[EspDropReason.LifetimeExpired]);
        Assert.Equal(500u, byBytes->Bytes);
        // 99 bytes are left, and a packet that needs no more than them passes.
        bed.Seal(byBytes, InnerPackets.IPv4(99));
    }

    [Fact]
    public void Inbound_lifetimes_first_warn_and_then_stop()
    {
        using var bed = new EspTestBed();
        (nint o, nint i) = bed.AddLoop(inboundLifetime: new SaLifetime { SoftPackets = 2, HardPackets = 4 });
        var inbound = (InboundSa*)i;
        for (int n = 1; n <= 4; n++)
        {
            Assert.NotNull(bed.Open(bed.Seal((OutboundSa*)o, s_inner)).Inner);
            Assert.Equal(n > 2, inbound->SoftLifetimeReached);
        }
        Assert.Equal(new Opened(EspStatus.Added, EspDropReason.LifetimeExpired, null), bed.Open(bed.Seal((OutboundSa*)o, s_inner)));
        Assert.Equal(4u, inbound->Packets);
    }

    [Fact]
    public void Parameters_that_make_no_sense_are_refused_with_a_reason()
    {
        byte[] material = EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm);
        Assert.Contains("reserved", Refused(new OutboundSaParameters { Spi = 255, Algorithm = AeadAlgorithm.Aes128Gcm }, material));
        Assert.Contains("20 bytes", Refused(Parameters(), material[..16]));
        Assert.Contains("36 bytes", Refused(new OutboundSaParameters { Spi = 256, Algorithm = AeadAlgorithm.Aes256Gcm }, material));
        Assert.Contains("cannot be the first", Refused(Parameters(first: 0), material));
        Assert.Contains("cannot be the first", Refused(Parameters(first: 1UL << 32), material));
        Assert.Contains("one address family", Refused(
            new OutboundSaParameters
            {
                Spi = 256,
                Algorithm = AeadAlgorithm.Aes128Gcm,
                OuterHeader = EspOuterHeader.Ip,
                Source = IPAddress.Loopback,
                Destination = IPAddress.IPv6Loopback,
            },
            material));
        Assert.Throws<ArgumentException>(() => { InboundSa.Create(new InboundSaParameters { Spi = 1, Algorithm = AeadAlgorithm.Aes128Gcm }, material); });
        Assert.Throws<ArgumentException>(() =>
        {
            InboundSa.Create(new InboundSaParameters { Spi = 256, Algorithm = AeadAlgorithm.Aes128Gcm, HighestSequence = 1UL << 32 }, material);
        });
        Assert.Throws<ArgumentOutOfRangeException>(() =>
        {
            InboundSa.Create(new InboundSaParameters { Spi = 256, Algorithm = AeadAlgorithm.Aes128Gcm, ReplayWindow = 63 }, material);
        });
    }

    [Fact]
    public void The_call_order_is_enforced()
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop();
        Assert.Equal(EspStatus.Added, bed.Encapsulator.TryAdd(bed.Burst, (OutboundSa*)o, bed.Rent(s_inner)));
        Assert.Throws<InvalidOperationException>(() => bed.Encapsulator.Complete(bed.Burst));
        Assert.Throws<InvalidOperationException>(bed.Encapsulator.Clear);
        Assert.Throws<InvalidOperationException>(() => OutboundSa.Free((OutboundSa*)o, bed.Engine));
        bed.Burst.Run(bed.Engine);
        bed.Encapsulator.Complete(bed.Burst);
        Assert.Throws<InvalidOperationException>(() => bed.Encapsulator.Complete(bed.Burst));
        byte[] wire = bed.Encapsulator[0].Packet->Span.ToArray();
        bed.Encapsulator.Clear();
        bed.Burst.Clear();

        Assert.Equal(EspStatus.Added, bed.Decapsulator.TryAdd(bed.Burst, bed.Sad, bed.Rent(wire)));
        Assert.Throws<InvalidOperationException>(() => bed.Decapsulator.Complete(bed.Burst));
        Assert.Throws<InvalidOperationException>(bed.Decapsulator.Clear);
        bed.Burst.Run(bed.Engine);
        bed.Decapsulator.Complete(bed.Burst);
        Assert.Throws<InvalidOperationException>(() => bed.Decapsulator.Complete(bed.Burst));
        bed.Decapsulator.Clear();
    }

    private static string Refused(OutboundSaParameters parameters, byte[] material) =>
        Assert.Throws<ArgumentException>(() => { OutboundSa.Create(parameters, material); }).Message;
}
