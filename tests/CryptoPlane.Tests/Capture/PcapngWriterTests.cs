using System.Buffers.Binary;
using System.Net;
using CryptoPlane.Capture;
using CryptoPlane.Ports;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Capture;

/// <summary>What the writer makes, read back by Wireshark's programs.</summary>
public sealed class PcapngWriterTests
{
    private const ulong Time = 1_800_000_000_123_456_789;

    [Fact]
    public void Tshark_reads_packets_interfaces_directions_and_comments()
    {
        using var directory = new TemporaryDirectory();
        string file = directory.File("a.pcapng");
        Write(file, writer =>
        {
            writer.WriteSectionHeader("a machine", "Linux", "CryptoPlane", "a comment of the section");
            int frames = writer.AddInterface(new PcapngInterface("dpdk:net0/lcore0", PcapngLinkType.Ethernet, 1500));
            int inner = writer.AddInterface(new PcapngInterface("inner/lcore1", PcapngLinkType.Raw, 100, "inner packets", "proto icmp"));
            byte[] echo = CaptureFilterTests.IPv4(1, "10.0.0.1", "10.0.0.2", [8, 0, 0xF7, 0xFE, 0, 1, 0, 0]);
            writer.WritePacket(inner, Time, [], echo, echo.Length, CaptureDirection.In, "user alice ✓");
            writer.WritePacket(frames, Time + 1, [], [.. new byte[12], 8, 6, .. new byte[28]], 42, CaptureDirection.Out, null);
            writer.WritePacket(inner, Time + 2, [], echo.AsSpan(0, 21), echo.Length, CaptureDirection.None, "dropped: no-route");
            writer.WriteStatistics(inner, Time, Time + 1_000_000_000, new PcapngStatistics(10, 5, 3, 2));
        });
        string[] lines = Tshark(file, "frame.interface_name", "frame.time_epoch", "frame.len", "frame.cap_len", "frame.protocols", "frame.packet_flags_direction", "frame.comment");
        Assert.Equal(
            [
                "inner/lcore1|1800000000.123456789|28|28|raw:ip:icmp|0x00000001|user alice ✓",
                "dpdk:net0/lcore0|1800000000.123456790|42|42|eth:ethertype:arp|0x00000002|",
                "inner/lcore1|1800000000.123456791|28|21|raw:ip:icmp||dropped: no-route",
            ],
            lines);
        string info = ExternalProgram.Run(Requirement.Program("capinfos", "wireshark-common"), [file]).EnsureSuccess().AllOutput;
        foreach (string text in (string[])["- pcapng", "a machine", "CryptoPlane", "Name = inner/lcore1", "Description = inner packets", "Number of stat entries = 1", "Time precision = nanoseconds (9)"])
            Assert.Contains(text, info, StringComparison.Ordinal);
    }

