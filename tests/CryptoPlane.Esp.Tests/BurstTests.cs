using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp.Tests;

/// <summary>Whole bursts against the same packets one by one: statuses, bytes, counters and SAs must be the same.</summary>
public sealed unsafe class BurstTests
{
    private const int Tunnels = 5;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Opening_a_burst_is_the_same_as_opening_its_packets_one_by_one(int seed)
    {
        using var whole = new EspTestBed();
        using var single = new EspTestBed();
        nint[] sas = AddTunnels(whole);
        Assert.Equal(Tunnels, AddTunnels(single).Length);
        var traffic = new RandomTraffic(seed);
        var seen = new HashSet<EspDropReason>();
        var statuses = new HashSet<EspStatus>();
        for (int round = 0; round < 400; round++)
        {
            (byte[] Bytes, EspIngress Ingress)[] packets = traffic.Next(1 + traffic.Random.Next(EspTestBed.BurstSize), seed: round);
            (EspStatus Status, EspDropReason Reason, byte[]? Inner)[] expected = OpenSingle(single, packets), actual = OpenWhole(whole, packets);
            Assert.Equal(expected.Length, actual.Length);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.Equal((expected[i].Status, expected[i].Reason), (actual[i].Status, actual[i].Reason));
                Assert.Equal(expected[i].Inner, actual[i].Inner);
                seen.Add(actual[i].Reason);
                statuses.Add(actual[i].Status);
            }
        }
        Assert.Equal(EspTestBed.Snapshot(in single.Decapsulator.Drops), EspTestBed.Snapshot(in whole.Decapsulator.Drops));
        for (int tunnel = 0; tunnel < Tunnels; tunnel++)
        {
            Assert.True(single.Sad.TryFind(RandomTraffic.SpiOf(tunnel), out InboundSa* other));
            var sa = (InboundSa*)sas[tunnel];
            Assert.Equal((other->HighestSequence, other->Packets, other->Bytes), (sa->HighestSequence, sa->Packets, sa->Bytes));
            Assert.Equal(EspTestBed.Snapshot(in other->Drops), EspTestBed.Snapshot(in sa->Drops));
            Assert.True(sa->Packets > 100);
            Assert.Equal(0, sa->InFlight);
        }
        // The traffic was what it was meant to be.
        Assert.Superset(new HashSet<EspDropReason> { EspDropReason.None, EspDropReason.AuthenticationFailed, EspDropReason.Replayed }, seen);
        Assert.Superset(new HashSet<EspStatus> { EspStatus.Added, EspStatus.Dropped, EspStatus.NotEsp, EspStatus.Keepalive }, statuses);
        foreach (EspDropReason reason in (EspDropReason[])[EspDropReason.UnknownSpi, EspDropReason.Late, EspDropReason.Truncated, EspDropReason.OuterMalformed])
            Assert.True(whole.Decapsulator.Drops[reason] > 0, reason.ToString());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Sealing_a_burst_is_the_same_as_sealing_its_packets_one_by_one(int seed)
    {
        using var whole = new EspTestBed();
        using var single = new EspTestBed();
        nint[] sas = AddSealers(whole), others = AddSealers(single);
        var random = new Random(seed);
        PacketBuffer** packets = stackalloc PacketBuffer*[EspTestBed.BurstSize];
        OutboundSa** chosen = stackalloc OutboundSa*[EspTestBed.BurstSize];
        EspStatus* statuses = stackalloc EspStatus[EspTestBed.BurstSize];
        var seen = new HashSet<EspStatus>();
        for (int round = 0; round < 200; round++)
        {
            int count = 1 + random.Next(EspTestBed.BurstSize);
            int[] tunnels = [.. Enumerable.Range(0, count).Select(_ => random.Next(sas.Length))];
            byte[][] inner = [.. Enumerable.Range(0, count).Select(i => Inner(random))];
            for (int i = 0; i < count; i++)
            {
                packets[i] = whole.Rent(inner[i]);
                chosen[i] = (OutboundSa*)sas[tunnels[i]];
            }
            Assert.Equal(count, whole.Encapsulator.AddBurst(whole.Burst, chosen, packets, count, statuses));
            whole.Burst.Run(whole.Engine);
            whole.Encapsulator.Complete(whole.Burst);
            int added = 0;
            for (int i = 0; i < count; i++)
            {
                byte[]? expected = single.TrySeal((OutboundSa*)others[tunnels[i]], inner[i], out EspStatus status);
                Assert.Equal(status, statuses[i]);
                seen.Add(status);
                if (status == EspStatus.Added)
                {
                    Assert.Equal((nint)packets[i], (nint)whole.Encapsulator[added].Packet);
                    Assert.Equal((nint)chosen[i], (nint)whole.Encapsulator[added++].Sa);
                }
                Assert.Equal(expected ?? inner[i], packets[i]->Span.ToArray());
            }
            Assert.Equal(added, whole.Encapsulator.Count);
            whole.Encapsulator.Clear();
            whole.Burst.Clear();
            whole.Pool.Return(packets, count);
        }
        Assert.Equal(new HashSet<EspStatus> { EspStatus.Added, EspStatus.Dropped, EspStatus.SequenceLimitReached, EspStatus.LifetimeExpired }, seen);
        Assert.Equal(EspTestBed.Snapshot(in single.Encapsulator.Drops), EspTestBed.Snapshot(in whole.Encapsulator.Drops));
    }

