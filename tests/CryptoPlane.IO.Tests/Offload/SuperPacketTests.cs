using CryptoPlane.IO.Offload;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests.Offload;

public sealed unsafe class SuperPacketTests
{
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    public void Cutting_gives_the_packets_of_the_model(bool ipv6, bool tcp)
    {
        var random = new Random(ipv6 ? 2 : 3);
        for (int round = 0; round < 150; round++)
        {
            ModelPacket whole = Random(random, ipv6, tcp);
            int segmentSize = random.Next(1, 1461);
            if (round % 10 == 0)
                segmentSize = whole.Payload.Length;
            byte[][] expected = [.. whole.Cut(segmentSize).Select(segment => segment.Build())];
            AssertCut(whole, segmentSize, expected);
        }
    }

    [Fact]
    public void Flags_that_belong_to_the_first_or_last_packet_are_only_there()
    {
        var whole = new ModelPacket { Flags = 0x10 | 0x80 | 0x40 | 0x08 | 0x01, Payload = new byte[2500] };
        byte[][] segments = [.. whole.Cut(1000).Select(segment => segment.Build())];
        Assert.Equal([0x10 | 0x80 | 0x40, 0x10 | 0x40, 0x10 | 0x40 | 0x08 | 0x01], segments.Select(segment => (int)segment[20 + 13]));
        AssertCut(whole, 1000, segments);
    }

    [Fact]
    public void Extension_headers_and_ip_options_are_copied_as_they_are()
    {
        // A destination-options header (RFC 8200 §4.6) of 8 bytes: next header TCP, PadN.
        var ipv6 = new ModelPacket
        {
            IPv6 = true,
            Source = new byte[16],
            Destination = [.. Enumerable.Repeat((byte)9, 16)],
            IPv6Extensions = [6, 0, 1, 4, 0, 0, 0, 0],
            FirstExtension = 60,
            Payload = [.. Enumerable.Range(0, 3001).Select(i => (byte)i)],
        };
        AssertCut(ipv6, 1200, [.. ipv6.Cut(1200).Select(segment => segment.Build())]);
        var ipv4 = new ModelPacket { IPv4Options = [1, 1, 1, 0], Payload = new byte[3001] };
        AssertCut(ipv4, 1200, [.. ipv4.Cut(1200).Select(segment => segment.Build())]);
    }

    [Fact]
    public void Headers_that_lie_are_refused_and_nothing_outside_is_touched()
    {
        var random = new Random(4);
        byte[][] seeds =
        [
            new ModelPacket { Payload = new byte[300] }.BuildPartial(),
            new ModelPacket { Tcp = false, Payload = new byte[300] }.BuildPartial(),
            new ModelPacket { IPv6 = true, Source = new byte[16], Destination = new byte[16], Payload = new byte[300] }.BuildPartial(),
        ];
        using var output = new NativeBuffer(65_536, GuardPage.Behind);
        int cut = 0;
        for (int round = 0; round < 60_000; round++)
        {
            byte[] packet = [.. seeds[round % seeds.Length]];
            bool isTcp = round % seeds.Length != 1;
            var header = new VirtioNetHeader
            {
                Flags = VirtioNetHeader.NeedsChecksum,
                GsoType = new byte[] { VirtioNetHeader.GsoTcp4, VirtioNetHeader.GsoUdp, VirtioNetHeader.GsoTcp6 }[round % seeds.Length],
                SegmentSize = 100,
                ChecksumStart = (ushort)(round % seeds.Length == 2 ? 40 : 20),
                ChecksumOffset = (ushort)(isTcp ? 16 : 6),
            };
            for (int change = random.Next(3); change >= 0; change--)
            {
                switch (random.Next(6))
                {
                    case 0: header.SegmentSize = (ushort)random.Next(4); break;
                    case 1: header.ChecksumStart = (ushort)random.Next(80); break;
                    case 2: header.ChecksumOffset = (ushort)random.Next(20); break;
                    case 3: header.GsoType = (byte)random.Next(256); break;
                    case 4: packet[random.Next(60)] = (byte)random.Next(256); break;
                    default: header.Flags = (byte)random.Next(3); break;
                }
            }
            using var input = new NativeBuffer(packet.AsSpan(0, random.Next(packet.Length + 1)), GuardPage.Behind);
            if (!SuperPacket.TryParse(in header, input.Pointer, input.Length, out SuperPacket super))
                continue;
            cut++;
            int bytes = 0;
            while (super.HasMore)
            {
                int length = super.NextLength;
                byte* target = output.Pointer + output.Length - length;
                Assert.Equal(length, super.WriteNext(target));
                bytes += length;
            }
            Assert.True(bytes >= input.Length);
        }
        Assert.True(cut > 1000, $"only {cut} of the mutated packets were taken");
    }

