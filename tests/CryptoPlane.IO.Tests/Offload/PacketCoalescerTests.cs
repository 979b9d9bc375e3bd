using System.Buffers.Binary;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Offload;

namespace CryptoPlane.IO.Tests.Offload;

public sealed unsafe class PacketCoalescerTests
{
    [Fact]
    public void A_run_of_segments_becomes_one_super_packet()
    {
        var whole = new ModelPacket { Flags = 0x18, TcpOptions = [1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 6], Payload = Pattern(10_000) };
        List<Written> written = Run([.. whole.Cut(1348).Select(segment => segment.Build())]);
        Written only = Assert.Single(written);
        Assert.Equal(VirtioNetHeader.GsoTcp4, only.Header.GsoType);
        Assert.Equal(1348, only.Header.SegmentSize);
        Assert.Equal(whole.BuildPartial(), only.Bytes);
        Assert.Equal(8, only.Packets);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Udp_datagrams_of_one_size_become_one_super_packet(bool ipv6)
    {
        ModelPacket whole = new() { IPv6 = ipv6, Tcp = false, Payload = Pattern(5_500) };
        if (ipv6)
            whole = whole with { Source = Pattern(16), Destination = Pattern(16) };
        Written only = Assert.Single(Run([.. whole.Cut(1000).Select(segment => segment.Build())]));
        Assert.Equal(VirtioNetHeader.GsoUdp, only.Header.GsoType);
        Assert.Equal(whole.BuildPartial(), only.Bytes);
        Assert.Equal(6, Run([.. whole.Cut(1000).Select(segment => segment.Build())], mergeUdp: false).Count);
    }

    [Fact]
    public void Flows_that_alternate_are_merged_each_for_itself()
    {
        var packets = new List<byte[]>();
        ModelPacket[] flows = [.. Enumerable.Range(0, 4).Select(i => new ModelPacket { SourcePort = (ushort)(1 + i), Payload = Pattern(8_000) })];
        byte[][][] cut = [.. flows.Select(flow => flow.Cut(1000).Select(segment => segment.Build()).ToArray())];
        for (int i = 0; i < 8; i++)
            packets.AddRange(cut.Select(flow => flow[i]));
        List<Written> written = Run([.. packets]);
        Assert.Equal(flows.Select(flow => flow.BuildPartial()), written.Select(item => item.Bytes));
    }

    public static TheoryData<string> Differences =>
        ["sequence", "acknowledgement", "window", "options", "ttl", "tos", "df", "port", "address", "flags", "longer", "push", "short", "identification", "checksum", "ip-checksum", "length"];

    [Theory]
    [MemberData(nameof(Differences))]
    public void A_packet_that_differs_where_it_counts_is_not_merged(string difference)
    {
        ModelPacket first = new() { Payload = Pattern(1000), TcpOptions = [1, 1, 1, 0] };
        ModelPacket next = first with { Sequence = 1001 };
        if (difference == "push")
            first = first with { Flags = 0x18 };
        if (difference == "short")
            first = first with { Payload = Pattern(999) };
        if (difference == "identification")
            (first, next) = (first with { DontFragment = false }, next with { DontFragment = false, Identification = 5 });
        next = difference switch
        {
            "sequence" => next with { Sequence = 1002 },
            "acknowledgement" => next with { Acknowledgement = 78 },
            "window" => next with { Window = 501 },
            "options" => next with { TcpOptions = [1, 1, 1, 1] },
            "ttl" => next with { HopLimit = 63 },
            "tos" => next with { TrafficClass = 4 },
            "df" => next with { DontFragment = false },
            "port" => next with { DestinationPort = 81 },
            "address" => next with { Destination = [10, 2, 0, 3] },
            "flags" => next with { Flags = 0x50 },
            "longer" => next with { Payload = Pattern(1001) },
            "short" => next with { Sequence = 1000 },
            _ => next,
        };
        byte[] second = next.Build();
        if (difference == "checksum")
            second[^1] ^= 1;
        if (difference == "ip-checksum")
            second[10] ^= 1;
        if (difference == "length")
            second = [.. second, 0];
        byte[] head = first.Build();
        List<Written> written = Run([head, second]);
        Assert.Equal(2, written.Count);
        Assert.Equal(head, written[0].Bytes);
        Assert.Equal(second, written[1].Bytes);
        Assert.All(written, item => Assert.Equal(default, item.Header));
    }

    [Fact]
    public void Groups_end_before_the_longest_ip_packet()
    {
        var whole = new ModelPacket { Payload = Pattern(63 * 1400) };
        uint sequence = 1;
        var packets = new List<byte[]>();
        for (int i = 0; i < 63; i++, sequence += 1400)
            packets.Add((whole with { Sequence = sequence, Payload = Pattern(1400) }).Build());
        List<Written> written = Run([.. packets]);
        Assert.Equal(2, written.Count);
        Assert.All(written, item => Assert.True(item.Bytes.Length <= 65_535));
        Assert.Equal(63, written.Sum(item => item.Packets));
    }

    [Fact]
    public void Random_bursts_come_back_packet_by_packet_in_each_flows_order()
    {
        var random = new Random(11);
        for (int round = 0; round < 300; round++)
        {
            var flows = new List<Queue<byte[]>>();
            for (int i = random.Next(1, 8); i > 0; i--)
                flows.Add(new Queue<byte[]>(RandomFlow(random, (ushort)i)));
            var burst = new List<byte[]>();
            while (burst.Count < 150 && flows.Exists(flow => flow.Count > 0))
            {
                Queue<byte[]> flow = flows[random.Next(flows.Count)];
                for (int run = random.Next(1, 20); run > 0 && flow.Count > 0 && burst.Count < 150; run--)
                    burst.Add(flow.Dequeue());
            }
            List<Written> written = Run([.. burst]);
            var back = written.SelectMany(Recut).ToList();
            foreach (IGrouping<ushort, byte[]> flow in burst.GroupBy(SourcePort))
                Assert.Equal(flow.Select(WithoutIdentification), back.Where(packet => SourcePort(packet) == flow.Key).Select(WithoutIdentification));
            Assert.Equal(burst.Count, back.Count);
        }
    }

    [Fact]
    public void Random_bytes_are_passed_through_as_they_are()
    {
        var random = new Random(12);
        for (int round = 0; round < 2000; round++)
        {
            byte[][] burst = new byte[random.Next(1, 20)][];
            for (int i = 0; i < burst.Length; i++)
            {
                burst[i] = new ModelPacket { Payload = Pattern(random.Next(60)), Sequence = (uint)random.Next(3) }.Build();
                for (int change = random.Next(4); change > 0; change--)
                    burst[i][random.Next(burst[i].Length)] = (byte)random.Next(256);
                burst[i] = burst[i][..random.Next(burst[i].Length + 1)];
            }
            List<Written> written = Run(burst);
            Assert.Equal(burst.Length, written.Sum(item => item.Packets));
            foreach (Written item in written.Where(item => item.Packets == 1))
                Assert.Contains(burst, packet => packet.AsSpan().SequenceEqual(item.Bytes));
        }
    }

    private static IEnumerable<byte[]> RandomFlow(Random random, ushort port)
    {
        bool ipv6 = random.Next(2) == 0, tcp = random.Next(4) > 0;
        var flow = new ModelPacket
        {
            IPv6 = ipv6,
            Tcp = tcp,
            Source = ipv6 ? Pattern(16) : [1, 2, 3, 4],
            Destination = ipv6 ? Pattern(16) : [5, 6, 7, 8],
            SourcePort = port,
            DontFragment = random.Next(2) == 0,
            TcpOptions = tcp && random.Next(2) == 0 ? [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8] : [],
        };
        uint sequence = (uint)random.NextInt64(1L << 32);
        ushort identification = (ushort)random.Next(65_536);
        int size = random.Next(1, 1400);
        for (int i = random.Next(1, 40); i > 0; i--)
        {
            ModelPacket packet = flow with { Sequence = sequence, Identification = identification++, Payload = Pattern(size) };
            switch (random.Next(12))
            {
                case 0: packet = packet with { Payload = [] }; break;
                case 1: packet = packet with { Payload = Pattern(random.Next(1, size + 1)) }; break;
                case 2: packet = packet with { Flags = 0x18 }; break;
                case 3: packet = packet with { Flags = 0x11 }; break;
                case 4: identification += 3; break;
                case 5: sequence += 10; break;
            }
            sequence += (uint)packet.Payload.Length;
            byte[] bytes = packet.Build();
            if (random.Next(30) == 0)
                bytes[^1] ^= 0x55;
            yield return bytes;
        }
    }

    /// <summary>What a kernel makes of a super-packet that it must send to a device without offloads.</summary>
    private static IEnumerable<byte[]> Recut(Written written)
    {
        if (written.Header.GsoType == VirtioNetHeader.GsoNone)
            return [written.Bytes];
        byte[] bytes = written.Bytes;
        bool ipv6 = bytes[0] >> 4 == 6;
        int transport = ipv6 ? 40 : 20;
        bool tcp = bytes[ipv6 ? 6 : 9] == 6;
        int headers = tcp ? transport + (bytes[transport + 12] >> 4 << 2) : transport + 8;
        Assert.Equal(bytes.Length, ipv6 ? 40 + BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(4)) : BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(2)));
        var model = new ModelPacket
        {
            IPv6 = ipv6,
            Tcp = tcp,
            Source = ipv6 ? bytes[8..24] : bytes[12..16],
            Destination = ipv6 ? bytes[24..40] : bytes[16..20],
            SourcePort = SourcePort(bytes),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(transport + 2)),
            DontFragment = !ipv6 && (bytes[6] & 0x40) != 0,
            Identification = ipv6 ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(4)),
            Sequence = tcp ? BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(transport + 4)) : 0,
            Acknowledgement = tcp ? BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(transport + 8)) : 0,
            Flags = tcp ? bytes[transport + 13] : (byte)0,
            Window = tcp ? BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(transport + 14)) : (ushort)0,
            TcpOptions = tcp ? bytes[(transport + 20)..headers] : [],
            Payload = bytes[headers..],
        };
        Assert.Equal(model.BuildPartial(), bytes);
        return model.Cut(written.Header.SegmentSize).Select(packet => packet.Build());
    }

    private static ushort SourcePort(byte[] packet) => BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(packet[0] >> 4 == 6 ? 40 : 20));

    /// <summary>With DF set the identification means nothing (RFC 6864) and may change; the header's checksum with it.</summary>
    private static string WithoutIdentification(byte[] packet)
    {
        byte[] copy = [.. packet];
        if (copy[0] >> 4 == 4 && (copy[6] & 0x40) != 0)
            copy[4] = copy[5] = copy[10] = copy[11] = 0;
        return Convert.ToHexString(copy);
    }

    private static byte[] Pattern(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7))];

    private static List<Written> Run(byte[][] burst, bool mergeUdp = true)
    {
        using var pool = new PacketPool(Math.Max(burst.Length, 1), 2048);
        using var coalescer = new PacketCoalescer(mergeTcp: true, mergeUdp);
        PacketBuffer** packets = stackalloc PacketBuffer*[PacketCoalescer.MaximumBurst];
        for (int i = 0; i < burst.Length; i++)
        {
            Assert.True(pool.TryRent(out packets[i]));
            Assert.True(packets[i]->TrySetLength(burst[i].Length));
            burst[i].CopyTo(packets[i]->Span);
        }
        coalescer.Sort(packets, burst.Length);
        var result = new List<Written>();
        IoVector* vectors = stackalloc IoVector[PacketCoalescer.MaximumGroup];
        for (int group = 0; group < coalescer.GroupCount; group++)
        {
            VirtioNetHeader header;
            coalescer.Write(group, &header, vectors, out int count);
            var bytes = new List<byte>();
            for (int i = 0; i < count; i++)
                bytes.AddRange(new ReadOnlySpan<byte>(vectors[i].Base, (int)vectors[i].Length));
            result.Add(new Written(header, [.. bytes], count));
        }
        return result;
    }

    private sealed record Written(VirtioNetHeader Header, byte[] Bytes, int Packets);
}
