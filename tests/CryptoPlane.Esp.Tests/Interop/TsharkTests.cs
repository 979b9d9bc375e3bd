using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Esp.Tests.Interop;

/// <summary>tshark decrypts a capture of what we send and finds every ICV right. Its ESP knows neither ESN nor ChaCha20-Poly1305.</summary>
public sealed unsafe class TsharkTests
{
    private const int PacketsPerSa = 5;

    private sealed record Sa(uint Spi, AeadAlgorithm? Algorithm, EspCbcAlgorithm? Cbc, byte[] Material, bool OuterIPv6, EspOuterHeader Outer)
    {
        /// <summary>A line of Wireshark's table of ESP SAs.</summary>
        public string Preference => $"uat:esp_sa:\"{(OuterIPv6 ? "IPv6" : "IPv4")}\",\"*\",\"*\",\"0x{Spi:x8}\"," + (Cbc == null
            ? $"\"AES-GCM with 16 octet ICV [RFC4106]\",\"0x{Convert.ToHexStringLower(Material)}\",\"NULL\",\"\""
            : $"\"AES-CBC [RFC3602]\",\"0x{Convert.ToHexStringLower(Material[..^32])}\",\"HMAC-SHA-256-128 [RFC4868]\",\"0x{Convert.ToHexStringLower(Material[^32..])}\"");
    }

    [Fact]
    public void Tshark_decrypts_what_we_send_and_finds_the_ICV_right()
    {
        string tshark = Requirement.Program("tshark");
        using var directory = new TemporaryDirectory();
        var associations = new List<Sa>();
        foreach ((AeadAlgorithm? algorithm, EspCbcAlgorithm? cbc) in ((AeadAlgorithm?, EspCbcAlgorithm?)[])
            [(AeadAlgorithm.Aes128Gcm, null), (AeadAlgorithm.Aes256Gcm, null), (null, EspCbcAlgorithm.Aes128HmacSha256), (null, EspCbcAlgorithm.Aes256HmacSha256)])
        {
            foreach (EspOuterHeader outer in (EspOuterHeader[])[EspOuterHeader.Ip, EspOuterHeader.IpUdp])
            {
                foreach (bool ipv6 in (bool[])[false, true])
                {
                    int number = associations.Count;
                    byte[] material = cbc is EspCbcAlgorithm other ? new byte[SaParameters.KeyingMaterialSize(other)] : EspTestBed.KeyingMaterial(algorithm.GetValueOrDefault(), number);
                    if (cbc != null)
                        new Random(number).NextBytes(material);
                    associations.Add(new Sa(Spi.Create(number % 4, (uint)number), algorithm, cbc, material, ipv6, outer));
                }
            }
        }
        List<byte[]> inner = WriteCapture(directory.File("esp.pcap"), associations);

        List<string> arguments =
        [
            "-n", "-r", directory.File("esp.pcap"), "-T", "fields", "-E", "separator=;", "-E", "occurrence=a", "-E", "aggregator=,",
            "-e", "esp.spi", "-e", "esp.sequence", "-e", "esp.icv_good", "-e", "esp.protocol", "-e", "ip.proto", "-e", "ipv6.nxt",
            "-e", "udp.srcport", "-e", "data.data", "-e", "udp.checksum.status", "-e", "ip.checksum.status",
            "-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE",
            "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
        ];
        foreach (Sa sa in associations)
            arguments.AddRange(["-o", sa.Preference]);
        ProgramResult result = ExternalProgram.Run(tshark, arguments, timeout: TimeSpan.FromMinutes(1)).EnsureSuccess();

        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(inner.Count + 1, lines.Length);
        // The last packet was forged after sealing: what tshark says of the others is worth something.
        Assert.True(lines[^1].Split(';')[2] is "0" or "False", $"tshark takes a forged packet for a good one: {lines[^1]}");
        for (int i = 0; i < inner.Count; i++)
        {
            Sa sa = associations[i / PacketsPerSa];
            string[] fields = lines[i].Split(';');
            bool innerIPv6 = inner[i][0] >> 4 == 6;
            Assert.Equal($"0x{sa.Spi:x8}", fields[0]);
            Assert.Equal($"{(i % PacketsPerSa) + 1}", fields[1]);
            Assert.True(fields[2] is "1" or "True", $"the ICV of packet {i + 1} is wrong by tshark: {lines[i]}");
            Assert.Equal(innerIPv6 ? "0x29" : "0x04", fields[3]);
            // The inner packet's UDP is behind the outer headers in the list, and its payload is ours to the byte.
            Assert.EndsWith("17", innerIPv6 ? fields[5] : fields[4]);
            Assert.EndsWith("1000", fields[6]);
            Assert.Equal(Convert.ToHexStringLower(inner[i].AsSpan(innerIPv6 ? 48 : 28)), fields[7]);
            // 0: bad. The inner UDP over IPv6 has none on purpose; whatever is ours must not be bad.
            if (sa is { OuterIPv6: true, Outer: EspOuterHeader.IpUdp })
                Assert.StartsWith("1", fields[8]);
            Assert.DoesNotContain("0", fields[9]);
        }
    }

    private static List<byte[]> WriteCapture(string path, List<Sa> associations)
    {
        using var bed = new EspTestBed();
        using var capture = new PcapWriter(path);
        var sent = new List<byte[]>();
        byte[] forged = [];
        foreach (Sa sa in associations)
        {
            OutboundSa* outbound = bed.AddOutbound(
                new OutboundSaParameters
                {
                    Spi = sa.Spi,
                    Algorithm = sa.Algorithm,
                    Cbc = sa.Cbc,
                    OuterHeader = sa.Outer,
                    Source = IPAddress.Parse(sa.OuterIPv6 ? "2001:db8:1::1" : "192.0.2.1"),
                    Destination = IPAddress.Parse(sa.OuterIPv6 ? "2001:db8:2::2" : "198.51.100.2"),
                },
                sa.Material);
            for (int i = 0; i < PacketsPerSa; i++)
            {
                byte[] inner = i % 2 == 0 ? InnerPackets.IPv4(60 + (i * 201), i) : InnerPackets.IPv6(60 + (i * 201), i);
                capture.Write(bed.Seal(outbound, inner));
                sent.Add(inner);
            }
            forged = bed.Seal(outbound, InnerPackets.IPv4(100));
        }
        forged[^1] ^= 1;
        capture.Write(forged);
        return sent;
    }
}
