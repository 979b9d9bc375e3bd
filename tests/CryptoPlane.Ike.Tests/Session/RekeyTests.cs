using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Session.TestConnections;

namespace CryptoPlane.Ike.Tests.Session;

public class RekeyTests
{
    [Theory]
    [InlineData(true, KeyExchangeMethod.None)]
    [InlineData(false, KeyExchangeMethod.None)]
    [InlineData(true, KeyExchangeMethod.X25519)]
    [InlineData(false, KeyExchangeMethod.P256)]
    public void A_child_SA_is_replaced_without_a_lost_packet_from_either_side(bool byInitiator, KeyExchangeMethod method)
    {
        using TestNetwork network = Network(new() { EspProposals = [new EspSuite(EspCipher.Aes128Gcm16, true, method)] }).Establish();
        (TestPeer actor, TestPeer other) = byInitiator ? (network.Initiator, network.Responder) : (network.Responder, network.Initiator);
        ChildSaInstalled old = actor.Outbound()!;
        network.StartTraffic(1);
        actor.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(500);
        ChildSaInstalled fresh = actor.Outbound()!;
        Assert.Equal(old.Id, fresh.Replaces);
        Assert.Equal(other.Outbound()!.Id.InboundSpi, fresh.OutboundSpi);
        Assert.Equal(method, fresh.Keys.Suite.KeyExchange);
        Assert.NotEqual(old.OutboundEncryption.ToArray(), fresh.OutboundEncryption.ToArray());
        // The old one lingers for what is on its way, and is gone then.
        Assert.Contains(old.Id.InboundSpi, actor.Installed);
        network.Run(3_000);
        Assert.DoesNotContain(old.Id.InboundSpi, actor.Installed);
        network.AssertChildrenAgree();
        Assert.Single(actor.Installed);
        Assert.Equal(0, network.PacketsLost);
        Assert.True(network.PacketsReceived > 1_000);
    }

    [Fact]
    public void Whoever_answers_a_rekey_sends_on_the_new_SA_when_the_peer_does()
    {
        using TestNetwork network = Network().Establish();
        uint old = network.Responder.Outbound()!.Id.InboundSpi;
        // The deletion of the old SA is lost for a while, so that only traffic tells the responder.
        network.Fate = sent => sent.Header is { Exchange: ExchangeType.Informational } ? [] : [TestNetwork.Delay];
        network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(100);
        Assert.Equal(2, network.Responder.Installed.Count);
        Assert.Equal(old, network.Responder.Outbound()!.Id.InboundSpi);
        network.StartTraffic(10);
        network.Run(100);
        Assert.NotEqual(old, network.Responder.Outbound()!.Id.InboundSpi);
        network.Fate = null;
        network.Run(10_000);
        network.AssertChildrenAgree();
        Assert.Single(network.Responder.Installed);
        Assert.Equal(0, network.PacketsLost);
    }