    [Fact]
    public void Outer_headers_that_the_kernel_kept_are_written_again()
    {
        using var directory = new TemporaryDirectory();
        string file = directory.File("a.pcapng");
        PacketEndpoint local = CaptureBed.Local, local6 = PacketEndpoint.From(IPEndPoint.Parse("[2001:db8::1]:0"));
        byte[] esp = [1, 0, 0, 5, 0, 0, 0, 9, .. new byte[32]];
        Write(file, writer =>
        {
            writer.WriteSectionHeader(null, null, null, null);
            int raw = writer.AddInterface(new PcapngInterface("udp", PcapngLinkType.Raw, 65_535));
            Span<byte> header = stackalloc byte[CaptureOuterHeader.MaxLength];
            foreach (CaptureRecord record in (CaptureRecord[])
            [
                new() { Framing = CaptureFraming.UdpPayload, Direction = CaptureDirection.In, Peer = CaptureBed.Peer, OriginalLength = esp.Length },
                new() { Framing = CaptureFraming.UdpPayload, Direction = CaptureDirection.Out, Peer = CaptureBed.Peer, OriginalLength = esp.Length },
                new() { Framing = CaptureFraming.Esp, Direction = CaptureDirection.Out, Peer = CaptureBed.Peer, OriginalLength = esp.Length },
                new() { Framing = CaptureFraming.Esp, Direction = CaptureDirection.In, Peer = PacketEndpoint.From(IPEndPoint.Parse("[2001:db8::2]:0")), OriginalLength = esp.Length },
            ])
            {
                int length = CaptureOuterHeader.Write(in record, record.Peer.IpVersion == 4 ? local : local6, header);
                writer.WritePacket(raw, Time, header[..length], esp, esp.Length, record.Direction, null);
            }
            Assert.Equal(0, CaptureOuterHeader.Write(new CaptureRecord { Framing = CaptureFraming.Ip }, local, header));
        });
        Assert.Equal(
            [
                "198.51.100.7|192.0.2.1|||4501|4500|0x01000005|9|1",
                "192.0.2.1|198.51.100.7|||4500|4501|0x01000005|9|1",
                "192.0.2.1|198.51.100.7|||||0x01000005|9|1",
                "||2001:db8::2|2001:db8::1|||0x01000005|9|",
            ],
            Tshark(file, "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "udp.srcport", "udp.dstport", "esp.spi", "esp.sequence", "ip.checksum.status"));
    }

    [Theory]
    [InlineData("192.0.2.1:443", "198.51.100.7:50000")]
    [InlineData("[2001:db8::1]:443", "[2001:db8::2]:50000")]
    public void A_connections_records_are_read_where_its_parts_join(string here, string there)
    {
        using var directory = new TemporaryDirectory();
        string file = directory.File("a.pcapng");
        // One TLS record of 200 bytes in two parts, then one whole.
        byte[] stream = [23, 3, 3, 0, 195, .. new byte[195], 23, 3, 3, 0, 10, .. new byte[10]];
        Write(file, writer =>
        {
            writer.WriteSectionHeader(null, null, null, null);
            int raw = writer.AddInterface(new PcapngInterface("tls", PcapngLinkType.Raw, 65_535));
            Span<byte> header = stackalloc byte[CaptureOuterHeader.MaxLength];
            foreach ((int from, int to) in ((int, int)[])[(0, 150), (150, 200), (200, 215)])
            {
                var record = new CaptureRecord
                {
                    Framing = CaptureFraming.TcpPayload, Direction = CaptureDirection.In, Peer = PacketEndpoint.From(IPEndPoint.Parse(there)),
                    Local = PacketEndpoint.From(IPEndPoint.Parse(here)), OriginalLength = to - from, Sequence = (uint)(1000 + from), Acknowledgement = 7,
                };
                int length = CaptureOuterHeader.Write(in record, default, header);
                writer.WritePacket(raw, Time, header[..length], stream.AsSpan(from, to - from), to - from, record.Direction, null);
            }
        });
        Assert.Equal(
            ["50000|443|1000|7|150|", "50000|443|1150|7|50|195", "50000|443|1200|7|15|10"],
            Tshark(file, "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "tls.record.length"));
        Assert.Equal(3, Tshark(file, here[0] == '[' ? "ipv6.src" : "ip.src").Count(source => there.Contains(source, StringComparison.Ordinal)));
    }

    [Fact]
    public void Blocks_are_well_formed_whatever_the_sizes()
    {
        using var output = new MemoryStream();
        using var writer = new PcapngWriter(output);
        writer.WriteSectionHeader(null, null, null, new string('é', 5000));
        int number = writer.AddInterface(new PcapngInterface("x", PcapngLinkType.Raw, 65_535, Filter: ""));
        for (int length = 0; length < 70; length++)
            writer.WritePacket(number, Time, new byte[length % 3], new byte[length], length, CaptureDirection.In, length % 2 == 0 ? new string('c', length) : null);
        for (int i = 0; i < 20; i++)
            writer.WritePacket(number, Time, [], new byte[65_535], 100_000, CaptureDirection.In, "a\ud800b");
        writer.Flush();
        Assert.Equal(output.Length, writer.Length);

        ReadOnlySpan<byte> bytes = output.ToArray();
        int blocks = 0;
        for (; bytes.Length > 0; blocks++)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
            Assert.Equal((0, length), (length % 4, BinaryPrimitives.ReadInt32LittleEndian(bytes[(length - 4)..])));
            bytes = bytes[length..];
        }
        Assert.Equal(2 + 70 + 20, blocks);
    }

    [Fact]
    public void What_cannot_be_a_block_is_refused()
    {
        using var writer = new PcapngWriter(new MemoryStream());
        Assert.Throws<ArgumentException>(() => writer.WritePacket(0, 0, [], [1], 1, CaptureDirection.In, null));
        int number = writer.AddInterface(new PcapngInterface("x", PcapngLinkType.Raw, 100));
        Assert.Throws<ArgumentException>(() => writer.WritePacket(number, 0, [], new byte[PcapngWriter.MaxPacket + 1], PcapngWriter.MaxPacket + 1, CaptureDirection.In, null));
        Assert.Throws<ArgumentException>(() => writer.WritePacket(number, 0, [], [1, 2], 1, CaptureDirection.In, null));
        writer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => writer.WriteSectionHeader(null, null, null, null));
    }

    private static void Write(string file, Action<PcapngWriter> write)
    {
        using FileStream output = File.Create(file);
        using var writer = new PcapngWriter(output);
        write(writer);
        writer.Flush();
    }

    private static string[] Tshark(string file, params string[] fields)
    {
        string[] arguments = ["-r", file, "-o", "ip.check_checksum:TRUE", "-d", "udp.port==4500,udpencap", "-T", "fields", "-E", "separator=|", .. fields.SelectMany(field => (string[])["-e", field])];
        return ExternalProgram.Run(Requirement.Program("tshark"), arguments).EnsureSuccess().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
