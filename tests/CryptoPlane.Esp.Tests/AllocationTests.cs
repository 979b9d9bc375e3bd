using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.TestKit;

namespace CryptoPlane.Esp.Tests;

/// <summary>The steady state leaves nothing for the garbage collector, whatever comes in.</summary>
public sealed unsafe class AllocationTests
{
    private const int BurstSize = 32;

    [Fact]
    public void A_million_packets_sealed_and_opened_allocate_nothing()
    {
        using var bed = new EspTestBed();
        var loops = new nint[8];
        for (int i = 0; i < loops.Length; i++)
            loops[i] = bed.AddLoop((AeadAlgorithm)(1 + (i % 2)), esn: i % 4 < 2, outer: (EspOuterHeader)(i % 3), low24: (uint)i).Out;
        byte[] inner = InnerPackets.IPv4(64);
        var packets = new nint[BurstSize];
        for (int i = 0; i < BurstSize; i++)
            packets[i] = (nint)bed.Rent(inner);

        Rounds(bed, loops, packets, 1000);
        AllocationReading reading = AllocationMeter.Measure(() => Rounds(bed, loops, packets, 1_000_000 / BurstSize));

        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
        ulong sealedPackets = 0;
        foreach (nint sa in loops)
            sealedPackets += ((OutboundSa*)sa)->Packets;
        Assert.Equal((ulong)(1000 + (1_000_000 / BurstSize)) * BurstSize, sealedPackets);
        Assert.Equal(0u, bed.Decapsulator.Drops.TotalDropped);
        foreach (nint packet in packets)
            Assert.Equal(inner, ((PacketBuffer*)packet)->Span.ToArray());
    }

    [Fact]
    public void Whole_bursts_over_an_arena_of_SAs_allocate_nothing()
    {
        const int sas = 500, rounds = 5_000, warmUp = 1000;
        using var arena = new SaArena(sas, sas);
        using var bed = new EspTestBed(sadCapacity: sas);
        byte[] material = EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm), inner = InnerPackets.IPv4(64);
        var outbound = new nint[sas];
        for (uint i = 0; i < sas; i++)
        {
            OutboundSa* sa = OutboundSa.Create(new OutboundSaParameters { Spi = 300 + i, Algorithm = AeadAlgorithm.Aes128Gcm }, material, arena);
            outbound[i] = (nint)sa;
            bed.Sad.Add(sa);
            bed.Sad.Add(InboundSa.Create(new InboundSaParameters { Spi = 300 + i, Algorithm = AeadAlgorithm.Aes128Gcm }, material, arena));
        }
        var packets = new nint[BurstSize];
        for (int i = 0; i < BurstSize; i++)
            packets[i] = (nint)bed.Rent(inner);

