using System.Buffers.Binary;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp.Tests;

/// <summary>Packets sealed with the right key by a peer that breaks the rules inside: they authenticate, and are dropped all the same.</summary>
public sealed class MalformedInnerTests : IDisposable
{
    private readonly EspTestBed _bed = new();
    private readonly EspForge _forge;
    private ulong _sequence;

    public MalformedInnerTests()
    {
        byte[] material = EspTestBed.KeyingMaterial(AeadAlgorithm.Aes128Gcm);
        uint spi = Spi.Create(0, 1);
        AddInbound(spi, material);
        _forge = new EspForge(AeadAlgorithm.Aes128Gcm, material, spi);
    }

    public void Dispose() => _bed.Dispose();

    [Fact]
    public void Every_wrong_pad_length_is_refused()
    {
        byte[] inner = InnerPackets.IPv4(58);
        for (int padLength = 0; padLength < 256; padLength++)
        {
            // The packet itself ends with bytes that could be padding, so that only the right length passes all checks.
            Opened opened = Open([.. inner, (byte)padLength, 4]);
            if (padLength == 0)
                Assert.Equal(inner, opened.Inner);
            else
                Assert.Equal(EspDropReason.BadPadding, opened.Reason);
        }
    }

    [Fact]
    public void Padding_does_not_reach_back_into_the_IV()
    {
        // Pad length 3 over two bytes: the IV's last byte would be the first of the padding 1, 2, 3.
        byte[] wire = _forge.Seal(++_sequence, [2, 3, 3, 59], iv: 1);
        Assert.Equal(new Opened(EspStatus.Added, EspDropReason.BadPadding, null), _bed.Open(wire));
    }

    [Fact]
    public void A_pad_length_that_eats_into_the_inner_packet_is_noticed_even_if_the_bytes_look_like_padding()
    {
        byte[] inner = InnerPackets.IPv4(62);
        for (int i = 0; i < 30; i++)
            inner[32 + i] = (byte)(i + 1);
        Assert.Equal(inner, Open([.. inner, 0, 4]).Inner);
        Assert.Equal(EspDropReason.InnerMalformed, Open([.. inner, 30, 4]).Reason);
    }

    [Fact]
    public void Padding_is_accepted_up_to_255_bytes_and_every_byte_of_it_is_checked()
    {
        byte[] inner = InnerPackets.IPv4(63);
        for (int words = 0; words < 63; words++)
        {
            byte[] plaintext = [.. inner, .. EspForge.Trailer(inner.Length, 4, words)];
            Assert.Equal(inner, Open(plaintext).Inner);
            int padding = plaintext.Length - inner.Length - 2;
            for (int at = 0; at < padding; at += 1 + (padding / 7))
            {
                byte[] wrong = [.. plaintext];
                wrong[inner.Length + at] ^= 0x10;
                Assert.Equal(EspDropReason.BadPadding, Open(wrong).Reason);
            }
        }
    }

    [Fact]
    public void Only_IPv4_IPv6_and_dummies_are_known_next_headers()
    {
        byte[] inner = InnerPackets.IPv4(58);
        for (int nextHeader = 0; nextHeader < 256; nextHeader++)
        {
            EspDropReason expected = nextHeader switch
            {
                4 => EspDropReason.None,
                41 => EspDropReason.InnerMalformed,
                59 => EspDropReason.Dummy,
                _ => EspDropReason.UnsupportedNextHeader,
            };
            Assert.Equal(expected, Open([.. inner, 0, (byte)nextHeader]).Reason);
        }
        Assert.Equal(EspDropReason.InnerMalformed, Open([.. InnerPackets.IPv6(58), 0, 4]).Reason);
    }

