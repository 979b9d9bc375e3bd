using CryptoPlane.Aead;

namespace CryptoPlane.Esp.Tests;

public sealed unsafe class SadTests
{
    private static readonly byte[] s_material = EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm);

    private static InboundSa* Inbound(uint spi) =>
        InboundSa.Create(new InboundSaParameters { Spi = spi, Algorithm = AeadAlgorithm.Aes128Gcm, ReplayWindow = 64 }, s_material);

    [Fact]
    public void Random_adding_and_removing_agrees_with_a_dictionary()
    {
        using var engine = AeadEngine.CreateDefault();
        const int capacity = 100;
        using var sad = new Sad(capacity, engine);
        var model = new Dictionary<uint, nint>();
        var random = new Random(5);
        // Few SPIs over a small table: long runs of neighbours, and gaps in the midst of them.
        uint[] spis = [.. Enumerable.Range(0, 250).Select(i => Spi.Create(i % 3, (uint)(i / 3)))];
        for (int step = 0; step < 40_000; step++)
        {
            uint spi = spis[random.Next(spis.Length)];
            bool known = model.TryGetValue(spi, out nint expected);
            Assert.Equal(known, sad.TryFind(spi, out InboundSa* found));
            Assert.Equal(expected, (nint)found);
            if (known && random.Next(2) == 0)
            {
                Assert.True(sad.Remove(found));
                model.Remove(spi);
            }
            else if (!known && random.Next(2) == 0)
            {
                InboundSa* sa = Inbound(spi);
                SadStatus status = sad.Add(sa);
                Assert.Equal(model.Count == capacity ? SadStatus.Full : SadStatus.Added, status);
                if (status == SadStatus.Added)
                    model.Add(spi, (nint)sa);
                else
                    InboundSa.Free(sa, engine);
            }
            Assert.Equal(model.Count, sad.InboundCount);
            Assert.Equal(0, sad.RemovedCount);
        }
        foreach ((uint spi, nint sa) in model)
        {
            Assert.True(sad.TryFind(spi, out InboundSa* found));
            Assert.Equal(sa, (nint)found);
        }
    }

    [Fact]
    public void A_second_SA_with_the_same_SPI_is_refused()
    {
        using var engine = AeadEngine.CreateDefault();
        using var sad = new Sad(4, engine);
        InboundSa* first = Inbound(300), second = Inbound(300);
        Assert.Equal(SadStatus.Added, sad.Add(first));
        Assert.Equal(SadStatus.DuplicateSpi, sad.Add(second));
        Assert.False(sad.Remove(second));
        InboundSa.Free(second, engine);
        Assert.True(sad.TryFind(300, out InboundSa* found));
        Assert.Equal((nint)first, (nint)found);
    }

    [Fact]
    public void An_SA_that_is_removed_while_its_packets_are_in_a_burst_lives_until_they_are_complete()
    {
        using var bed = new EspTestBed();
        (nint o, nint i) = bed.AddLoop();
        var outbound = (OutboundSa*)o;
        var inbound = (InboundSa*)i;
        byte[] inner = InnerPackets.IPv4(100);
        byte[] wire = bed.Seal(outbound, inner);
        Assert.Equal(EspStatus.Added, bed.Encapsulator.TryAdd(bed.Burst, outbound, bed.Rent(inner)));
        Assert.Equal(EspStatus.Added, bed.Decapsulator.TryAdd(bed.Burst, bed.Sad, bed.Rent(wire)));
        bed.Sad.Remove(outbound);
        Assert.True(bed.Sad.Remove(inbound));
        Assert.Equal(2, bed.Sad.RemovedCount);
        Assert.Equal(EspStatus.Dropped, bed.Decapsulator.TryAdd(bed.Burst, bed.Sad, bed.Rent(wire)));
        Assert.Equal(1u, bed.Decapsulator.Drops[EspDropReason.UnknownSpi]);
        Assert.Throws<InvalidOperationException>(bed.Sad.Dispose);

        bed.Burst.Run(bed.Engine);
        bed.Encapsulator.Complete(bed.Burst);
        bed.Decapsulator.Complete(bed.Burst);
        Assert.Equal(EspDropReason.None, bed.Encapsulator[0].Reason);
        Assert.Equal(inner, bed.Decapsulator[0].Packet->Span.ToArray());
        bed.Sad.FreeRemoved();
        Assert.Equal(0, bed.Sad.RemovedCount);
        Assert.Equal(0, bed.Sad.InboundCount);
        Assert.Equal(0, bed.Sad.OutboundCount);
    }

    [Fact]
    public void Outbound_SAs_leave_from_any_place_of_the_list()
    {
        using var engine = AeadEngine.CreateDefault();
        using var sad = new Sad(1, engine);
        var random = new Random(3);
        var list = new List<nint>();
        for (int step = 0; step < 2000; step++)
        {
            if (list.Count > 0 && random.Next(2) == 0)
            {
                int index = random.Next(list.Count);
                sad.Remove((OutboundSa*)list[index]);
                list.RemoveAt(index);
            }
            else
            {
                OutboundSa* sa = OutboundSa.Create(new OutboundSaParameters { Spi = 256, Algorithm = AeadAlgorithm.Aes128Gcm }, s_material);
                sad.Add(sa);
                list.Add((nint)sa);
            }
            Assert.Equal(list.Count, sad.OutboundCount);
        }
    }

    [Fact]
    public void Two_lcores_find_their_own_SAs_and_not_each_other_s()
    {
        using var first = new EspTestBed();
        using var second = new EspTestBed();
        EspTestBed[] lcores = [first, second];
        byte[] inner = InnerPackets.IPv4(80);
        var wires = new List<byte[]>();
        for (int lcore = 0; lcore < 2; lcore++)
        {
            uint spi = Spi.Create(lcore, 99);
            byte[] material = EspTestBed.KeyingMaterial(AeadAlgorithm.Aes256Gcm, lcore);
            lcores[lcore].AddInbound(new InboundSaParameters { Spi = spi, Algorithm = AeadAlgorithm.Aes256Gcm }, material);
            wires.Add(new EspForge(AeadAlgorithm.Aes256Gcm, material, spi).SealInner(1, inner));
            // The first byte on the wire is all that steering looks at.
            Assert.Equal(lcore + 1, wires[lcore][0]);
        }
        for (int lcore = 0; lcore < 2; lcore++)
        {
            Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.UnknownSpi, null), lcores[lcore].Open(wires[1 - lcore]));
            Assert.Equal(inner, lcores[lcore].Open(wires[lcore]).Inner);
        }
    }
}
