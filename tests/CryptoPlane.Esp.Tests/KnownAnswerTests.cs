using CryptoPlane.Aead;

namespace CryptoPlane.Esp.Tests;

/// <summary>Published ESP packets, and ours against packets made without our code.</summary>
public sealed unsafe class KnownAnswerTests
{
    /// <summary>RFC 7634 Appendix A: a ping in tunnel mode.</summary>
    [Fact]
    public void ChaCha20_Poly1305_packet_of_RFC_7634_opens()
    {
        byte[] material = Convert.FromHexString(
            "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3");
        byte[] wire = Convert.FromHexString(
            "01020304000000051011121314151617"
            + "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6"
            + "14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3"
            + "cbec163fac469b502773f6fb94e664da9165b82829f641e0"
            + "76aaa8266b7fb0f7b11b369907e1ad43");
        byte[] inner = Convert.FromHexString(
            "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10"
            + "0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
            + "2425262728292a2b2c2d2e2f3031323334353637");

        using var bed = new EspTestBed();
        bed.AddInbound(new InboundSaParameters { Spi = 0x01020304, Algorithm = AeadAlgorithm.ChaCha20Poly1305 }, material);
        Assert.Equal(inner, bed.Open(wire).Inner);
    }

    /// <summary>
    /// draft-mcgrew-gcm-test-01 §4, the cases that are whole ESP plaintexts. Their next header is 1, so that a tunnel does not deliver
    /// them; but only a packet whose ICV is right gets as far as its next header.
    /// </summary>
    [Theory]
    [InlineData(
        "4c80cdefbb5d10da906ac73c3613a6342e443b68", 0x4321u, true, 0x8765_4320_FFFF_FFFFul,
        "00004321000000004956ed7e3b244cfe"
        + "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34"
        + "cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce"
        + "61bc17d768fd9732459018148f6cbe722fd04796562dfdb4")]
    [InlineData(
        "abbccddef00112233445566778899aababbccddef00112233445566778899aab11223344", 0x4a2cbfe3u, false, 1ul,
        "4a2cbfe3000000020102030405060708"
        + "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763"
        + "748a637985771d347f0545659f14e99def842d8eb335f4eecfdbf831824b4c49"
        + "15956c96")]
    public void Aes_gcm_packets_of_the_draft_authenticate(string material, uint spi, bool esn, ulong highest, string wire)
    {
        using var bed = new EspTestBed();
        byte[] keyingMaterial = Convert.FromHexString(material);
        bed.AddInbound(
            new InboundSaParameters
            {
                Spi = spi,
                Algorithm = keyingMaterial.Length == 20 ? AeadAlgorithm.Aes128Gcm : AeadAlgorithm.Aes256Gcm,
                ExtendedSequenceNumbers = esn,
                HighestSequence = highest,
            },
            keyingMaterial);
        byte[] packet = Convert.FromHexString(wire);
        byte[] forged = [.. packet];
        forged[^1] ^= 1;
        Assert.Equal(new Opened(EspStatus.Added, EspDropReason.AuthenticationFailed, null), bed.Open(forged));
        Assert.Equal(new Opened(EspStatus.Added, EspDropReason.UnsupportedNextHeader, null), bed.Open(packet));
        Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.Replayed, null), bed.Open(packet));
    }

    [Theory]
    [InlineData(AeadAlgorithm.Aes128Gcm, false, 1ul)]
    [InlineData(AeadAlgorithm.Aes128Gcm, true, 1ul)]
    [InlineData(AeadAlgorithm.Aes256Gcm, false, 0xFFFF_FFF0ul)]
    [InlineData(AeadAlgorithm.Aes256Gcm, true, 0xFFFF_FFF0ul)]
    [InlineData(AeadAlgorithm.ChaCha20Poly1305, true, 0x7_0000_0000ul)]
    [InlineData(AeadAlgorithm.ChaCha20Poly1305, false, 77ul)]
    public void What_we_seal_equals_what_the_framework_seals(AeadAlgorithm algorithm, bool esn, ulong first)
    {
        using var bed = new EspTestBed();
        byte[] material = EspTestBed.KeyingMaterial(algorithm);
        uint spi = Spi.Create(3, 42);
        var forge = new EspForge(algorithm, material, spi, esn);
        OutboundSa* sa = bed.AddOutbound(
            new OutboundSaParameters { Spi = spi, Algorithm = algorithm, ExtendedSequenceNumbers = esn, FirstSequence = first }, material);
        for (int i = 0; i < 15; i++)
        {
            byte[] inner = i % 2 == 0 ? InnerPackets.IPv4(60 + i, i) : InnerPackets.IPv6(60 + i, i);
            Assert.Equal(forge.SealInner(first + (ulong)i, inner), bed.Seal(sa, inner));
        }
    }
}