    [Fact]
    public void A_checksum_that_the_kernel_left_open_is_completed()
    {
        foreach (bool tcp in (bool[])[true, false])
        {
            var packet = new ModelPacket { Tcp = tcp, Payload = [1, 2, 3, 4, 5] };
            using var buffer = new NativeBuffer(packet.BuildPartial(), GuardPage.Behind);
            var header = new VirtioNetHeader { Flags = VirtioNetHeader.NeedsChecksum, ChecksumStart = 20, ChecksumOffset = (ushort)(tcp ? 16 : 6) };
            Assert.True(ChecksumCompletion.TryComplete(in header, buffer.Pointer, buffer.Length));
            Assert.Equal(packet.Build(), buffer.Span.ToArray());

            header.ChecksumStart = (ushort)(buffer.Length - 1);
            Assert.False(ChecksumCompletion.TryComplete(in header, buffer.Pointer, buffer.Length));
            header.ChecksumStart = ushort.MaxValue;
            header.ChecksumOffset = ushort.MaxValue;
            Assert.False(ChecksumCompletion.TryComplete(in header, buffer.Pointer, buffer.Length));
        }
    }

    private static void AssertCut(ModelPacket whole, int segmentSize, byte[][] expected)
    {
        using var input = new NativeBuffer(whole.BuildPartial(), GuardPage.Behind);
        var header = new VirtioNetHeader
        {
            Flags = VirtioNetHeader.NeedsChecksum,
            GsoType = !whole.Tcp ? VirtioNetHeader.GsoUdp : whole.IPv6 ? VirtioNetHeader.GsoTcp6 : VirtioNetHeader.GsoTcp4,
            SegmentSize = (ushort)segmentSize,
            ChecksumStart = (ushort)whole.TransportOffset,
            ChecksumOffset = (ushort)(whole.Tcp ? 16 : 6),
        };
        Assert.True(SuperPacket.TryParse(in header, input.Pointer, input.Length, out SuperPacket super));
        using var output = new NativeBuffer(65_600);
        foreach (byte[] packet in expected)
        {
            Assert.True(super.HasMore);
            Assert.Equal(packet.Length, super.NextLength);
            int length = super.WriteNext(output.Pointer);
            Assert.Equal(packet, new ReadOnlySpan<byte>(output.Pointer, length).ToArray());
        }
        Assert.False(super.HasMore);
    }

    private static ModelPacket Random(Random random, bool ipv6, bool tcp)
    {
        byte[] source = new byte[ipv6 ? 16 : 4], destination = new byte[ipv6 ? 16 : 4];
        random.NextBytes(source);
        random.NextBytes(destination);
        byte[] options = new byte[random.Next(11) * 4];
        random.NextBytes(options);
        byte[] payload = new byte[random.Next(1, 64_000)];
        random.NextBytes(payload);
        return new ModelPacket
        {
            IPv6 = ipv6,
            Tcp = tcp,
            Source = source,
            Destination = destination,
            Sequence = (uint)random.NextInt64(1L << 32),
            Flags = (byte)(random.Next(256) & ~0x02),
            TcpOptions = tcp ? options : [],
            Identification = (ushort)random.Next(65_536),
            DontFragment = random.Next(2) == 0,
            Payload = payload,
        };
    }
}
