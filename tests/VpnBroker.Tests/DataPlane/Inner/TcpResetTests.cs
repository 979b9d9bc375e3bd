using CryptoPlane.Flows.Sessions;
using CryptoPlane.TestKit;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Inner;

namespace VpnBroker.Tests.DataPlane.Inner;

/// <summary>The RST of RFC 9293 §3.10.7.1: known answers, and what is not answered.</summary>
public sealed unsafe class TcpResetTests
{
    private const int Fin = TcpTracker.Fin, Syn = TcpTracker.Syn, Rst = TcpTracker.Rst, Ack = TcpTracker.Ack;

    [Theory]
    // Without ACK: from 0, and all of the segment is acknowledged, SYN and FIN too.
    [InlineData(Syn, 1000u, 0u, 0, Rst | Ack, 0u, 1001u)]
    [InlineData(Syn, uint.MaxValue, 0u, 0, Rst | Ack, 0u, 0u)]
    [InlineData(Syn, 1000u, 0u, 100, Rst | Ack, 0u, 1101u)]
    [InlineData(Fin, 1000u, 0u, 7, Rst | Ack, 0u, 1008u)]
    [InlineData(0, 1000u, 0u, 0, Rst | Ack, 0u, 1000u)]
    // With ACK: from where the sender waits for it, and nothing is acknowledged.
    [InlineData(Ack, 1000u, 77_000u, 50, Rst, 77_000u, 0u)]
    [InlineData(Syn | Ack, 1000u, 77_000u, 0, Rst, 77_000u, 0u)]
    [InlineData(Fin | Ack, 1000u, uint.MaxValue, 0, Rst, uint.MaxValue, 0u)]
    public void Numbers_are_those_of_a_closed_port(int flags, uint sequence, uint acknowledgement, int payload, int expectedFlags, uint expectedSequence, uint expectedAcknowledgement)
    {
        foreach ((string from, string to) in (ReadOnlySpan<(string, string)>)[("10.8.0.10", "192.0.2.1"), ("fd00:8::10", "2001:db8::1")])
        {
            byte[] answer = Write(TcpPackets.Make(from, to, 40_000, 443, flags, sequence, acknowledgement, payload));
            Assert.Equal(TcpPackets.Make(to, from, 443, 40_000, expectedFlags, expectedSequence, expectedAcknowledgement), answer);
        }
    }

    [Fact]
    public void A_known_answer_is_given_byte_by_byte()
    {
        // A host's SYN with options, and the RST with SEQ 0 and ACK 0x11223345; checksums by a program of its own.
        byte[] syn = Convert.FromHexString("4500003c1c464000400652630a08000ac00002019c4001bb1122334400000000a002faf09e990000"
            + "020405b40402080a000000010000000001030307");
        Assert.Equal("450000280000400040066ebdc00002010a08000a01bb9c40000000001122334550140000015b0000", Convert.ToHexStringLower(Write(syn)));
    }

    [Fact]
    public void A_reset_and_what_is_no_segment_get_no_answer()
    {
        byte[] good = TcpPackets.Make("10.8.0.10", "192.0.2.1", 1, 2, Ack, 1, 2, payload: 30);
        Assert.NotEmpty(Write(good));
        Assert.Empty(Write(TcpPackets.Make("10.8.0.10", "192.0.2.1", 1, 2, Rst, 1)));
        Assert.Empty(Write(TcpPackets.Make("10.8.0.10", "192.0.2.1", 1, 2, Rst | Ack, 1, 2)));
        // A wrong checksum, a header that is shorter than one, and one that ends behind the packet.
        Assert.Empty(Write(Changed(good, packet => packet[45] ^= 1, fix: false)));
        Assert.Empty(Write(Changed(good, packet => packet[32] = 0x40)));
        Assert.Empty(Write(Changed(good, packet => packet[32] = 0xF0)));
        Assert.Empty(Write(TcpPackets.Make("10.8.0.10", "224.0.0.1", 1, 2, Syn, 1)));
        Assert.Empty(Write(TcpPackets.Make("127.0.0.1", "192.0.2.1", 1, 2, Syn, 1)));
    }

    [Fact]
    public void Fragments_and_other_protocols_are_no_segments()
    {
        byte[] good = TcpPackets.Make("10.8.0.10", "192.0.2.1", 1, 2, Ack, 1, 2, payload: 32);
        Assert.True(IsSegment(good));
        Assert.False(IsSegment(Changed(good, packet => packet[6] = 0x20)));
        Assert.False(IsSegment(Changed(good, packet => (packet[6], packet[7]) = (0, 5))));
        Assert.False(IsSegment(Changed(good, packet => packet[9] = 17)));
        Assert.False(IsSegment(FlowPackets.IPv4("10.8.0.10", "192.0.2.1", 6, new byte[19])));
    }

    [Fact]
    public void Whatever_comes_nothing_is_read_or_written_beyond_it()
    {
        var random = new Random(17);
        byte[][] seeds = [TcpPackets.Make("10.8.0.10", "192.0.2.1", 1, 2, Syn, 1, payload: 9), TcpPackets.Make("fd00:8::10", "2001:db8::1", 1, 2, Ack, 1, 2, payload: 9)];
        int answered = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] packet = [.. seeds[round % 2]];
            for (int changes = random.Next(3); changes > 0; changes--)
                packet[random.Next(packet.Length)] = (byte)random.Next(256);
            if (packet[0] == 0x45)
                InnerPackets.FixHeaderChecksum(packet);
            if (random.Next(2) == 0 && packet[0] is 0x45 or 0x60 && packet.Length > 40)
                TcpPackets.FixChecksum(packet);
            byte[] answer = Write(packet);
            answered += answer.Length == 0 ? 0 : 1;
            Assert.True(answer.Length is 0 or 40 or 60);
        }
        Assert.InRange(answered, 1000, 20_000);
    }

    private static byte[] Changed(byte[] packet, Action<byte[]> change, bool fix = true)
    {
        byte[] copy = [.. packet];
        change(copy);
        if (fix)
            TcpPackets.FixChecksum(copy);
        InnerPackets.FixHeaderChecksum(copy);
        return copy;
    }

    private static bool IsSegment(byte[] bytes)
    {
        using var packet = new NativeBuffer(bytes, GuardPage.Behind);
        return SessionParser.TryParse(packet.Pointer, packet.Length, out _, out SessionPacket parsed) && TcpReset.IsSegment(parsed);
    }

    /// <summary>The answer; empty for none. Only what parses as a segment gets there.</summary>
    private static byte[] Write(byte[] bytes)
    {
        using var packet = new NativeBuffer(bytes, GuardPage.Behind);
        using var room = new NativeBuffer(TcpReset.MaxLength, GuardPage.Behind);
        if (InnerPacket.TryParse(packet.Pointer, packet.Length, out InnerPacket inner) != DropReason.None)
            return [];
        if (!SessionParser.TryParse(packet.Pointer, inner.Length, out _, out SessionPacket parsed) || !TcpReset.IsSegment(parsed))
            return [];
        return room.Span[..TcpReset.Write(packet.Pointer, inner, parsed, room.Pointer)].ToArray();
    }
}
