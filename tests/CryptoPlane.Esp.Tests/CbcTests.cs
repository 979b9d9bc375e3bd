using System.Buffers.Binary;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Cbc;

namespace CryptoPlane.Esp.Tests;

/// <summary>AES-CBC with HMAC-SHA2-256-128 (RFC 3602, RFC 4868), with the framework's classes as the oracle.</summary>
public sealed unsafe class CbcTests
{
    public static TheoryData<EspCbcAlgorithm, bool> Algorithms => new()
    {
        { EspCbcAlgorithm.Aes128HmacSha256, false },
        { EspCbcAlgorithm.Aes128HmacSha256, true },
        { EspCbcAlgorithm.Aes256HmacSha256, false },
        { EspCbcAlgorithm.Aes256HmacSha256, true },
    };

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void What_we_seal_is_encrypted_then_authenticated_and_opens_again(EspCbcAlgorithm algorithm, bool esn)
    {
        using var bed = new EspTestBed();
        var form = new FormSa(algorithm, SaMode.Tunnel, esn);
        ulong first = esn ? 0x7_FFFF_FFF0ul : 1;
        OutboundSa* sa = form.AddOutbound(bed, EspOuterHeader.None, first: first);
        InboundSa* inbound = form.AddInbound(bed, first - 1);
        var ivs = new HashSet<string>();
        for (int length = 28; length < 160; length++)
        {
            byte[] inner = length % 2 == 0 || length < 48 ? InnerPackets.IPv4(length, length) : InnerPackets.IPv6(length, length);
            byte[] wire = bed.Seal(sa, inner);
            Assert.Equal(0, (wire.Length - 8 - 16 - 16) % 16);
            Assert.True(ivs.Add(Convert.ToHexString(wire.AsSpan(8, 16))));
            byte[] plaintext = Open(form, wire, sa->Sequence);
            Assert.Equal([.. inner, .. Trailer(inner)], plaintext);
            Assert.Equal(inner, bed.Open(wire).Inner);
            Assert.Equal(EspDropReason.Replayed, bed.Open(wire).Reason);
        }
        Assert.Equal(ivs.Count, (int)inbound->Packets);
        // An IV tells nothing of its number: neighbours differ in about half of their bits.
        byte[][] list = [.. ivs.Select(Convert.FromHexString)];
        int bits = list.Zip(list.Skip(1)).Sum(pair => pair.First.Zip(pair.Second).Sum(two => int.PopCount(two.First ^ two.Second)));
        Assert.InRange(bits / (double)(list.Length - 1), 54, 74);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Any_bit_that_is_flipped_is_found_before_decryption(EspCbcAlgorithm algorithm, bool esn)
    {
        using var bed = new EspTestBed();
        var form = new FormSa(algorithm, SaMode.Tunnel, esn);
        form.AddInbound(bed);
        byte[] wire = Seal(form, 1, [.. InnerPackets.IPv4(61), .. Trailer(InnerPackets.IPv4(61))]);
        for (int bit = 32; bit < wire.Length * 8; bit++)
        {
            byte[] forged = [.. wire];
            forged[bit / 8] ^= (byte)(1 << (bit % 8));
            EspDropReason reason = bed.Open(forged).Reason;
            // Numbers that cannot be are late; every other change shows in the ICV.
            Assert.True(reason is EspDropReason.AuthenticationFailed or EspDropReason.Late, $"bit {bit}: {reason}");
        }
        Assert.Equal(InnerPackets.IPv4(61), bed.Open(wire).Inner);
    }

    [Fact]
    public void The_upper_half_of_an_extended_number_is_authenticated()
    {
        using var bed = new EspTestBed();
        var form = new FormSa(EspCbcAlgorithm.Aes128HmacSha256, SaMode.Tunnel, Esn: true);
        form.AddInbound(bed, 0x3_0000_0000);
        byte[] inner = InnerPackets.IPv4(40);
        Assert.Equal(EspDropReason.AuthenticationFailed, bed.Open(Seal(form, 0x2_0000_0005, [.. inner, .. Trailer(inner)])).Reason);
        Assert.Equal(inner, bed.Open(Seal(form, 0x3_0000_0005, [.. inner, .. Trailer(inner)])).Inner);
    }

    [Fact]
    public void Lengths_that_no_cipher_block_has_are_dropped_before_anything_else()
    {
        using var bed = new EspTestBed();
        var form = new FormSa(EspCbcAlgorithm.Aes256HmacSha256, SaMode.Tunnel, Esn: false);
        InboundSa* sa = form.AddInbound(bed);
        byte[] wire = Seal(form, 1, new byte[32]);
        for (int length = 36; length < wire.Length; length += 4)
            Assert.Equal((length - 40) % 16 == 0 && length > 40 ? EspDropReason.AuthenticationFailed : EspDropReason.Truncated, bed.Open(wire[..length]).Reason);
        Assert.True(sa->Drops[EspDropReason.Truncated] > 5);
    }

    /// <summary>Behind a right ICV the peer may still break the rules.</summary>
    [Fact]
    public void Trailers_are_checked_and_padding_may_be_long()
    {
        using var bed = new EspTestBed();
        var form = new FormSa(EspCbcAlgorithm.Aes128HmacSha256, SaMode.Tunnel, Esn: false);
        form.AddInbound(bed);
        byte[] inner = InnerPackets.IPv4(30);
        byte[] Padded(int padding, byte next) => [.. inner, .. Enumerable.Range(1, padding).Select(i => (byte)i), (byte)padding, next];
        Assert.Equal(inner, bed.Open(Seal(form, 1, Padded(240, 4))).Inner);
        Assert.Equal(EspDropReason.Dummy, bed.Open(Seal(form, 2, Padded(16, 59))).Reason);
        Assert.Equal(EspDropReason.UnsupportedNextHeader, bed.Open(Seal(form, 3, Padded(16, 6))).Reason);
        byte[] wrong = Padded(16, 4);
        wrong[^4] ^= 1;
        Assert.Equal(EspDropReason.BadPadding, bed.Open(Seal(form, 4, wrong)).Reason);
        wrong = Padded(16, 4);
        wrong[^2] = 255;
        Assert.Equal(EspDropReason.BadPadding, bed.Open(Seal(form, 5, wrong)).Reason);
    }

    [Fact]
    public void A_burst_mixes_CBC_and_AEAD_packets_in_their_order()
    {
        using var bed = new EspTestBed();
        var form = new FormSa(EspCbcAlgorithm.Aes128HmacSha256, SaMode.Tunnel, Esn: true);
        OutboundSa* cbc = form.AddOutbound(bed, EspOuterHeader.None);
        form.AddInbound(bed);
        var aead = (OutboundSa*)bed.AddLoop(esn: true).Out;
        var wires = new List<byte[]>();
        for (int i = 0; i < 40; i++)
            Assert.Equal(EspStatus.Added, bed.Encapsulator.TryAdd(bed.Burst, i % 3 == 0 ? aead : cbc, bed.Rent(InnerPackets.IPv4(40 + i, i))));
        Assert.Equal(14, bed.Burst.Count);
        bed.Burst.Run(bed.Engine);
        bed.Encapsulator.Complete(bed.Burst);
        for (int i = 0; i < 40; i++)
        {
            Assert.Equal(EspDropReason.None, bed.Encapsulator[i].Reason);
            wires.Add(bed.Encapsulator[i].Packet->Span.ToArray());
            bed.Pool.Return(bed.Encapsulator[i].Packet);
        }
        bed.Encapsulator.Clear();
        bed.Burst.Clear();
        // One packet twice: the second copy must find the window moved at completion, as an AEAD's does.
        wires.Insert(1, wires[1]);
        foreach (byte[] wire in wires)
            Assert.Equal(EspStatus.Added, bed.Decapsulator.TryAdd(bed.Burst, bed.Sad, bed.Rent(wire)));
        bed.Burst.Run(bed.Engine);
        bed.Decapsulator.Complete(bed.Burst);
        Assert.Equal(EspDropReason.Replayed, bed.Decapsulator[2].Reason);
        for (int i = 0; i < 40; i++)
            Assert.Equal(InnerPackets.IPv4(40 + i, i), bed.Decapsulator[i + (i > 1 ? 1 : 0)].Packet->Span.ToArray());
        bed.Decapsulator.Clear();
    }

    [Fact]
    public void Padding_to_a_length_and_dummies_work_as_with_an_AEAD()
    {
        using var bed = new EspTestBed();
        var form = new FormSa(EspCbcAlgorithm.Aes128HmacSha256, SaMode.Tunnel, Esn: false);
        OutboundSa* sa = form.AddOutbound(bed, EspOuterHeader.Ip, padTo: 500);
        form.AddInbound(bed);
        byte[] wire = bed.Seal(sa, InnerPackets.IPv4(60));
        Assert.Equal(bed.Seal(sa, InnerPackets.IPv4(500)).Length, wire.Length);
        Assert.Equal(InnerPackets.IPv4(60), bed.Open(wire, EspIngress.IpPacket).Inner);
        var packet = bed.Rent([]);
        Assert.Equal(EspStatus.Added, bed.Encapsulator.TryAddDummy(bed.Burst, sa, packet, 40));
        bed.Encapsulator.Complete(bed.Burst);
        Assert.Equal(EspDropReason.Dummy, bed.Open(packet->Span, EspIngress.IpPacket).Reason);
    }

    [Fact]
    public void Keys_and_algorithms_that_make_no_sense_are_refused()
    {
        byte[] material = new byte[48];
        Assert.Contains("either", Refused(new() { Spi = 300 }, material));
        Assert.Contains("either", Refused(new() { Spi = 300, Algorithm = AeadAlgorithm.Aes128Gcm, Cbc = EspCbcAlgorithm.Aes128HmacSha256 }, material));
        Assert.Contains("64 bytes", Refused(new() { Spi = 300, Cbc = EspCbcAlgorithm.Aes256HmacSha256 }, material));
        Assert.Throws<ArgumentOutOfRangeException>(() => { OutboundSa.Create(new() { Spi = 300, Cbc = (EspCbcAlgorithm)9 }, material); });
        Assert.Throws<ArgumentException>(() => { CbcHmacKey.Create(new byte[24], new byte[32], seals: true); });
        Assert.Throws<ArgumentException>(() => { CbcHmacKey.Create(new byte[16], new byte[20], seals: true); });

        static string Refused(OutboundSaParameters parameters, byte[] material) =>
            Assert.Throws<ArgumentException>(() => { OutboundSa.Create(parameters, material); }).Message;
    }

    private static byte[] Trailer(byte[] inner)
    {
        int padding = -(inner.Length + 2) & 15;
        return [.. Enumerable.Range(1, padding).Select(i => (byte)i), (byte)padding, (byte)(inner[0] >> 4 == 4 ? 4 : 41)];
    }

    /// <summary>The packet as a peer makes it of any plaintext of whole blocks, with an IV of its own choice.</summary>
    private static byte[] Seal(FormSa form, ulong sequence, byte[] plaintext)
    {
        using var aes = Aes.Create();
        aes.Key = form.Material[..^32];
        byte[] iv = SHA256.HashData(BitConverter.GetBytes(sequence))[..16];
        byte[] header = new byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(header, FormSa.Spi);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), (uint)sequence);
        byte[] packet = [.. header, .. iv, .. aes.EncryptCbc(plaintext, iv, PaddingMode.None)];
        return [.. packet, .. Icv(form, sequence, packet)];
    }

    /// <summary>The plaintext of a packet whose ICV is right.</summary>
    private static byte[] Open(FormSa form, byte[] wire, ulong sequence)
    {
        Assert.Equal(Icv(form, sequence, wire[..^16]), wire[^16..]);
        using var aes = Aes.Create();
        aes.Key = form.Material[..^32];
        return aes.DecryptCbc(wire[24..^16], wire[8..24], PaddingMode.None);
    }

    private static byte[] Icv(FormSa form, ulong sequence, byte[] packet)
    {
        byte[] high = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(high, (uint)(sequence >> 32));
        return HMACSHA256.HashData(form.Material[^32..], form.Esn ? [.. packet, .. high] : packet)[..16];
    }
}
