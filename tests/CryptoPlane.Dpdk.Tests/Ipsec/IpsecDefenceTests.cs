using CryptoPlane.Aead;
using CryptoPlane.Esp;

namespace CryptoPlane.Dpdk.Tests.Ipsec;

/// <summary>Sequence numbers, replays and forgeries between us and DPDK's librte_ipsec: what either side must refuse.</summary>
[Collection(nameof(IpsecPeerGroup))]
public sealed unsafe class IpsecDefenceTests(IpsecPeer peer)
{
    private const ulong Wrap = 1UL << 32;

    /// <summary>Algorithm and ESN.</summary>
    public static TheoryData<AeadAlgorithm, bool> Modes()
    {
        var modes = new TheoryData<AeadAlgorithm, bool>();
        foreach (AeadAlgorithm algorithm in EspTunnel.Algorithms)
        {
            modes.Add(algorithm, false);
            modes.Add(algorithm, true);
        }
        return modes;
    }

    public static TheoryData<AeadAlgorithm> Algorithms => [.. EspTunnel.Algorithms];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Extended_sequence_numbers_pass_2_to_the_32_out_of_order(AeadAlgorithm algorithm)
    {
        peer.Require();
        const ulong first = Wrap - 200;
        EspTunnel tunnel = Tunnel(algorithm, esn: true);
        using var us = new EspSide();
        List<byte[]> inner = InnerPackets.Many(ipv6: false, 500);
        int[] order = ShuffledInPieces(inner.Count);

        OutboundSa* outbound = us.AddOutbound(tunnel, first);
        InboundSa* inbound = us.AddInbound(tunnel, first - 1);
        using var opener = new PeerSa(peer, tunnel, opens: true, first - 1);
        using var sealer = new PeerSa(peer, tunnel, opens: false, first);
        List<byte[]> ours = us.Seal(outbound, inner);
        List<byte[]> theirs = [.. sealer.Process(inner).Select(packet => packet.Bytes)];
        List<byte[]> expected = [.. order.Select(i => inner[i])];
        IpsecInteropTests.AssertDone(expected, opener.Process([.. order.Select(i => ours[i])]));
        IpsecInteropTests.AssertDelivered(expected, us.Open([.. order.Select(i => theirs[i])]));
        Assert.Equal(first + 499, inbound->HighestSequence);
        Assert.Equal(first + 499, outbound->Sequence);
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Without_extended_sequence_numbers_neither_side_begins_anew(AeadAlgorithm algorithm)
    {
        peer.Require();
        const ulong first = Wrap - 20;
        EspTunnel tunnel = Tunnel(algorithm, esn: false);
        using var us = new EspSide();
        List<byte[]> inner = InnerPackets.Many(ipv6: false, 40);

        OutboundSa* outbound = us.AddOutbound(tunnel, first);
        using var opener = new PeerSa(peer, tunnel, opens: true, first - 1);
        IpsecInteropTests.AssertDone(inner[..20], opener.Process(us.Seal(outbound, inner[..20])));
        Assert.Equal(EspStatus.SequenceExhausted, us.Refuse(outbound, inner[20]));

        us.AddInbound(tunnel, first - 1);
        using var sealer = new PeerSa(peer, tunnel, opens: false, first);
        List<PeerPacket> theirs = sealer.Process(inner);
        // librte_ipsec keeps the very last number back.
        Assert.All(theirs[..19], packet => Assert.Equal(PeerOutcome.Done, packet.Outcome));
        Assert.All(theirs[20..], packet => Assert.Equal(PeerOutcome.Prepare, packet.Outcome));
        Assert.All(sealer.Process(inner), packet => Assert.Equal(PeerOutcome.Prepare, packet.Outcome));
        IpsecInteropTests.AssertDelivered(inner[..19], us.Open([.. theirs[..19].Select(packet => packet.Bytes)]));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void What_was_received_is_refused_the_second_time(AeadAlgorithm algorithm, bool esn)
    {
        peer.Require();
        EspTunnel tunnel = Tunnel(algorithm, esn);
        using var us = new EspSide();
        List<byte[]> inner = InnerPackets.Many(ipv6: false, 300);

        using var opener = new PeerSa(peer, tunnel, opens: true, sequence: 0);
        List<byte[]> ours = us.Seal(us.AddOutbound(tunnel), inner);
        IpsecInteropTests.AssertDone(inner, opener.Process(ours));
        // Left of the window, ESN takes a number for one of the next 2^32, and the ICV is wrong (RFC 4303 Appendix A2.2).
        int inWindow = inner.Count - EspTunnel.Window;
        int[] remembered = [.. Enumerable.Range(0, inner.Count).Where(i => PeerRemembers(i + 1))];
        Assert.Equal(remembered.Select(i => esn && i < inWindow ? PeerOutcome.Crypto : PeerOutcome.Prepare),
            opener.Process([.. remembered.Select(i => ours[i])]).Select(packet => packet.Outcome));

        InboundSa* inbound = us.AddInbound(tunnel);
        using var sealer = new PeerSa(peer, tunnel, opens: false, sequence: 1);
        List<byte[]> theirs = [.. sealer.Process(inner).Select(packet => packet.Bytes)];
        IpsecInteropTests.AssertDelivered(inner, us.Open(theirs));
        List<OpenedPacket> again = us.Open(theirs);
        EspDropReason old = esn ? EspDropReason.AuthenticationFailed : EspDropReason.Late;
        Assert.All(again[..inWindow], packet => Assert.Equal(old, packet.Reason));
        Assert.All(again[inWindow..], packet => Assert.Equal(EspDropReason.Replayed, packet.Reason));
        Assert.Equal(300u, inbound->HighestSequence);
        Assert.Equal(300u, inbound->Packets);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Of_two_copies_in_one_burst_one_is_delivered(AeadAlgorithm algorithm, bool esn)
    {
        peer.Require();
        Assert.True(PeerRemembers(25));
        EspTunnel tunnel = Tunnel(algorithm, esn);
        using var us = new EspSide();
        List<byte[]> inner = InnerPackets.Many(ipv6: false, 25);

        using var opener = new PeerSa(peer, tunnel, opens: true, sequence: 0);
        List<byte[]> ours = us.Seal(us.AddOutbound(tunnel), inner);
        Assert.Equal(Enumerable.Repeat(PeerOutcome.Done, 25).Concat(Enumerable.Repeat(PeerOutcome.Process, 25)),
            opener.Process([.. ours, .. ours]).Select(packet => packet.Outcome));

        us.AddInbound(tunnel);
        using var sealer = new PeerSa(peer, tunnel, opens: false, sequence: 1);
        List<byte[]> theirs = [.. sealer.Process(inner).Select(packet => packet.Bytes)];
        Assert.Equal(Enumerable.Repeat(EspDropReason.None, 25).Concat(Enumerable.Repeat(EspDropReason.Replayed, 25)),
            us.Open([.. theirs, .. theirs]).Select(packet => packet.Reason));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void A_forged_bit_anywhere_is_refused_and_the_packet_itself_still_gets_through(AeadAlgorithm algorithm, bool esn)
    {
        peer.Require();
        EspTunnel tunnel = Tunnel(algorithm, esn);
        using var us = new EspSide();
        byte[] inner = InnerPackets.Make(ipv6: false, length: 45, seed: 1);

        using var opener = new PeerSa(peer, tunnel, opens: true, sequence: 0);
        byte[] ours = us.Seal(us.AddOutbound(tunnel), [inner])[0];
        Assert.All(opener.Process(Forgeries(tunnel, ours)), packet => Assert.Equal(PeerOutcome.Crypto, packet.Outcome));
        IpsecInteropTests.AssertDone([inner], opener.Process([ours]));

        InboundSa* inbound = us.AddInbound(tunnel);
        using var sealer = new PeerSa(peer, tunnel, opens: false, sequence: 1);
        byte[] theirs = sealer.Process([inner])[0].Bytes;
        Assert.All(us.Open(Forgeries(tunnel, theirs)), packet => Assert.Equal(EspDropReason.AuthenticationFailed, packet.Reason));
        Assert.Equal(0u, inbound->HighestSequence);
        IpsecInteropTests.AssertDelivered([inner], us.Open([theirs]));
    }

    /// <summary>
    /// Whether librte_ipsec notes that it has received a number. Of every 64 it does so for the first 32 only: esn_inb_update_sqn keeps the
    /// bit for a 64-bit word in a 32-bit variable (in 22.11 and in every version since; seen in the sources of June 2026).
    /// </summary>
    private static bool PeerRemembers(int sequence) => sequence % 64 < 32;

    private static EspTunnel Tunnel(AeadAlgorithm algorithm, bool esn) =>
        new(algorithm, DpdkTestBed.Mb, esn, OuterIPv6: false, Udp: false, InnerIPv6: false);

    /// <summary>
    /// Copies of the packet with sequence number 1 and one bit wrong each: every bit of sequence number (but the one that makes it 0), IV,
    /// ciphertext and ICV. The SPI is not among them: it is what finds the SA.
    /// </summary>
    private static List<byte[]> Forgeries(EspTunnel tunnel, byte[] packet)
    {
        int sequence = (tunnel.OuterLength + 4) * 8, lowestBitOfSequence = sequence + 24;
        var forgeries = new List<byte[]>();
        for (int bit = sequence; bit < packet.Length * 8; bit++)
        {
            if (bit == lowestBitOfSequence)
                continue;
            byte[] forgery = [.. packet];
            forgery[bit / 8] ^= (byte)(1 << (bit % 8));
            forgeries.Add(forgery);
        }
        return forgeries;
    }

    /// <summary>An order in which packets arrive: mixed, but never by more than either side's window.</summary>
    private static int[] ShuffledInPieces(int count)
    {
        var random = new Random(32);
        return [.. Enumerable.Range(0, count).Chunk(100).SelectMany(piece =>
        {
            random.Shuffle(piece);
            return piece;
        })];
    }
}