    [Fact]
    public void A_burst_that_has_no_room_takes_packets_from_the_front_and_leaves_the_others_alone()
    {
        using var bed = new EspTestBed();
        (nint o, nint i) = bed.AddLoop();
        const int before = 60, count = 10;
        byte[] inner = InnerPackets.IPv4(64);
        PacketBuffer** packets = stackalloc PacketBuffer*[count];
        OutboundSa** sas = stackalloc OutboundSa*[count];
        EspStatus* statuses = stackalloc EspStatus[count];
        for (int added = 0; added < before; added++)
            Assert.Equal(EspStatus.Added, bed.Encapsulator.TryAdd(bed.Burst, (OutboundSa*)o, bed.Rent(inner)));
        for (int packet = 0; packet < count; packet++)
        {
            // The second is no IP packet, and so takes no room.
            packets[packet] = bed.Rent(packet == 1 ? new byte[40] : inner);
            sas[packet] = (OutboundSa*)o;
        }
        Assert.Equal(EspTestBed.BurstSize - before + 1, bed.Encapsulator.AddBurst(bed.Burst, sas, packets, count, statuses));
        Assert.Equal(EspStatus.Dropped, statuses[1]);
        for (int packet = EspTestBed.BurstSize - before + 1; packet < count; packet++)
            Assert.Equal(inner, packets[packet]->Span.ToArray());
        Assert.Equal((ulong)EspTestBed.BurstSize, ((OutboundSa*)o)->Sequence);
        Assert.Equal(1u, bed.Encapsulator.Drops.TotalDropped);
        Assert.Equal(0, bed.Encapsulator.AddBurst(bed.Burst, sas, packets, count, statuses));
        bed.Burst.Run(bed.Engine);
        bed.Encapsulator.Complete(bed.Burst);

        // The same on the way in, over what was just sealed.
        EspIngress* ingresses = stackalloc EspIngress[EspTestBed.BurstSize];
        PacketBuffer** wires = stackalloc PacketBuffer*[EspTestBed.BurstSize];
        EspStatus* opened = stackalloc EspStatus[EspTestBed.BurstSize];
        using var narrow = new AeadBurst(8);
        for (int packet = 0; packet < EspTestBed.BurstSize; packet++)
        {
            ingresses[packet] = EspIngress.Esp;
            wires[packet] = bed.Encapsulator[packet].Packet;
        }
        // Unknown, and so without an operation.
        wires[3]->Data[0] ^= 0x40;
        Assert.Equal(9, bed.Decapsulator.AddBurst(narrow, bed.Sad, wires, ingresses, EspTestBed.BurstSize, opened));
        Assert.Equal(8, bed.Decapsulator.Count);
        Assert.Equal(EspStatus.Dropped, opened[3]);
        narrow.Run(bed.Engine);
        bed.Decapsulator.Complete(narrow);
        for (int packet = 0; packet < 8; packet++)
            Assert.Equal(inner, bed.Decapsulator[packet].Packet->Span.ToArray());
        Assert.Equal(8u, ((InboundSa*)i)->Packets);
        Assert.Equal(1u, bed.Decapsulator.Drops.TotalDropped);
        bed.Decapsulator.Clear();
        bed.Encapsulator.Clear();
    }

