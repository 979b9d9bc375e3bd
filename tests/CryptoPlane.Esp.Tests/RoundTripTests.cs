using System.Buffers.Binary;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp.Tests;

/// <summary>What we seal, we open, in every mode.</summary>
public sealed unsafe class RoundTripTests
{
    public static TheoryData<AeadAlgorithm, bool, EspOuterHeader, bool> Modes()
    {
        var modes = new TheoryData<AeadAlgorithm, bool, EspOuterHeader, bool>();
        foreach (AeadAlgorithm algorithm in (AeadAlgorithm[])[AeadAlgorithm.Aes128Gcm, AeadAlgorithm.Aes256Gcm, AeadAlgorithm.ChaCha20Poly1305])
        {
            foreach (bool esn in (bool[])[false, true])
            {
                foreach (EspOuterHeader outer in Enum.GetValues<EspOuterHeader>())
                {
                    modes.Add(algorithm, esn, outer, false);
                    if (outer != EspOuterHeader.None)
                        modes.Add(algorithm, esn, outer, true);
                }
            }
        }
        return modes;
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Inner_packets_of_every_length_come_back_as_they_were(AeadAlgorithm algorithm, bool esn, EspOuterHeader outer, bool outerIPv6)
    {
        using var bed = new EspTestBed();
        (nint o, nint i) = bed.AddLoop(algorithm, esn, outer, outerIPv6);
        var outbound = (OutboundSa*)o;
        var inbound = (InboundSa*)i;
        EspIngress ingress = outer == EspOuterHeader.None ? EspIngress.Esp : EspIngress.IpPacket;
        ulong packets = 0, bytes = 0;
        for (int length = 48; length < 200; length++)
        {
            foreach (byte[] inner in (byte[][])[InnerPackets.IPv4(length, length), InnerPackets.IPv6(length, length)])
            {
                byte[] wire = bed.Seal(outbound, inner);
                int front = (outer == EspOuterHeader.None ? 0 : outerIPv6 ? 40 : 20) + (outer == EspOuterHeader.IpUdp ? 8 : 0);
                Assert.Equal(front + EspOverhead.EspLength(length), wire.Length);
                Assert.Equal(new Opened(EspStatus.Added, EspDropReason.None, null), bed.Open(wire, ingress) with { Inner = null });
                packets++;
                bytes += (uint)length;
                wire = bed.Seal(outbound, inner);
                Assert.Equal(inner, bed.Open(wire, ingress).Inner);
                packets++;
                bytes += (uint)length;
            }
        }
        Assert.Equal(packets, outbound->Packets);
        Assert.Equal(bytes, outbound->Bytes);
        Assert.Equal(packets, inbound->Packets);
        Assert.Equal(bytes, inbound->Bytes);
        Assert.Equal(packets, inbound->HighestSequence);
        Assert.Equal(0u, bed.Decapsulator.Drops.TotalDropped);
    }

    [Fact]
    public void The_wire_format_is_SPI_sequence_IV_ciphertext_ICV()
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop();
        var outbound = (OutboundSa*)o;
        bed.Seal(outbound, InnerPackets.IPv4(60));
        byte[] wire = bed.Seal(outbound, InnerPackets.IPv4(60));
        Assert.Equal(outbound->Spi, BinaryPrimitives.ReadUInt32BigEndian(wire));
        Assert.Equal(2u, BinaryPrimitives.ReadUInt32BigEndian(wire.AsSpan(4)));
        Assert.Equal(2u, BinaryPrimitives.ReadUInt64BigEndian(wire.AsSpan(8)));
        // 60 bytes, two of padding, the trailer: a multiple of 4.
        Assert.Equal(8 + 8 + 64 + 16, wire.Length);
    }

    [Fact]
    public void A_burst_mixes_SAs_algorithms_and_directions()
    {
        using var bed = new EspTestBed();
        AeadAlgorithm[] algorithms = [AeadAlgorithm.Aes128Gcm, AeadAlgorithm.Aes256Gcm, AeadAlgorithm.ChaCha20Poly1305];
        var loops = new (nint Out, nint In)[6];
        for (int i = 0; i < loops.Length; i++)
            loops[i] = bed.AddLoop(algorithms[i % 3], esn: i % 2 == 0, low24: (uint)i);

        var previous = new Queue<(byte[] Wire, byte[] Inner)>();
        for (int round = 0; round < 20; round++)
        {
            var sent = new List<byte[]>();
            var expected = new List<byte[]>();
            for (int i = 0; i < 32; i++)
            {
                byte[] inner = InnerPackets.IPv4(64 + (i * 7), (round * 32) + i);
                sent.Add(inner);
                Assert.Equal(EspStatus.Added, bed.Encapsulator.TryAdd(bed.Burst, (OutboundSa*)loops[i % 6].Out, bed.Rent(inner)));
                if (previous.TryDequeue(out (byte[] Wire, byte[] Inner) packet))
                {
                    expected.Add(packet.Inner);
                    Assert.Equal(EspStatus.Added, bed.Decapsulator.TryAdd(bed.Burst, bed.Sad, bed.Rent(packet.Wire)));
                }
            }
            bed.Burst.Run(bed.Engine);
            bed.Encapsulator.Complete(bed.Burst);
            bed.Decapsulator.Complete(bed.Burst);
            Assert.Equal(expected.Count, bed.Decapsulator.Count);
            for (int i = 0; i < expected.Count; i++)
            {
                Assert.Equal(EspDropReason.None, bed.Decapsulator[i].Reason);
                Assert.Equal(expected[i], bed.Decapsulator[i].Packet->Span.ToArray());
                bed.Pool.Return(bed.Decapsulator[i].Packet);
            }
            for (int i = 0; i < sent.Count; i++)
            {
                Assert.Equal((nint)bed.Encapsulator[i].Sa, loops[i % 6].Out);
                previous.Enqueue((bed.Encapsulator[i].Packet->Span.ToArray(), sent[i]));
                bed.Pool.Return(bed.Encapsulator[i].Packet);
            }
            bed.Encapsulator.Clear();
            bed.Decapsulator.Clear();
            bed.Burst.Clear();
        }
    }

    [Fact]
    public void A_full_burst_refuses_without_changing_anything()
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop();
        var outbound = (OutboundSa*)o;
        byte[] inner = InnerPackets.IPv4(64);
        for (int i = 0; i < EspTestBed.BurstSize; i++)
            Assert.Equal(EspStatus.Added, bed.Encapsulator.TryAdd(bed.Burst, outbound, bed.Rent(inner)));
        PacketBuffer* late = bed.Rent(inner);
        Assert.Equal(EspStatus.BurstFull, bed.Encapsulator.TryAdd(bed.Burst, outbound, late));
        Assert.Equal(EspStatus.BurstFull, bed.Decapsulator.TryAdd(bed.Burst, bed.Sad, late));
        Assert.Equal(inner, late->Span.ToArray());
        Assert.Equal((ulong)EspTestBed.BurstSize, outbound->Sequence);
        bed.Burst.Run(bed.Engine);
        bed.Encapsulator.Complete(bed.Burst);
    }

    [Fact]
    public void Link_padding_behind_the_inner_packet_does_not_travel()
    {
        using var bed = new EspTestBed();
        (nint o, _) = bed.AddLoop();
        byte[] inner = InnerPackets.IPv4(46);
        byte[] wire = bed.Seal((OutboundSa*)o, [.. inner, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE]);
        Assert.Equal(EspOverhead.EspLength(46), wire.Length);
        Assert.Equal(inner, bed.Open(wire).Inner);
    }
}