        Bursts(bed, outbound, packets, warmUp);
        AllocationReading reading = AllocationMeter.Measure(() => Bursts(bed, outbound, packets, rounds));

        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
        ulong sealedPackets = 0;
        foreach (nint sa in outbound)
            sealedPackets += ((OutboundSa*)sa)->Packets;
        Assert.Equal((ulong)(warmUp + rounds) * BurstSize, sealedPackets);
        Assert.Equal(0u, bed.Decapsulator.Drops.TotalDropped);
        foreach (nint packet in packets)
            Assert.Equal(inner, ((PacketBuffer*)packet)->Span.ToArray());
        bed.Sad.Dispose();
    }

    [Fact]
    public void A_flood_of_forged_replayed_and_unknown_packets_allocates_nothing()
    {
        using var bed = new EspTestBed();
        (nint o, nint i) = bed.AddLoop();
        byte[] good = bed.Seal((OutboundSa*)o, InnerPackets.IPv4(64));
        byte[] forged = bed.Seal((OutboundSa*)o, InnerPackets.IPv4(64));
        forged[^1] ^= 1;
        byte[] unknown = [.. good];
        unknown[3] ^= 0x55;
        Assert.NotNull(bed.Open(good).Inner);
        byte[][] flood = [forged, good, unknown, good[..20]];

        Flood(bed, flood, 1000);
        AllocationReading reading = AllocationMeter.Measure(() => Flood(bed, flood, 100_000));
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
        foreach (EspDropReason reason in (EspDropReason[])
            [EspDropReason.AuthenticationFailed, EspDropReason.Replayed, EspDropReason.UnknownSpi, EspDropReason.Truncated])
        {
            Assert.Equal(101_000u, bed.Decapsulator.Drops[reason]);
        }
        Assert.Equal(1u, ((InboundSa*)i)->Packets);
    }

    /// <summary>Seals a burst where it lies and opens it where it lies: the buffers end as they began.</summary>
    private static void Rounds(EspTestBed bed, nint[] loops, nint[] packets, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < packets.Length; i++)
            {
                if (bed.Encapsulator.TryAdd(bed.Burst, (OutboundSa*)loops[(i + round) % loops.Length], (PacketBuffer*)packets[i]) != EspStatus.Added)
                    return;
            }
            bed.Burst.Run(bed.Engine);
            bed.Encapsulator.Complete(bed.Burst);
            bed.Encapsulator.Clear();
            bed.Burst.Clear();
            for (int i = 0; i < packets.Length; i++)
            {
                bool bare = (i + round) % loops.Length % 3 == 0;
                if (bed.Decapsulator.TryAdd(bed.Burst, bed.Sad, (PacketBuffer*)packets[i], bare ? EspIngress.Esp : EspIngress.IpPacket) != EspStatus.Added)
                    return;
            }
            bed.Burst.Run(bed.Engine);
            bed.Decapsulator.Complete(bed.Burst);
            bed.Decapsulator.Clear();
            bed.Burst.Clear();
        }
    }

    /// <summary>As <see cref="Rounds"/>, a burst at a time.</summary>
    private static void Bursts(EspTestBed bed, nint[] outbound, nint[] packets, int rounds)
    {
        OutboundSa** sas = stackalloc OutboundSa*[BurstSize];
        EspIngress* ingresses = stackalloc EspIngress[BurstSize];
        EspStatus* statuses = stackalloc EspStatus[BurstSize];
        fixed (nint* first = packets)
        {
            var burst = (PacketBuffer**)first;
            for (int round = 0; round < rounds; round++)
            {
                for (int i = 0; i < BurstSize; i++)
                {
                    sas[i] = (OutboundSa*)outbound[((round * BurstSize) + i) % outbound.Length];
                    ingresses[i] = EspIngress.Esp;
                }
                bed.Encapsulator.AddBurst(bed.Burst, sas, burst, BurstSize, statuses);
                bed.Burst.Run(bed.Engine);
                bed.Encapsulator.Complete(bed.Burst);
                bed.Encapsulator.Clear();
                bed.Burst.Clear();
                bed.Decapsulator.AddBurst(bed.Burst, bed.Sad, burst, ingresses, BurstSize, statuses);
                bed.Burst.Run(bed.Engine);
                bed.Decapsulator.Complete(bed.Burst);
                bed.Decapsulator.Clear();
                bed.Burst.Clear();
            }
        }
    }

    private static void Flood(EspTestBed bed, byte[][] flood, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            foreach (byte[] wire in flood)
            {
                bed.Pool.TryRent(out PacketBuffer* packet);
                packet->TrySetLength(wire.Length);
                wire.CopyTo(packet->Span);
                if (bed.Decapsulator.TryAdd(bed.Burst, bed.Sad, packet) == EspStatus.Added)
                {
                    bed.Burst.Run(bed.Engine);
                    bed.Decapsulator.Complete(bed.Burst);
                    bed.Decapsulator.Clear();
                    bed.Burst.Clear();
                }
                bed.Pool.Return(packet);
            }
        }
    }
}