    private static nint[] AddTunnels(EspTestBed bed) => [.. Enumerable.Range(0, Tunnels).Select(tunnel => (nint)bed.AddInbound(
        new InboundSaParameters
        {
            Spi = RandomTraffic.SpiOf(tunnel),
            Algorithm = RandomTraffic.AlgorithmOf(tunnel),
            ExtendedSequenceNumbers = RandomTraffic.IsExtended(tunnel),
            ReplayWindow = 64 << tunnel,
        },
        RandomTraffic.MaterialOf(tunnel)))];

    private static nint[] AddSealers(EspTestBed bed)
    {
        var plain = bed.AddLoop(low24: 1).Out;
        var udp = bed.AddLoop(AeadAlgorithm.Aes256Gcm, esn: true, EspOuterHeader.IpUdp, outerIPv6: true, low24: 2).Out;
        var ip = bed.AddLoop(AeadAlgorithm.ChaCha20Poly1305, outer: EspOuterHeader.Ip, dontFragment: EspDfPolicy.Clear, low24: 3).Out;
        var mortal = bed.AddLoop(outboundLifetime: new SaLifetime { HardPackets = 50 }, low24: 4).Out;
        var limited = bed.AddOutbound(
            new OutboundSaParameters { Spi = 5000, Algorithm = AeadAlgorithm.Aes128Gcm, SequenceLimit = 70 }, EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm));
        return [plain, udp, ip, mortal, (nint)limited];
    }

    private static byte[] Inner(Random random)
    {
        byte[] inner = random.Next(2) == 0
            ? InnerPackets.IPv4(random.Next(28, 300), random.Next(), (byte)random.Next(256), random.Next(2) == 0)
            : InnerPackets.IPv6(random.Next(48, 300), random.Next(), (byte)random.Next(256));
        if (random.Next(10) == 0)
            inner[0] = (byte)random.Next(256);
        return inner;
    }

    private static (EspStatus Status, EspDropReason Reason, byte[]? Inner)[] OpenSingle(EspTestBed bed, (byte[] Bytes, EspIngress Ingress)[] packets)
    {
        var buffers = new nint[packets.Length];
        var statuses = new EspStatus[packets.Length];
        for (int i = 0; i < packets.Length; i++)
        {
            buffers[i] = (nint)bed.Rent(packets[i].Bytes);
            statuses[i] = bed.Decapsulator.TryAdd(bed.Burst, bed.Sad, (PacketBuffer*)buffers[i], packets[i].Ingress);
        }
        return Finish(bed, buffers, statuses);
    }

    private static (EspStatus Status, EspDropReason Reason, byte[]? Inner)[] OpenWhole(EspTestBed bed, (byte[] Bytes, EspIngress Ingress)[] packets)
    {
        var buffers = new nint[packets.Length];
        var statuses = new EspStatus[packets.Length];
        EspIngress[] ingresses = [.. packets.Select(packet => packet.Ingress)];
        for (int i = 0; i < packets.Length; i++)
            buffers[i] = (nint)bed.Rent(packets[i].Bytes);
        fixed (nint* first = buffers)
        fixed (EspStatus* status = statuses)
        fixed (EspIngress* ingress = ingresses)
            Assert.Equal(packets.Length, bed.Decapsulator.AddBurst(bed.Burst, bed.Sad, (PacketBuffer**)first, ingress, packets.Length, status));
        return Finish(bed, buffers, statuses);
    }

    /// <summary>Opens what was added, and says of every packet what became of it; one that was not added must be as it was.</summary>
    private static (EspStatus Status, EspDropReason Reason, byte[]? Inner)[] Finish(EspTestBed bed, nint[] buffers, EspStatus[] statuses)
    {
        bed.Burst.Run(bed.Engine);
        bed.Decapsulator.Complete(bed.Burst);
        int listed = 0;
        var results = new (EspStatus Status, EspDropReason Reason, byte[]? Inner)[buffers.Length];
        for (int i = 0; i < buffers.Length; i++)
        {
            var packet = (PacketBuffer*)buffers[i];
            EspDropReason reason = EspDropReason.None;
            if (statuses[i] == EspStatus.Added)
            {
                Assert.Equal(buffers[i], (nint)bed.Decapsulator[listed].Packet);
                reason = bed.Decapsulator[listed++].Reason;
            }
            results[i] = (statuses[i], reason, packet->Span.ToArray());
            bed.Pool.Return(packet);
        }
        Assert.Equal(listed, bed.Decapsulator.Count);
        bed.Decapsulator.Clear();
        bed.Burst.Clear();
        return results;
    }
}
