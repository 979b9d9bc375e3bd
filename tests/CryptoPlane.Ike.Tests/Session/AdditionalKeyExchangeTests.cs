using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Session.TestConnections;

namespace CryptoPlane.Ike.Tests.Session;

/// <summary>Key exchanges after the first (RFC 9370), in IKE_INTERMEDIATE (RFC 9242) and in IKE_FOLLOWUP_KE.</summary>
public class AdditionalKeyExchangeTests
{
    /// <summary>ADDKE1, ADDKE2 and so on.</summary>
    public static TheoryData<int[]> Rounds => new([36], [20], [0, 36], [36, 19, 0, 20], [0, 0, 0, 0, 0, 0, 36]);

    [Theory]
    [MemberData(nameof(Rounds))]
    public void Each_has_an_exchange_of_its_own_before_IKE_AUTH_and_after_CREATE_CHILD_SA(int[] methods)
    {
        AdditionalKeyExchanges further = new([.. methods.Select(method => (KeyExchangeMethod)method)]);
        Settings settings = new() { Proposals = [Plain with { Additional = further }], EspProposals = [PlainChild with { Additional = further }] };
        using TestNetwork network = Network(settings);
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        network.AssertChildrenAgree();
        int rounds = methods.Count(method => method != 0);
        Assert.Equal(rounds, Messages(network, ExchangeType.IkeIntermediate));
        Assert.All(network.Initiator.Endpoint.Report().Concat(network.Responder.Endpoint.Report()), sa => Assert.Equal(settings.Proposals[0], sa.Suite));

        network.StartTraffic(5);
        foreach ((TestPeer actor, bool ikeSa) in ((TestPeer, bool)[])[(network.Initiator, false), (network.Responder, false), (network.Responder, true), (network.Initiator, true)])
        {
            int before = Messages(network, ExchangeType.IkeFollowupKe);
            actor.Endpoint.Rekey("c", ikeSa, network.Now);
            network.Run(5_000);
            network.AssertChildrenAgree();
            Assert.Equal(before + rounds, Messages(network, ExchangeType.IkeFollowupKe));
            Assert.Equal(settings.Proposals[0], Assert.Single(network.Responder.Endpoint.Report(), sa => sa.State == IkeSaState.Established).Suite);
        }
        Assert.Equal(settings.EspProposals[0], network.Initiator.Outbound()!.Keys.Suite);
        Assert.Equal(0, network.PacketsLost);
    }

    [Fact]
    public void They_are_preferred_where_both_have_them_and_left_out_where_one_has_not()
    {
        Settings both = new() { Proposals = [Hybrid, Plain] }, plain = new() { Proposals = [Plain] }, hybrid = new() { Proposals = [Hybrid] };
        foreach ((Settings ours, Settings theirs, IkeSuite expected) in ((Settings, Settings, IkeSuite)[])
        [
            (both, both, Hybrid), (both, hybrid, Hybrid), (hybrid, both, Hybrid), (both, plain, Plain), (plain, both, Plain),
            (both, new() { Proposals = [Plain, Hybrid] }, Plain),
        ])
        {
            using TestNetwork network = Network(ours, theirs).Establish();
            Assert.Equal(expected, Assert.Single(network.Initiator.Endpoint.Report()).Suite);
            Assert.Equal(expected == Plain ? 4 : 6, network.Sent.Count);
        }
    }

    [Fact]
    public void Where_one_side_requires_them_there_is_nothing_without_them()
    {
        foreach ((IkeSuite ours, IkeSuite theirs) in ((IkeSuite, IkeSuite)[])[(Hybrid, Plain), (Plain, Hybrid)])
        {
            using TestNetwork network = Network(new() { Proposals = [ours] }, new() { Proposals = [theirs] });
            network.Initiator.Endpoint.Initiate("c", network.Now);
            network.Run(10_000);
            Assert.Contains("NoProposalChosen", network.Initiator.Single<InitiationFailed>().Reason, StringComparison.Ordinal);
            Assert.Empty(network.Responder.Endpoint.Report());
        }
    }

    /// <summary>Whoever takes the additional key exchanges out of what the initiator offers is found out: AUTH covers the first messages.</summary>
    [Fact]
    public void An_offer_that_somebody_has_weakened_on_the_way_comes_to_nothing()
    {
        using TestNetwork network = Network(new() { Proposals = [Hybrid, Plain] });
        network.Tamper = sent => sent.Header is { Exchange: ExchangeType.IkeSaInit, IsResponse: false }
            ? Changed(sent, payloads => [Renumbered(payloads.SecurityAssociation!.Proposals[1])]) : sent.Message;
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(60_000);
        // The initiator offered this as its second proposal, so it goes on; the responder sees that another offer was signed.
        Assert.Empty(network.Initiator.Events.OfType<IkeSaEstablished>());
        Assert.Empty(network.Responder.Events.OfType<IkeSaEstablished>());
        Assert.Empty(network.Responder.Installed);

        static Proposal Renumbered(Proposal proposal) => proposal with { Number = 2 };
    }