    [Fact]
    public void Who_is_asked_to_rekey_a_child_SA_that_is_just_being_made_does_so_when_it_is()
    {
        using TestNetwork network = Network().Establish();
        uint old = network.Responder.Outbound()!.Id.InboundSpi;
        network.Fate = sent => sent.Header is { Exchange: ExchangeType.Informational } ? [] : [TestNetwork.Delay];
        network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(100);
        uint made = Assert.Single(network.Responder.Installed.Keys, spi => spi != old);
        Assert.DoesNotContain(made, network.Responder.Active);
        network.Responder.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(100);
        Assert.Equal(2, network.Responder.Installed.Count);
        network.Fate = null;
        network.Run(20_000);
        network.AssertChildrenAgree();
        Assert.Equal(made, Assert.Single(network.Responder.Installed.Values).Replaces!.Value.InboundSpi);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_IKE_SA_is_replaced_and_hands_its_child_SAs_on(bool byInitiator)
    {
        using TestNetwork network = Network().Establish();
        ulong before = Assert.Single(network.Initiator.IkeSas);
        ChildSaInstalled child = network.Initiator.Outbound()!;
        TestPeer actor = byInitiator ? network.Initiator : network.Responder;
        network.StartTraffic(10);
        for (int i = 1; i <= 3; i++)
        {
            actor.Endpoint.Rekey("c", ikeSa: true, network.Now);
            network.Run(1_000);
            ulong after = Assert.Single(network.Initiator.IkeSas);
            Assert.NotEqual(before, after);
            Assert.Equal(before, network.Initiator.Events.OfType<IkeSaEstablished>().Last().Replaces);
            before = after;
            Assert.Single(network.Responder.IkeSas);
            Assert.Equal(child.Id, network.Initiator.Outbound()!.Id);
            // The new IKE SA works in both directions.
            network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
            network.Run(100);
            network.Responder.Endpoint.Rekey("c", ikeSa: false, network.Now);
            network.Run(5_000);
            network.AssertChildrenAgree();
            child = network.Initiator.Outbound()!;
        }
        Assert.All(network.Initiator.Events.OfType<IkeSaClosed>(), closed => Assert.Equal(IkeCloseReason.Rekeyed, closed.Reason));
        Assert.Equal(0, network.PacketsLost);
        // Closed ones answer a repeated deletion for a while, and are forgotten then.
        network.Run(120_000);
        Assert.Equal(IkeSaState.Established, Assert.Single(network.Responder.Endpoint.Report()).State);
    }

    /// <summary>
    /// Who rekeys what, how many milliseconds the responder begins later than the initiator, and who wants further key exchanges after the first
    /// (RFC 9370): nobody, both, or the initiator alone, so that rekeys of both kinds meet.
    /// </summary>
    public static TheoryData<bool, bool, int, string> Collisions
    {
        get
        {
            TheoryData<bool, bool, int, string> data = [];
            foreach (string further in (string[])["none", "both", "one"])
            {
                foreach (int offset in further == "none" ? (int[])[-25, -15, -5, 0, 5, 10, 15, 20, 30] : [-45, -25, -15, -5, 0, 5, 15, 25, 35, 45])
                {
                    data.Add(false, false, offset, further);
                    data.Add(true, true, offset, further);
                    data.Add(true, false, offset, further);
                    data.Add(false, true, offset, further);
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Collisions))]
    public void Rekeys_that_meet_leave_one_of_each_and_lose_nothing(bool initiatorIke, bool responderIke, int offset, string further)
    {
        (Settings ours, Settings theirs) = Further(further);
        // Many seeds: the nonces decide which side's SA stays.
        for (int seed = 1; seed <= 3; seed++)
        {
            using TestNetwork network = Network(ours, theirs, seed: seed * 17).Establish();
            network.StartTraffic(20);
            network.Run(20);
            if (offset < 0)
            {
                network.Responder.Endpoint.Rekey("c", responderIke, network.Now);
                network.Run(-offset);
                network.Initiator.Endpoint.Rekey("c", initiatorIke, network.Now);
            }
            else
            {
                network.Initiator.Endpoint.Rekey("c", initiatorIke, network.Now);
                network.Run(offset);
                network.Responder.Endpoint.Rekey("c", responderIke, network.Now);
            }
            network.Run(30_000);
            network.StartTraffic(0);
            network.Run(100);
            network.AssertChildrenAgree();
            Assert.Single(network.Initiator.Installed);
            Assert.Equal(network.Initiator.Outbound()!.OutboundSpi, network.Responder.Outbound()!.Id.InboundSpi);
            Assert.Single(network.Initiator.IkeSas);
            Assert.Single(network.Responder.IkeSas);
            Assert.Equal(0, network.PacketsLost);
            Assert.Empty(network.Initiator.Events.OfType<InitiationFailed>());
            Assert.Empty(network.Responder.Events.OfType<InitiationFailed>());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Lifetimes_of_both_sides_lead_to_rekeys_for_ever(bool hybrid)
    {
        Settings settings = (hybrid ? Hybrids : new()) with { ChildLifetime = new IkeLifetime(5_000, 9_000, 2_000), IkeLifetime = new IkeLifetime(17_000, 30_000, 5_000) };
        using TestNetwork network = Network(settings).Establish();
        network.StartTraffic(20);
        network.Run(300_000);
        network.AssertChildrenAgreeSoon();
        Assert.Equal(0, network.PacketsLost);
        Assert.True(network.Initiator.Events.OfType<ChildSaInstalled>().Count() > 50);
        Assert.True(network.Initiator.Events.OfType<IkeSaEstablished>().Count() > 15);
        Assert.DoesNotContain(network.Initiator.Events.OfType<IkeSaClosed>(), closed => closed.Reason != IkeCloseReason.Rekeyed);
    }

    [Fact]
    public void Used_up_bytes_rekey_a_child_SA_and_at_the_hard_limit_end_it()
    {
        using TestNetwork network = Network().Establish();
        ChildSaId old = network.Initiator.Outbound()!.Id;
        network.Initiator.Endpoint.HandleLifetime(old, hard: false, network.Now);
        network.Run(5_000);
        network.AssertChildrenAgree();
        ChildSaId fresh = network.Initiator.Outbound()!.Id;
        Assert.NotEqual(old, fresh);
        network.Initiator.Endpoint.HandleLifetime(fresh, hard: true, network.Now);
        network.Collect();
        Assert.Empty(network.Initiator.Installed);
        network.Run(1_000);
        Assert.Empty(network.Responder.Installed);
        network.AssertChildrenAgree();
    }

    [Fact]
    public void A_child_SA_that_the_peer_has_lost_is_forgotten_when_it_is_rekeyed()
    {
        using TestNetwork network = Network(new() { Start = IkeStartAction.Start }).Establish();
        // Both ends end it at once, and the responder's deletion crosses the rekey.
        network.Responder.Endpoint.HandleLifetime(network.Responder.Outbound()!.Id, hard: true, network.Now);
        network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(30_000);
        network.AssertChildrenAgree();
        // The initiator, whose connection is to be up, has made another one.
        Assert.Single(network.Initiator.Installed);
    }
}
