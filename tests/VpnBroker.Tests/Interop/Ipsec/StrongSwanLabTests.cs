using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>The broker and strongSwan where a NAT is between, and where either of them dies.</summary>
[Collection(nameof(StrongSwanTests))]
public sealed class StrongSwanLabTests
{
    /// <summary>Who died is found out and begun anew by retransmissions, which a slow machine may need several of.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void A_gateway_behind_a_nat_is_followed_when_the_nat_forgets_it()
    {
        using var lab = new IpsecLab([""], behindNat: true, swanConnection: "dpd_delay = 1s");
        lab.Explained(() =>
        {
            lab.Route(Translation(20000));
            lab.Gateways[0].Swanctl("--initiate", "--child", "net");
            Eventually.True(() => lab.Answers(), "packets to the gateway", s_patience);
            Assert.True(lab.Answers(fromGateway: true), "packets from the gateway");
            Assert.Contains("10.99.0.254:2", lab.List, StringComparison.Ordinal);

            lab.Route(Translation(40000));
            lab.ForgetTranslations();
            Eventually.True(() => lab.List.Contains("10.99.0.254:4", StringComparison.Ordinal), "the broker to follow the gateway to another port", s_patience);
            Eventually.True(() => lab.Answers(), "packets to the gateway", s_patience);
            Assert.True(lab.Answers(fromGateway: true), "packets from the gateway");
            Assert.Equal(1, lab.ChildrenMade);
            Assert.Equal(["established"], lab.StatesOf("gw1"));
        });

        static string Translation(int port) => $$"""
            chain out {
              type nat hook postrouting priority srcnat;
              oifname broker ip protocol udp masquerade to :{{port}}-{{port + 999}}
            }
            """;
    }

    [Fact]
    public void Whoever_is_killed_comes_back_and_old_SAs_go()
    {
        using var lab = new IpsecLab(["start: true\ndpd: 1s\ndpdTimeout: 3s"]);
        lab.Explained(() =>
        {
            Eventually.True(() => lab.Answers(), "the tunnel", s_patience);
            lab.Gateways[0].Kill();
            lab.Gateways[0].Start();
            AssertBack("after strongSwan was killed");
            Assert.Contains("an IKE SA ended: PeerDead", lab.Broker.Program.AllOutput, StringComparison.Ordinal);

            lab.RestartBroker();
            AssertBack("after the broker was killed");
        });

        void AssertBack(string when)
        {
            Eventually.True(() => lab.Answers(), $"the tunnel {when}", s_patience);
            Eventually.True(() => lab.Gateways[0].IkeSas == 1 && lab.StatesOf("gw1") is ["established"], $"one IKE SA {when}", s_patience);
            Eventually.True(() => lab.Gateways[0].ChildSas == 1 && lab.PairsOf("gw1") == (1, 1), $"one pair of ESP SAs on either side {when}", s_patience);
            Assert.Contains("established", lab.List, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Peers_of_one_priority_share_flows_by_weight_and_carry_on_when_one_dies()
    {
        const string Common = "\nstart: true\ndpd: 1s\ndpdTimeout: 4s";
        using var lab = new IpsecLab(["weight: 3" + Common, "weight: 1" + Common]);
        lab.Explained(() =>
        {
            Eventually.True(() => lab.Shares is [("gw1/net", 3, 0.75), ("gw2/net", 1, 0.25)], "both tunnels to share", s_patience);
            Assert.Contains("75.0%", lab.List, StringComparison.Ordinal);
            using var flows = new NumberedFlows(lab);
            Eventually.True(() => flows.Answers.Values.Count(answers => answers.Count >= 10) == NumberedFlows.Count, "ten answers to each flow", s_patience);
            Dictionary<int, string> ways = flows.Answers.ToDictionary(flow => flow.Key, flow => Assert.Single(flow.Value.Select(answer => answer.Gateway).Distinct()));
            // 48 of 64, and 4.6 of standard deviation.
            Assert.InRange(ways.Values.Count(way => way == "gw1"), 32, NumberedFlows.Count - 1);

            lab.Gateways[0].Kill();
            Eventually.True(() => flows.Answers.Values.All(answers => answers[^1].Gateway == "gw2"), "all flows to go on by the other one", s_patience);
            foreach ((int flow, List<(int Number, string Gateway)> answers) in flows.Answers)
            {
                // In order, each by one way at a time; those of the other gateway have not noticed.
                Assert.All(answers.Zip(answers.Skip(1)), pair => Assert.True(pair.First.Number < pair.Second.Number, $"flow {flow}: {string.Join(' ', answers)}"));
                Assert.Equal(ways[flow] == "gw1" ? ["gw1", "gw2"] : ["gw2"], answers.Select(answer => answer.Gateway).Distinct());
            }
            Assert.Empty(lab.Shares);
        });
    }

    [Fact]
    public void When_the_preferred_peer_dies_the_next_carries_until_it_is_back()
    {
        const string Common = "\nstart: true\ndpd: 1s\ndpdTimeout: 2s";
        using var lab = new IpsecLab(["priority: 0" + Common, "priority: 1" + Common]);
        lab.Explained(() =>
        {
            Eventually.True(() => lab.StatesOf("gw1") is ["established"] && lab.StatesOf("gw2") is ["established"], "both tunnels", s_patience);
            AssertCarrier("gw1");
            lab.Gateways[0].Kill();
            AssertCarrier("gw2");
            Assert.DoesNotContain("established", lab.StatesOf("gw1"));
            lab.Gateways[0].Start();
            AssertCarrier("gw1");
            Assert.Equal(["established"], lab.StatesOf("gw2"));
        });

        // Both have the same address behind them: what a gateway has received says by which the packets go.
        void AssertCarrier(string name) => Eventually.True(
            () =>
            {
                long before = lab.Gateways.Single(gateway => gateway.Name == name).Pings;
                return lab.Answers() && lab.Gateways.Single(gateway => gateway.Name == name).Pings > before;
            },
            $"packets by {name}", s_patience);
    }
}