    [Fact]
    public void Without_the_word_that_the_peer_speaks_IKE_INTERMEDIATE_nothing_that_needs_it_is_chosen_or_taken()
    {
        foreach (bool ofRequest in (bool[])[true, false])
        {
            using TestNetwork network = Network(new() { Proposals = [Hybrid] });
            network.Tamper = sent => sent.Header.Exchange == ExchangeType.IkeSaInit && sent.Header.IsResponse != ofRequest
                ? Changed(sent, payloads => payloads.SecurityAssociation?.Proposals ?? [], NotifyType.IntermediateExchangeSupported) : sent.Message;
            network.Initiator.Endpoint.Initiate("c", network.Now);
            network.Run(400_000);
            string reason = network.Initiator.Events.OfType<InitiationFailed>().First().Reason;
            Assert.Contains(ofRequest ? "NoProposalChosen" : "does not answer", reason, StringComparison.Ordinal);
            Assert.Equal(0, Messages(network, ExchangeType.IkeIntermediate));
            Assert.Empty(network.Responder.IkeSas);
        }
    }

    [Theory]
    [InlineData(1280, 1)]
    [InlineData(576, 3)]
    [InlineData(0, 1)]
    public void Long_key_exchanges_go_in_fragments_where_both_take_them(int fragmentSize, int requests)
    {
        using TestNetwork network = Network(Hybrids with { FragmentSize = fragmentSize }).Establish();
        List<TestDatagram> intermediate = [.. network.Sent.Where(sent => sent.Header.Exchange == ExchangeType.IkeIntermediate)];
        Assert.Equal(requests, intermediate.Count(sent => !sent.Header.IsResponse));
        Assert.All(intermediate, sent => Assert.True(fragmentSize == 0 || sent.Datagram.Payload.Length <= fragmentSize - 28));
        network.Initiator.Endpoint.Rekey("c", ikeSa: true, network.Now);
        network.Run(1_000);
        network.Responder.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(5_000);
        network.AssertChildrenAgree();
    }

    [Fact]
    public void Fragments_of_the_key_exchange_may_be_lost_doubled_and_late()
    {
        for (int seed = 1; seed <= 20; seed++)
        {
            Random random = new(seed);
            using TestNetwork network = Network(Hybrids with { FragmentSize = 576 }, seed: seed);
            network.Fate = _ => random.Next(10) switch
            {
                0 => [],
                1 or 2 => [random.Next(5, 900), random.Next(5, 900)],
                _ => [random.Next(5, 900)],
            };
            network.Initiator.Endpoint.Initiate("c", network.Now);
            network.Run(29_000);
            network.Fate = null;
            network.Run(10_000);
            network.AssertChildrenAgree();
            Assert.Single(network.Initiator.IkeSas);
            Assert.Single(network.Responder.IkeSas);
        }
    }

    [Fact]
    public void A_NAT_is_followed_from_IKE_INTERMEDIATE_on()
    {
        using TestNetwork network = Network(Hybrids with { ForceEncapsulation = true }).Establish();
        Assert.All(network.Sent.Skip(2), sent => Assert.Equal(4500, sent.Datagram.Local.Port));
        Assert.True(network.Responder.Outbound()!.UdpEncapsulation);
    }

    [Fact]
    public void A_follow_up_that_is_not_gone_on_with_is_forgotten_and_the_rekey_made_again()
    {
        using TestNetwork network = Network(Hybrids with { DeadPeerDelay = 0 }).Establish();
        uint before = network.Responder.Outbound()!.Id.InboundSpi;
        int spis = network.Responder.Spis.Used.Count;
        network.Fate = sent => sent.Header.Exchange == ExchangeType.IkeFollowupKe ? [] : [TestNetwork.Delay];
        network.Initiator.Endpoint.Rekey("c", ikeSa: false, network.Now);
        network.Run(1_000);
        Assert.Equal(spis + 1, network.Responder.Spis.Used.Count);
        // The responder's patience is over before the initiator's: STATE_NOT_FOUND, and the initiator begins again.
        network.Run(60_000);
        Assert.Equal(spis, network.Responder.Spis.Used.Count);
        network.Fate = null;
        network.Run(60_000);
        network.AssertChildrenAgree();
        Assert.NotEqual(before, network.Responder.Outbound()!.Id.InboundSpi);
        Assert.Single(network.Initiator.IkeSas);
        Assert.Empty(network.Initiator.Events.OfType<InitiationFailed>());
    }

