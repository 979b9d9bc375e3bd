using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Esp.Tests.Interop;

/// <summary>scapy opens what we seal, and we open what scapy seals: every algorithm, ESN, IP version inside and outside, and UDP.</summary>
public sealed unsafe class ScapyTests
{
    private const ulong FirstWithEsn = 0x5_FFFF_FFFEul;

    private sealed record Mode(AeadAlgorithm Algorithm, bool Esn, bool Udp, bool OuterIPv6)
    {
        public byte[] Material => EspTestBed.KeyingMaterial(Algorithm, 77);

        public uint Spi { get; } = Esp.Spi.Create(4, 0x00AB_CDEF);

        public IPAddress Source => IPAddress.Parse(OuterIPv6 ? "2001:db8:1::1" : "192.0.2.1");

        public IPAddress Destination => IPAddress.Parse(OuterIPv6 ? "2001:db8:2::2" : "198.51.100.2");

        /// <summary>With ESN the numbers of a run pass a multiple of 2^32.</summary>
        public ulong First => Esn ? FirstWithEsn : 0xFFFF_FF00;
    }

    private static IEnumerable<Mode> Modes()
    {
        foreach (AeadAlgorithm algorithm in (AeadAlgorithm[])[AeadAlgorithm.Aes128Gcm, AeadAlgorithm.Aes256Gcm, AeadAlgorithm.ChaCha20Poly1305])
        {
            foreach (bool esn in (bool[])[false, true])
            {
                foreach (bool udp in (bool[])[false, true])
                {
                    yield return new Mode(algorithm, esn, udp, OuterIPv6: false);
                    yield return new Mode(algorithm, esn, udp, OuterIPv6: true);
                }
            }
        }
    }

    private static byte[][] InnerPacketsOf(Mode mode) =>
    [
        InnerPackets.IPv4(28, 1), InnerPackets.IPv6(48, 2), InnerPackets.IPv4(101, 3), InnerPackets.IPv6(1282, 4),
        InnerPackets.IPv4(1400, mode.GetHashCode()),
    ];

    [Fact]
    public void Scapy_opens_what_we_seal()
    {
        string python = Requirement.PythonModule("scapy.layers.ipsec", "python3-scapy");
        using var bed = new EspTestBed();
        var cases = new List<ScapyCase>();
        var expected = new List<byte[]>();
        foreach (Mode mode in Modes())
        {
            OutboundSa* sa = bed.AddOutbound(
                new OutboundSaParameters
                {
                    Spi = mode.Spi,
                    Algorithm = mode.Algorithm,
                    ExtendedSequenceNumbers = mode.Esn,
                    OuterHeader = mode.Udp ? EspOuterHeader.IpUdp : EspOuterHeader.Ip,
                    Source = mode.Source,
                    Destination = mode.Destination,
                    FirstSequence = mode.First,
                },
                mode.Material);
            foreach (byte[] inner in InnerPacketsOf(mode))
            {
                byte[] wire = bed.Seal(sa, inner);
                cases.Add(ToCase(mode, "open", sa->Sequence, wire));
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
        var expected = new List<(Mode Mode, byte[] Inner)>();
        foreach (Mode mode in Modes())
        {
            ulong sequence = mode.First;
            foreach (byte[] inner in InnerPacketsOf(mode))
            {
                cases.Add(ToCase(mode, "seal", sequence++, inner));
                expected.Add((mode, inner));
            }
        }
        ScapyResult[] results = ScapyProgram.Run(python, cases);
        Mode? current = null;
        EspTestBed? bed = null;
        try
        {
            for (int i = 0; i < cases.Count; i++)
            {
                (Mode mode, byte[] inner) = expected[i];
                if (!ReferenceEquals(mode, current))
                {
                    bed?.Dispose();
                    bed = new EspTestBed();
                    current = mode;
                    AddInbound(bed, mode);
                }
                Assert.Equal((cases[i], (string?)null), (cases[i], results[i].error));
                byte[] wire = Convert.FromHexString(results[i].packet!);
                byte[] forged = [.. wire];
                forged[^1] ^= 1;
                Assert.Equal(EspDropReason.AuthenticationFailed, bed!.Open(forged, EspIngress.IpPacket).Reason);
                Assert.Equal((cases[i], Convert.ToHexString(inner)), (cases[i], Convert.ToHexString(bed.Open(wire, EspIngress.IpPacket).Inner ?? [])));
                Assert.Equal(EspDropReason.Replayed, bed.Open(wire, EspIngress.IpPacket).Reason);
            }
        }
        finally
        {
            bed?.Dispose();
        }
    }

    private static void AddInbound(EspTestBed bed, Mode mode) => bed.AddInbound(
        new InboundSaParameters
        {
            Spi = mode.Spi,
            Algorithm = mode.Algorithm,
            ExtendedSequenceNumbers = mode.Esn,
            HighestSequence = mode.First - 1,
        },
        mode.Material);

    private static ScapyCase ToCase(Mode mode, string action, ulong sequence, byte[] packet) => new(
        action,
        mode.Algorithm == AeadAlgorithm.ChaCha20Poly1305 ? "CHACHA20-POLY1305" : "AES-GCM",
        Convert.ToHexStringLower(mode.Material),
        mode.Spi,
        mode.Esn,
        sequence,
        mode.Udp,
        mode.Source.ToString(),
        mode.Destination.ToString(),
        Convert.ToHexStringLower(packet));
}
