using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>The broker and strongSwan rekey while the network between them loses ESP and IKE: nothing is lost besides.</summary>
[Collection(nameof(StrongSwanTests))]
public sealed class StrongSwanLossTests
{
    /// <summary>
    /// Of ESP three of a hundred are lost by chance; of IKE, which begins with the four zero bytes of RFC 3948 §2.2, every fifth message.
    /// iperf3's datagrams, known by their length, are counted by themselves;
    /// what is shorter than TCP's segments stays, since iperf3 does not say its hello twice.
    /// </summary>
    private const string Lossy = """
        counter ike {}
        counter datagrams {}
        counter others {}
        chain through {
          type filter hook forward priority 0;
          udp dport 500 numgen inc mod 5 == 4 counter name ike drop
          udp dport 4500 @th,64,32 0 numgen inc mod 5 == 4 counter name ike drop
          udp dport 4500 @th,64,32 0 accept
          udp dport 4500 meta length 1200-1260 numgen random mod 100 < 3 counter name datagrams drop
          udp dport 4500 meta length 1200-1260 accept
          udp dport 4500 meta length > 130 numgen random mod 100 < 3 counter name others drop
        }
        """;

    private static readonly string[] s_udp = ["--bitrate", "3M", "--length", "1150"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Through_rekeys_nothing_is_lost_but_by_the_network(bool bySwan)
    {
        using IpsecLab lab = bySwan
            ? new(["start: true\ndpd: 2s"], swanConnection: "rekey_time = 3s\nover_time = 60s\nrand_time = 0s", swanChild: "rekey_time = 1s\nlife_time = 60s\nrand_time = 0s",
                swanSettings: "retransmit_timeout = 0.5\nretransmit_base = 1.3\nretransmit_tries = 10")
            : new(["start: true\nlifetime: 3s\ndpd: 2s"], child: ", lifetime: 1s");
        lab.Explained(() =>
        {
            Eventually.True(() => lab.Answers(), "the tunnel");
            // Those of before the tunnel was up.
            Dictionary<string, long> drops = lab.Drops();
            (int rekeyed, int children) = (lab.IkeSasRekeyed, lab.ChildrenMade);
            long othersBefore = Others();
            (long missing, long sent) = Load(lab, "5");
            (int rekeyedThen, int childrenThen) = (lab.IkeSasRekeyed, lab.ChildrenMade);
            // The broker drops nothing (below). What strongSwan drops it says, what has no room in the kernels' queues is counted there.
            Assert.True(missing <= Others() - othersBefore, $"{missing} datagrams of {sent} are missing; {Explain()}");
            Assert.True(rekeyedThen - rekeyed >= 1 && childrenThen - children >= 3, $"{rekeyedThen - rekeyed} new IKE SAs, {childrenThen - children} pairs of ESP SAs");
            Assert.Equal(drops, lab.Drops());

            othersBefore = Others();
            lab.Route(Lossy);
            (missing, sent) = Load(lab, "6");
            (long ike, long datagrams, long others) = (lab.Counted("ike"), lab.Counted("datagrams"), lab.Counted("others"));
            (rekeyed, children) = (lab.IkeSasRekeyed - rekeyedThen, lab.ChildrenMade - childrenThen);
            TestContext.Current.TestOutputHelper?.WriteLine($"missing {missing} of {sent}; dropped: IKE {ike}, datagrams {datagrams}, others {others}; {rekeyed} new IKE SAs, {children} pairs; {Explain()}");
            Assert.True(ike > 0 && datagrams > 0 && others > 0 && children > 0, $"dropped: IKE {ike}, datagrams {datagrams}, others {others}; {children} pairs");
            Assert.True(missing <= datagrams + Others() - othersBefore, $"{missing} datagrams are missing, the network has dropped {datagrams}; {Explain()}");
            Assert.Equal(drops, lab.Drops());
            Assert.DoesNotContain("an IKE SA ended: PeerDead", lab.Broker.Program.AllOutput, StringComparison.Ordinal);
            Assert.DoesNotContain("an IKE SA ended: Expired", lab.Broker.Program.AllOutput, StringComparison.Ordinal);
        });

        long Others() => lab.QueueDrops + lab.Gateways[0].EspDrops;

        string Explain() => $"full queues {lab.QueueDrops}, strongSwan {lab.Gateways[0].EspDrops}, the broker {string.Join(' ', lab.Drops())}";
    }

    /// <summary>Sends datagrams both ways, and a file by TCP beside them.</summary>
    /// <returns>Datagrams that did not come, and all.</returns>
    private static (long Missing, long Sent) Load(IpsecLab lab, string seconds)
    {
        using Iperf there = lab.StartIperf(5201, [.. s_udp, "--time", seconds]);
        using Iperf back = lab.StartIperf(5202, [.. s_udp, "--time", seconds, "--reverse"]);
        lab.Download(2_000_000);
        (long datagramsThere, long lost) = there.Datagrams();
        (long datagramsBack, long lostBack) = back.Datagrams();
        Assert.True(datagramsThere > 1000 && datagramsBack > 1000, $"{datagramsThere} and {datagramsBack} datagrams");
        return (lost + lostBack, datagramsThere + datagramsBack);
    }
}
