using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Esp.Tests.Interop;

/// <summary>scapy opens what we seal, and we open what scapy seals: AES-CBC with HMAC-SHA2-256-128, and transport mode.</summary>
public sealed unsafe class ScapyFormsTests
{
    private sealed record Form(FormSa Sa, bool OuterIPv6)
    {
        public ulong First => Sa.Esn ? 0x5_FFFF_FFFEul : 0xFFFF_FF00;

        public byte[][] Packets(int seed) => (Sa.Mode, OuterIPv6) switch
        {
            (SaMode.Tunnel, _) => [InnerPackets.IPv4(28, seed), InnerPackets.IPv6(48, seed), InnerPackets.IPv4(101, seed), InnerPackets.IPv6(1282, seed)],
            (_, true) => [.. new[] { 48, 49, 63, 64, 1280 }.Select(length => InnerPackets.IPv6(length, seed))],
            _ => [.. new[] { 28, 29, 43, 44, 1400 }.Select(length => InnerPackets.IPv4(length, seed))],
        };

        public ScapyCase ToCase(string action, ulong sequence, byte[] packet) => new(
            action, Sa.Cbc == null ? "AES-GCM" : "AES-CBC", Convert.ToHexStringLower(Sa.Cbc == null ? Sa.Material : Sa.Material[..^32]), FormSa.Spi, Sa.Esn, sequence,
            udp: false, OuterIPv6 ? "2001:db8:1::1" : "192.0.2.1", OuterIPv6 ? "2001:db8:2::2" : "198.51.100.2", Convert.ToHexStringLower(packet),
            Sa.Mode == SaMode.Transport, Sa.Cbc == null ? "NULL" : "SHA2-256-128", Sa.Cbc == null ? null : Convert.ToHexStringLower(Sa.Material[^32..]));
    }

    private static IEnumerable<Form> Forms() =>
        from sa in FormSa.All
        // scapy 2.5 leaves the upper half of the number out of a separate ICV.
        where sa.Cbc == null || !sa.Esn
        from ipv6 in (bool[])[false, true]
        select new Form(sa, ipv6);

    [Fact]
    public void Scapy_opens_what_we_seal()
    {
        string python = Requirement.PythonModule("scapy.layers.ipsec", "python3-scapy");
        var cases = new List<ScapyCase>();
        var expected = new List<byte[]>();
        foreach (Form form in Forms())
        {
            using var bed = new EspTestBed();
            OutboundSa* sa = form.Sa.AddOutbound(bed, EspOuterHeader.Ip, form.OuterIPv6, form.First);
            foreach (byte[] inner in form.Packets(cases.Count))
            {
                byte[] wire = bed.Seal(sa, inner);
                cases.Add(form.ToCase("open", sa->Sequence, wire));
                expected.Add(inner);
            }
        }
        ScapyResult[] results = ScapyProgram.Run(python, cases);
        for (int i = 0; i < cases.Count; i++)
            Assert.Equal((cases[i], (string?)null, Convert.ToHexStringLower(expected[i])), (cases[i], results[i].error, results[i].packet));
    }

    [Fact]
    public void We_open_what_scapy_seals()
    {
        string python = Requirement.PythonModule("scapy.layers.ipsec", "python3-scapy");
        var cases = new List<ScapyCase>();
        var expected = new List<(Form Form, byte[] Packet)>();
        foreach (Form form in Forms())
        {
            ulong sequence = form.First;
            foreach (byte[] packet in form.Packets(cases.Count))
            {
                cases.Add(form.ToCase("seal", sequence++, packet));
                expected.Add((form, packet));
            }
        }
        ScapyResult[] results = ScapyProgram.Run(python, cases);
        for (int i = 0; i < cases.Count;)
        {
            using var bed = new EspTestBed();
            Form form = expected[i].Form;
            form.Sa.AddInbound(bed, form.First - 1);
            for (; i < cases.Count && expected[i].Form == form; i++)
            {
                Assert.Equal((cases[i], (string?)null), (cases[i], results[i].error));
                byte[] wire = Convert.FromHexString(results[i].packet!);
                byte[] forged = [.. wire];
                forged[^1] ^= 1;
                Assert.Equal(EspDropReason.AuthenticationFailed, bed.Open(forged, EspIngress.IpPacket).Reason);
                Assert.Equal((cases[i], Convert.ToHexString(expected[i].Packet)), (cases[i], Convert.ToHexString(bed.Open(wire, EspIngress.IpPacket).Inner ?? [])));
            }
        }
    }
}
