using CryptoPlane.Aead;
using CryptoPlane.Esp;

namespace CryptoPlane.Dpdk.Tests.Ipsec;

/// <summary>Packets of many lengths between us and DPDK's librte_ipsec, in every mode that both have.</summary>
[Collection(nameof(IpsecPeerGroup))]
public sealed unsafe class IpsecInteropTests(IpsecPeer peer)
{
    /// <summary>Algorithm and crypto device of the peer, ESN, outer IPv6, UDP.</summary>
    public static TheoryData<AeadAlgorithm, string, bool, bool, bool> Modes()
    {
        var modes = new TheoryData<AeadAlgorithm, string, bool, bool, bool>();
        bool[] both = [false, true];
        foreach ((AeadAlgorithm algorithm, string device) in (ReadOnlySpan<(AeadAlgorithm, string)>)
            [
                (AeadAlgorithm.Aes128Gcm, DpdkTestBed.Mb), (AeadAlgorithm.Aes128Gcm, DpdkTestBed.OpenSsl),
                (AeadAlgorithm.Aes256Gcm, DpdkTestBed.Mb), (AeadAlgorithm.Aes256Gcm, DpdkTestBed.OpenSsl),
                (AeadAlgorithm.ChaCha20Poly1305, DpdkTestBed.Mb), // DPDK 22.11's crypto_openssl does not have it.
            ])
        {
            foreach (bool esn in both)
            {
                foreach (bool outerIPv6 in both)
                {
                    foreach (bool udp in both)
                        modes.Add(algorithm, device, esn, outerIPv6, udp);
                }
            }
        }
        return modes;
    }

    [Fact]
    public void The_modes_have_every_algorithm_of_the_engine() =>
        Assert.Equal(EspTunnel.Algorithms.Order(), Modes().Select(mode => mode.Data.Item1).Distinct().Order());

    [Theory]
    [MemberData(nameof(Modes))]
    public void What_we_seal_librte_ipsec_opens(AeadAlgorithm algorithm, string device, bool esn, bool outerIPv6, bool udp)
    {
        peer.Require();
        foreach (bool innerIPv6 in (bool[])[false, true])
        {
            var tunnel = new EspTunnel(algorithm, device, esn, outerIPv6, udp, innerIPv6);
            using var us = new EspSide();
            using var they = new PeerSa(peer, tunnel, opens: true, sequence: 0);
            List<byte[]> inner = InnerPackets.OfManyLengths(innerIPv6);
            List<byte[]> wire = us.Seal(us.AddOutbound(tunnel), inner);
            AssertLengths(tunnel, inner, wire);
            AssertDone(inner, they.Process(wire));
        }
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void What_librte_ipsec_seals_we_open(AeadAlgorithm algorithm, string device, bool esn, bool outerIPv6, bool udp)
    {
        peer.Require();
        foreach (bool innerIPv6 in (bool[])[false, true])
        {
            var tunnel = new EspTunnel(algorithm, device, esn, outerIPv6, udp, innerIPv6);
            using var us = new EspSide();
            InboundSa* sa = us.AddInbound(tunnel);
            using var they = new PeerSa(peer, tunnel, opens: false, sequence: 1);
            List<byte[]> inner = InnerPackets.OfManyLengths(innerIPv6);
            List<byte[]> wire = [.. they.Process(inner).Select(packet => packet.Bytes)];
            AssertLengths(tunnel, inner, wire);
            AssertDelivered(inner, us.Open(wire));
            Assert.Equal((ulong)inner.Count, sa->Packets);
            Assert.Equal((ulong)inner.Count, sa->HighestSequence);
        }
    }

    internal static void AssertDone(IReadOnlyList<byte[]> expected, IReadOnlyList<PeerPacket> packets)
    {
        Assert.Equal(expected.Count, packets.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.Equal(PeerOutcome.Done, packets[i].Outcome);
            Assert.Equal(expected[i], packets[i].Bytes);
        }
    }

    internal static void AssertDelivered(IReadOnlyList<byte[]> expected, IReadOnlyList<OpenedPacket> packets)
    {
        Assert.Equal(expected.Count, packets.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            Assert.Equal(EspDropReason.None, packets[i].Reason);
            Assert.Equal(expected[i], packets[i].Inner);
        }
    }

    /// <summary>Neither side pads more than the words that RFC 4303 §2.4 asks for.</summary>
    private static void AssertLengths(EspTunnel tunnel, List<byte[]> inner, List<byte[]> wire)
    {
        Assert.Equal(inner.Count, wire.Count);
        for (int i = 0; i < inner.Count; i++)
            Assert.Equal(tunnel.OuterLength + EspOverhead.EspLength(inner[i].Length), wire[i].Length);
    }
}