    /// <summary>What a stranger sends into the middle is not even looked at: an ML-KEM computation is for who has made the first key exchange.</summary>
    [Fact]
    public void Forged_messages_between_the_exchanges_cost_nothing_and_change_nothing()
    {
        using TestNetwork network = Network(Hybrids);
        int forged = 0;
        Random random = new(3);
        network.Fate = sent =>
        {
            if (sent.Header is not { Exchange: ExchangeType.IkeIntermediate, IsResponse: false } || forged != 0)
                return [TestNetwork.Delay];
            for (; forged < 2_000; forged++)
            {
                byte[] message = sent.Message.ToArray();
                message[random.Next(18, message.Length)] ^= (byte)random.Next(1, 256);
                network.Responder.Endpoint.HandleDatagram(sent.Datagram.Remote, sent.Datagram.Local, message, network.Now);
            }
            Assert.DoesNotContain(network.Sent, answer => answer.Header is { Exchange: ExchangeType.IkeIntermediate, IsResponse: true });
            return [TestNetwork.Delay];
        };
        network.Establish();
        Assert.Equal(2_000, forged);
        Assert.Single(network.Sent, answer => answer.Header is { Exchange: ExchangeType.IkeIntermediate, IsResponse: true });
    }

    [Fact]
    public void What_cannot_be_agreed_on_is_refused_when_it_is_configured()
    {
        Assert.Throws<ArgumentException>(() => new AdditionalKeyExchanges(KeyExchangeMethod.P256, KeyExchangeMethod.P256));
        Assert.Throws<ArgumentException>(() => new AdditionalKeyExchanges((KeyExchangeMethod)35));
        Assert.Throws<ArgumentException>(() => new AdditionalKeyExchanges([.. new KeyExchangeMethod[7], KeyExchangeMethod.P256]));
        Assert.True(new AdditionalKeyExchanges(new KeyExchangeMethod[9]).IsEmpty);
        Assert.Equal(default, new AdditionalKeyExchanges(KeyExchangeMethod.None));
        Assert.NotEqual(new AdditionalKeyExchanges(KeyExchangeMethod.P256), new AdditionalKeyExchanges(KeyExchangeMethod.None, KeyExchangeMethod.P256));
        Assert.Equal("Aes256Gcm16/HmacSha384/X25519+MlKem768", Hybrid.ToString());
        Assert.Equal("Aes256Gcm16/ESN/X25519+MlKem768", HybridChild.ToString());
        Assert.Equal("+2:P256+MlKem768", new AdditionalKeyExchanges(KeyExchangeMethod.None, KeyExchangeMethod.P256, KeyExchangeMethod.MlKem768).ToString());
        foreach (Settings settings in (Settings[])
        [
            new() { Proposals = [Plain with { KeyExchange = KeyExchangeMethod.MlKem768 }] },
            new() { Proposals = [Plain with { Additional = new(KeyExchangeMethod.X25519) }] },
            new() { EspProposals = [HybridChild with { KeyExchange = KeyExchangeMethod.None }] },
            new() { EspProposals = [HybridChild with { KeyExchange = KeyExchangeMethod.MlKem768 }] },
            new() { EspProposals = [PlainChild with { Additional = new(KeyExchangeMethod.X25519) }] },
        ])
            Assert.Throws<ArgumentException>(() => Initiator(settings).Validate());
    }

    /// <summary>A message of IKE_SA_INIT with other proposals, or without a notification.</summary>
    private static byte[] Changed(TestDatagram sent, Func<IkePayloads, IReadOnlyList<Proposal>> proposals, NotifyType? without = null)
    {
        Assert.True(IkePayloads.Parse(sent.Header.NextPayload, sent.Message.Span[IkeHeader.Size..], out IkePayloads payloads).IsOk);
        IkeWriter writer = new IkeWriter().Begin(sent.Header);
        if (payloads.SecurityAssociation is not null)
            writer.Add(new SecurityAssociationPayload(proposals(payloads)));
        if (payloads.KeyExchange is { } key)
            writer.Add(key);
        if (payloads.Nonce is { } nonce)
            writer.Add(nonce);
        foreach (NotifyPayload notify in payloads.Notifications.Where(notify => notify.NotifyType != without))
            writer.Add(notify);
        return writer.ToMessage();
    }

    /// <summary>Requests of an exchange, each counted once.</summary>
    private static int Messages(TestNetwork network, ExchangeType type) => network.Sent.Where(sent => sent.Header.Exchange == type && !sent.Header.IsResponse)
        .DistinctBy(sent => (sent.Header.InitiatorSpi, sent.Header.FromInitiator, sent.Header.MessageId)).Count();
}
