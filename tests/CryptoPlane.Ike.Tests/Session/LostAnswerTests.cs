using CryptoPlane.Ike.Fragmentation;
using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Session.TestConnections;

namespace CryptoPlane.Ike.Tests.Session;

/// <summary>Answers that are lost for long, or late, while either side has something else to do: who has what is then not known to the other.</summary>
public class LostAnswerTests
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void A_request_in_fragments_is_answered_again_when_its_first_fragment_comes_again(int arrives, bool isAnswered)
    {
        using TestNetwork network = Network(Hybrids).Establish();
        network.StartTraffic(10);
        TestDatagram? answer = null;
        // Of IKE_FOLLOWUP_KE the first answer is lost, and then one of the request's two fragments every time.
        network.Fate = sent =>
        {
            if (sent.Header.Exchange != ExchangeType.IkeFollowupKe)
                return [TestNetwork.Delay];
            if (sent.Header.IsResponse)
                return answer is null && (answer = sent) is not null ? [] : [TestNetwork.Delay];
            Assert.Equal(IkeParseError.None, EncryptedPayload.Find(sent.Header, sent.Message.Span, out EncryptedPayload place));
            Assert.Equal(2, (int)place.TotalFragments);
            return answer is null || place.FragmentNumber == arrives ? [TestNetwork.Delay] : [];
        };
        network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(10_000);
        TestDatagram[] answers = [.. network.Sent.Where(sent => sent.Header is { Exchange: ExchangeType.IkeFollowupKe, IsResponse: true })];
        Assert.Equal(isAnswered ? 2 : 1, answers.Length);
        Assert.Single(answers.Select(copy => Convert.ToHexString(copy.Message.Span)).Distinct());
        Assert.Equal(isAnswered, network.Initiator.Events.OfType<ChildSaInstalled>().Count() == 2);
        network.Fate = null;
        network.Run(60_000);
        network.AssertChildrenAgree();
        Assert.Equal(2, network.Initiator.Events.OfType<ChildSaInstalled>().Count());
        Assert.Equal(0, network.PacketsLost);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5_000)]
    public void Who_has_answered_the_rekey_of_an_IKE_SA_waits_for_the_peer_to_have_the_answer(long deadPeerDelay)
    {
        using TestNetwork network = Network(new() { DeadPeerDelay = deadPeerDelay }).Establish();
        ulong old = Assert.Single(network.Responder.IkeSas);
        network.StartTraffic(10);
        network.Fate = sent => sent.Header is { Exchange: ExchangeType.CreateChildSa, IsResponse: true } ? [] : [TestNetwork.Delay];
        int before = network.Sent.Count;
        network.Initiator.Endpoint.Rekey("c", ikeSa: true, network.Now);
        network.Run(100);
        ulong made = Assert.Single(network.Responder.IkeSas, spi => spi != old);
        // What the responder would like to do, the initiator could not open.
        network.Responder.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(75_000);
        Assert.DoesNotContain(network.Sent.Skip(before), sent => sent.Sender == network.Responder && sent.Header.ResponderSpi == made);
        Assert.Equal(2, network.Responder.IkeSas.Count);
        network.Fate = null;
        network.Run(70_000);
        Assert.Equal(made, Assert.Single(network.Responder.IkeSas));
        Assert.Single(network.Initiator.IkeSas);
        Assert.Equal(IkeCloseReason.Rekeyed, network.Initiator.Single<IkeSaClosed>().Reason);
        Assert.Equal(IkeCloseReason.Rekeyed, network.Responder.Single<IkeSaClosed>().Reason);
        network.AssertChildrenAgree();
        Assert.NotNull(Assert.Single(network.Responder.Installed.Values).Replaces);
        Assert.Equal(0, network.PacketsLost);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10_000)]
    public void Who_has_answered_the_rekey_of_an_IKE_SA_finds_out_that_the_peer_is_gone(long deadPeerTimeout)
    {
        using TestNetwork network = Network(new() { DeadPeerDelay = 5_000, DeadPeerTimeout = deadPeerTimeout }).Establish();
        network.Fate = sent => sent.Header.IsResponse ? [] : [TestNetwork.Delay];
        network.Initiator.Endpoint.Rekey("c", ikeSa: true, network.Now);
        network.Run(100);
        network.Fate = _ => [];
        network.Run(deadPeerTimeout == 0 ? 400_000 : 20_000);
        Assert.Equal(2, network.Responder.Events.OfType<IkeSaEstablished>().Count());
        Assert.All(network.Responder.Events.OfType<IkeSaClosed>(), closed => Assert.Equal(IkeCloseReason.PeerDead, closed.Reason));
        Assert.Empty(network.Responder.IkeSas);
        Assert.Empty(network.Responder.Endpoint.Report());
        Assert.Empty(network.Responder.Spis.Used);
        Assert.Empty(network.Initiator.IkeSas);
        Assert.Equal(long.MaxValue, network.Responder.Endpoint.NextTimeout);
    }

    [Fact]
    public void A_peer_that_neither_deletes_the_old_IKE_SA_nor_uses_the_new_one_does_not_stop_us_for_ever()
    {
        using TestNetwork network = Network(new(), new() { DeadPeerDelay = 5_000 }).Establish();
        ulong old = Assert.Single(network.Responder.IkeSas);
        // It has our answer, but its deletion of the old one does not come.
        network.Fate = sent =>
            sent.Sender == network.Initiator && sent.Header is { Exchange: ExchangeType.Informational, IsResponse: false } && sent.Header.ResponderSpi == old
                ? [] : [TestNetwork.Delay];
        network.Initiator.Endpoint.Rekey("c", ikeSa: true, network.Now);
        network.Run(100);
        network.Responder.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(100_000);
        Assert.Single(network.Responder.Events.OfType<ChildSaInstalled>());
        network.Run(100_000);
        Assert.Equal(2, network.Responder.Events.OfType<ChildSaInstalled>().Count());
        Assert.Single(network.Responder.IkeSas);
        Assert.Single(network.Initiator.IkeSas);
        network.AssertChildrenAgree();
    }

    [Fact]
    public void Of_two_rekeys_of_an_IKE_SA_that_meet_the_one_that_the_peer_goes_on_with_is_taken()
    {
        int decidedByUse = 0;
        // Many seeds: the nonces decide who wins.
        for (int seed = 1; seed <= 8; seed++)
        {
            using TestNetwork network = Network(seed: seed).Establish();
            ulong old = Assert.Single(network.Responder.IkeSas);
            network.StartTraffic(10);
            // Each has the other's request. From then on nothing of the old IKE SA comes to the initiator but what answers the responder.
            bool isCut = false;
            network.Fate = sent => isCut && sent.Sender == network.Responder && sent.Header.ResponderSpi == old ? [] : [TestNetwork.Delay];
            network.Initiator.Endpoint.Rekey("c", ikeSa: true, network.Now);
            network.Responder.Endpoint.Rekey("c", ikeSa: true, network.Now);
            network.Collect();
            isCut = true;
            network.Run(100);
            network.Responder.Endpoint.Rekey("c", ikeSa: false, network.Now);
            network.Run(75_000);
            if (network.Initiator.Installed.Values.Any(child => child.Replaces is not null))
                decidedByUse++;
            network.Fate = null;
            network.Run(100_000);
            Assert.Single(network.Initiator.IkeSas);
            Assert.Single(network.Responder.IkeSas);
            Assert.All(network.Initiator.Events.OfType<IkeSaClosed>(), closed => Assert.Equal(IkeCloseReason.Rekeyed, closed.Reason));
            Assert.All(network.Responder.Events.OfType<IkeSaClosed>(), closed => Assert.Equal(IkeCloseReason.Rekeyed, closed.Reason));
            network.AssertChildrenAgree();
            Assert.NotNull(Assert.Single(network.Initiator.Installed.Values).Replaces);
            Assert.Equal(0, network.PacketsLost);
        }
        Assert.InRange(decidedByUse, 1, 7);
    }

    [Theory]
    [InlineData("both")]
    [InlineData("one")]
    public void Who_is_to_go_on_with_a_peers_rekey_of_a_child_SA_begins_none_of_its_own(string further)
    {
        (Settings ours, Settings theirs) = Further(further);
        for (int seed = 1; seed <= 8; seed++)
        {
            using TestNetwork network = Network(ours, theirs, seed: seed).Establish();
            network.StartTraffic(10);
            // The initiator answers, and before that comes to the responder it is to rekey the same. If it did, the responder, who knows both, might go on
            // with its own, and make it, before the initiator hears of it.
            network.Fate = sent => sent.Header is not { Exchange: ExchangeType.CreateChildSa, IsResponse: true }
                ? [TestNetwork.Delay] : sent.Sender == network.Initiator ? [300] : [600];
            network.Responder.Endpoint.Rekey("c", ikeSa: false, network.Now);
            network.Run(50);
            network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
            network.Run(60_000);
            network.AssertChildrenAgree();
            Assert.Single(network.Initiator.Installed);
            Assert.Equal(2, network.Initiator.Events.OfType<ChildSaInstalled>().Count());
            Assert.Equal(0, network.PacketsLost);
        }
    }

    [Fact]
    public void What_a_lost_collision_has_made_is_not_sent_on()
    {
        int lost = 0;
        (Settings ours, Settings theirs) = Further("one");
        // Many seeds: the nonces decide who wins.
        for (int seed = 1; seed <= 8; seed++)
        {
            using TestNetwork network = Network(ours, theirs, seed: seed).Establish();
            network.StartTraffic(10);
            // The initiator's rekey is made before the responder's, which has a key exchange to go. What it has made cannot be deleted at once, since a
            // rekey of the IKE SA comes before; and the responder deletes the old one when it sends on its own already.
            const uint Third = 3;
            network.Fate = sent => sent.Header switch
            {
                { Exchange: ExchangeType.IkeFollowupKe, IsResponse: false } => [200],
                { Exchange: ExchangeType.Informational, IsResponse: false } when sent.Sender == network.Responder => [100],
                { Exchange: ExchangeType.CreateChildSa, IsResponse: true, MessageId: Third } when sent.Sender == network.Responder => [500],
                _ => [TestNetwork.Delay],
            };
            network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
            network.Responder.Endpoint.Rekey("c", ikeSa: false, network.Now);
            network.Initiator.Endpoint.Rekey("c", ikeSa: true, network.Now);
            network.Run(60_000);
            network.AssertChildrenAgree();
            ChildSaInstalled left = Assert.Single(network.Initiator.Installed.Values);
            if (!left.IsInitiator)
                lost++;
            Assert.Equal(0, network.PacketsLost);
        }
        Assert.InRange(lost, 1, 7);
    }
}