    [Fact]
    public void Dummies_are_discarded_whatever_they_hold_and_move_the_window()
    {
        var random = new Random(4);
        for (int length = 2; length < 200; length += 4)
        {
            byte[] noise = new byte[length];
            random.NextBytes(noise);
            byte[] dummy = [.. noise, 0, 59];
            Assert.Equal(EspDropReason.Dummy, Open(dummy).Reason);
            Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.Replayed, null), _bed.Open(_forge.Seal(_sequence, dummy)));
        }
        // Discarding them is no loss.
        Assert.Equal(50u, _bed.Decapsulator.Drops[EspDropReason.Dummy]);
        Assert.Equal(50u, _bed.Decapsulator.Drops.TotalDropped);
    }

    [Fact]
    public void Traffic_flow_confidentiality_padding_is_cut_off()
    {
        var random = new Random(5);
        foreach (byte[] inner in (byte[][])[InnerPackets.IPv4(61), InnerPackets.IPv6(77)])
        {
            for (int tfc = 0; tfc < 1200; tfc += 13)
            {
                byte[] noise = new byte[tfc];
                random.NextBytes(noise);
                byte nextHeader = (byte)(inner[0] >> 4 == 4 ? 4 : 41);
                byte[] plaintext = [.. inner, .. noise, .. EspForge.Trailer(inner.Length + tfc, nextHeader)];
                Assert.Equal(inner, Open(plaintext).Inner);
            }
        }
    }

    [Fact]
    public void Every_wrong_inner_length_is_refused_or_shortens_the_packet()
    {
        byte[] inner = InnerPackets.IPv4(58);
        for (int total = 0; total <= ushort.MaxValue; total += total < 200 ? 1 : 101)
        {
            byte[] wrong = [.. inner];
            BinaryPrimitives.WriteUInt16BigEndian(wrong.AsSpan(2), (ushort)total);
            Opened opened = Open([.. wrong, 0, 4]);
            if (total is >= 20 and <= 58)
                Assert.Equal(wrong[..total], opened.Inner);
            else
                Assert.Equal(EspDropReason.InnerMalformed, opened.Reason);
        }
        byte[] inner6 = InnerPackets.IPv6(58);
        for (int payload = 0; payload <= ushort.MaxValue; payload += payload < 200 ? 1 : 101)
        {
            byte[] wrong = [.. inner6];
            BinaryPrimitives.WriteUInt16BigEndian(wrong.AsSpan(4), (ushort)payload);
            Opened opened = Open([.. wrong, 0, 41]);
            if (payload <= 18)
                Assert.Equal(wrong[..(40 + payload)], opened.Inner);
            else
                Assert.Equal(EspDropReason.InnerMalformed, opened.Reason);
        }
    }

    [Fact]
    public void Every_version_and_header_length_but_the_right_ones_is_refused()
    {
        for (int first = 0; first < 256; first++)
        {
            byte[] inner = InnerPackets.IPv4(58);
            inner[0] = (byte)first;
            EspDropReason expected = first is >= 0x45 and <= 0x4E ? EspDropReason.None : EspDropReason.InnerMalformed;
            // Fifteen words of header are 60 bytes: more than the packet has.
            Assert.Equal(expected, Open([.. inner, 0, 4]).Reason);
            byte[] inner6 = InnerPackets.IPv6(58);
            inner6[0] = (byte)first;
            Assert.Equal(first >> 4 == 6 ? EspDropReason.None : EspDropReason.InnerMalformed, Open([.. inner6, 0, 41]).Reason);
        }
    }

    [Fact]
    public void Inner_packets_truncated_at_every_length_are_refused()
    {
        foreach (byte[] inner in (byte[][])[InnerPackets.IPv4(70), InnerPackets.IPv6(70)])
        {
            for (int length = 0; length < inner.Length; length++)
            {
                byte nextHeader = (byte)(inner[0] >> 4 == 4 ? 4 : 41);
                byte[] plaintext = [.. inner[..length], .. EspForge.Trailer(length, nextHeader)];
                Assert.Equal(EspDropReason.InnerMalformed, Open(plaintext).Reason);
            }
        }
    }

    [Fact]
    public void Plaintexts_that_do_not_fill_words_are_refused_unopened()
    {
        byte[] inner = InnerPackets.IPv4(58);
        for (int extra = 1; extra < 4; extra++)
        {
            byte[] plaintext = [.. inner, .. new byte[extra], 0, 4];
            Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.Truncated, null), _bed.Open(_forge.Seal(++_sequence, plaintext)));
        }
        Assert.Equal(new Opened(EspStatus.Dropped, EspDropReason.Truncated, null), _bed.Open(_forge.Seal(++_sequence, [])));
    }

    [Fact]
    public unsafe void What_is_not_an_IP_packet_is_not_sealed()
    {
        (nint o, _) = _bed.AddLoop();
        var outbound = (OutboundSa*)o;
        foreach (byte[] inner in (byte[][])[[], [0x45], InnerPackets.IPv4(100)[..99], InnerPackets.IPv6(100)[..99], InnerPackets.IPv6(60)[..30], new byte[100]])
        {
            Assert.Null(_bed.TrySeal(outbound, inner, out EspStatus status));
            Assert.Equal(EspStatus.Dropped, status);
        }
        Assert.Equal(6u, outbound->Drops[EspDropReason.InnerNotIp]);
        Assert.Equal(0u, outbound->Sequence);
    }

    [Fact]
    public unsafe void A_buffer_without_room_is_refused_before_it_costs_a_sequence_number()
    {
        (nint o, _) = _bed.AddLoop(outer: EspOuterHeader.IpUdp, outerIPv6: true);
        var outbound = (OutboundSa*)o;
        byte[] inner = InnerPackets.IPv4(63);
        int tail = EspOverhead.EspLength(63) - 16 - 63;
        using var pool = new PacketPool(1, 448, headroom: 0);
        foreach ((int head, int room, bool fits) in ((int, int, bool)[])[(64, 321, true), (63, 322, false), (0, 385, false), (-1, tail, true), (-1, tail - 1, false)])
        {
            Assert.True(pool.TryRent(out PacketBuffer* packet));
            Assert.Equal(448, packet->Capacity);
            Assert.True(packet->TryReset(head >= 0 ? head : packet->Capacity - inner.Length - room));
            Assert.True(packet->TrySetLength(inner.Length));
            Assert.Equal(room, packet->Tailroom);
            inner.CopyTo(packet->Span);
            ulong before = outbound->Sequence;
            EspStatus status = _bed.Encapsulator.TryAdd(_bed.Burst, outbound, packet);
            Assert.Equal(fits ? EspStatus.Added : EspStatus.Dropped, status);
            Assert.Equal(before + (fits ? 1u : 0u), outbound->Sequence);
            _bed.Burst.Run(_bed.Engine);
            _bed.Encapsulator.Complete(_bed.Burst);
            _bed.Encapsulator.Clear();
            _bed.Burst.Clear();
            pool.Return(packet);
        }
        Assert.Equal(3u, outbound->Drops[EspDropReason.NoRoom]);
    }

    private unsafe void AddInbound(uint spi, byte[] material) =>
        _bed.AddInbound(new InboundSaParameters { Spi = spi, Algorithm = AeadAlgorithm.Aes128Gcm }, material);

    private Opened Open(byte[] plaintext)
    {
        Opened opened = _bed.Open(_forge.Seal(++_sequence, plaintext));
        Assert.Equal(EspStatus.Added, opened.Status);
        return opened;
    }
}
