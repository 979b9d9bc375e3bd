using System.Buffers.Binary;
using CryptoPlane.Aead;

namespace CryptoPlane.Esp.Tests;

/// <summary>Seeded random damage: 100,000 packets, half of them damaged on the wire, half inside, under the right key.</summary>
public sealed unsafe class MutationTests
{
    private const int Cases = 50_000;

    [Fact]
    public void Packets_damaged_on_the_wire_are_dropped_and_counted_or_come_out_as_they_were()
    {
        using var bed = new EspTestBed();
        (EspOuterHeader Outer, bool IPv6)[] forms =
            [(EspOuterHeader.None, false), (EspOuterHeader.Ip, false), (EspOuterHeader.IpUdp, false), (EspOuterHeader.Ip, true), (EspOuterHeader.IpUdp, true)];
        var loops = new nint[forms.Length];
        for (int i = 0; i < forms.Length; i++)
            loops[i] = bed.AddLoop(esn: i % 2 == 1, outer: forms[i].Outer, outerIPv6: forms[i].IPv6, low24: (uint)(100 + i)).Out;
        var random = new Random(20_241_121);
        int delivered = 0, elsewhere = 0;
        ulong before = bed.Decapsulator.Drops.TotalDropped;
        for (int i = 0; i < Cases; i++)
        {
            int form = random.Next(forms.Length);
            byte[] inner = random.Next(2) == 0 ? InnerPackets.IPv4(random.Next(28, 200), i) : InnerPackets.IPv6(random.Next(48, 200), i);
            byte[] wire = Damage(random, bed.Seal((OutboundSa*)loops[form], inner));
            EspIngress ingress = forms[form].Outer == EspOuterHeader.None
                ? (EspIngress)random.Next(2)
                : EspIngress.IpPacket;
            Opened opened = bed.Open(wire, ingress);
            if (opened.Inner != null)
            {
                // Only the outer header was hit; congestion marks in it are passed on.
                Assert.Equal(inner.Length, opened.Inner.Length);
                Assert.Equal(inner[12..], opened.Inner[12..]);
                delivered++;
            }
            else if (opened.Status is EspStatus.NotEsp or EspStatus.Keepalive)
            {
                elsewhere++;
            }
            else
            {
                Assert.NotEqual(EspDropReason.None, opened.Reason);
            }
        }
        Assert.Equal((ulong)(Cases - delivered - elsewhere), bed.Decapsulator.Drops.TotalDropped - before);
        Assert.InRange(delivered, 1, Cases / 2);
    }

    [Fact]
    public void Packets_damaged_inside_are_dropped_and_counted_or_are_sound_IP_packets()
    {
        using var bed = new EspTestBed();
        byte[] material = EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm);
        uint spi = Spi.Create(0, 5);
        bed.AddInbound(new InboundSaParameters { Spi = spi, Algorithm = AeadAlgorithm.Aes128Gcm }, material);
        var forge = new EspForge(AeadAlgorithm.Aes128Gcm, material, spi);
        var random = new Random(20_241_122);
        var seen = new HashSet<EspDropReason>();
        for (int i = 0; i < Cases; i++)
        {
            byte[] inner = random.Next(2) == 0 ? InnerPackets.IPv4(random.Next(28, 200), i) : InnerPackets.IPv6(random.Next(48, 200), i);
            byte nextHeader = (byte)(inner[0] >> 4 == 4 ? 4 : 41);
            byte[] plaintext = Damage(random, [.. inner, .. EspForge.Trailer(inner.Length, nextHeader, random.Next(4))]);
            if (random.Next(3) == 0 && plaintext.Length > 4)
                plaintext[^random.Next(1, 3)] = (byte)random.Next(256);
            Opened opened = bed.Open(forge.Seal((ulong)i + 1, plaintext));
            seen.Add(opened.Reason);
            if (opened.Inner is byte[] output)
            {
                Assert.True(output.Length <= plaintext.Length - 2);
                int length = output[0] >> 4 == 4
                    ? BinaryPrimitives.ReadUInt16BigEndian(output.AsSpan(2))
                    : 40 + BinaryPrimitives.ReadUInt16BigEndian(output.AsSpan(4));
                Assert.Equal(length, output.Length);
                Assert.Equal(plaintext[..length], output);
            }
            else
            {
                Assert.NotEqual(EspDropReason.None, opened.Reason);
                Assert.NotEqual(EspDropReason.AuthenticationFailed, opened.Reason);
            }
        }
        foreach (EspDropReason reason in (EspDropReason[])
            [EspDropReason.None, EspDropReason.Truncated, EspDropReason.BadPadding, EspDropReason.UnsupportedNextHeader, EspDropReason.InnerMalformed, EspDropReason.Dummy])
        {
            Assert.Contains(reason, seen);
        }
    }

    /// <summary>Flips bits, sets bytes to values that break parsers, cuts, lengthens, and moves pieces about.</summary>
    private static byte[] Damage(Random random, byte[] packet)
    {
        ReadOnlySpan<byte> nasty = [0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xFE, 0xFF];
        for (int rounds = random.Next(1, 4); rounds > 0 && packet.Length > 0; rounds--)
        {
            // The headers are few bytes among many, so that half of the damage goes there.
            int at = random.Next(2) == 0 ? random.Next(packet.Length) : random.Next(Math.Min(packet.Length, 64));
            switch (random.Next(6))
            {
                case 0:
                    packet[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    packet[at] = nasty[random.Next(nasty.Length)];
                    break;
                case 2:
                    packet = packet[..random.Next(packet.Length)];
                    break;
                case 3:
                    packet = [.. packet, .. new byte[random.Next(1, 40)]];
                    break;
                case 4:
                    int length = random.Next(packet.Length - at);
                    int to = random.Next(packet.Length - length);
                    packet.AsSpan(at, length).CopyTo(packet.AsSpan(to));
                    break;
                default:
                    packet[at] = (byte)random.Next(256);
                    break;
            }
        }
        return packet;
    }
}
