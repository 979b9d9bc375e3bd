using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Tests.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Negotiation;

public class EspProposalsTests
{
    private static readonly byte[] s_spi = [1, 2, 3, 4];

    [Fact]
    public void Suites_that_differ_in_sequence_numbers_share_a_proposal()
    {
        SecurityAssociationPayload offer = EspProposals.Offer(EspSuite.Defaults, s_spi, isAuthExchange: true);
        Assert.Equal(3, offer.Proposals.Count);
        Assert.Equal([new(TransformType.Encryption, 20, 256), new(TransformType.ExtendedSequenceNumbers, 1), new(TransformType.ExtendedSequenceNumbers, 0)],
            offer.Proposals[0].Transforms);
        Assert.Equal(new Transform(TransformType.Encryption, 28), offer.Proposals[2].Transforms[0]);
    }

    [Theory]
    [InlineData(EspCipher.Aes128Gcm16)]
    [InlineData(EspCipher.Aes256Gcm16)]
    [InlineData(EspCipher.ChaCha20Poly1305)]
    [InlineData(EspCipher.Aes128CbcHmacSha256)]
    [InlineData(EspCipher.Aes256CbcHmacSha256)]
    public void Every_suite_that_is_offered_can_be_chosen_and_accepted(EspCipher cipher)
    {
        foreach (bool extended in new[] { true, false })
        {
            foreach (KeyExchangeMethod method in new[] { KeyExchangeMethod.None, KeyExchangeMethod.X25519 })
            {
                EspSuite suite = new(cipher, extended, method);
                EspSuite[] all = [new(EspCipher.Aes128Gcm16, false, KeyExchangeMethod.P256), suite];
                ChosenProposal<EspSuite>? chosen = EspProposals.Choose([suite], EspProposals.Offer(all, s_spi, isAuthExchange: false), isAuthExchange: false);
                Assert.Equal(suite, chosen?.Suite);
                Assert.Equal(suite, EspProposals.Accept(all, chosen!.Answer([4, 3, 2, 1]), isAuthExchange: false)?.Suite);
            }
        }
    }

    [Fact]
    public void IKE_AUTH_knows_no_key_exchange()
    {
        EspSuite suite = new(EspCipher.Aes128Gcm16, false, KeyExchangeMethod.X25519);
        SecurityAssociationPayload offer = EspProposals.Offer([suite], s_spi, isAuthExchange: true);
        Assert.DoesNotContain(offer.Proposals[0].Transforms, t => t.Type == TransformType.KeyExchange);
        Assert.Equal(KeyExchangeMethod.None, EspProposals.Choose([suite], offer, isAuthExchange: true)!.Suite.KeyExchange);
        // A peer that names one there is taken at the rest of its word.
        ChosenProposal<EspSuite>? chosen = EspProposals.Choose([suite], EspProposals.Offer([suite], s_spi, isAuthExchange: false), isAuthExchange: true);
        Assert.DoesNotContain(chosen!.Transforms, t => t.Type == TransformType.KeyExchange);
        Assert.Null(EspProposals.Choose([suite], offer, isAuthExchange: false));
    }

    [Fact]
    public void Forward_secrecy_is_neither_dropped_nor_forced()
    {
        EspSuite without = new(EspCipher.Aes128Gcm16, false), with = without with { KeyExchange = KeyExchangeMethod.X25519 };
        SecurityAssociationPayload offersWith = EspProposals.Offer([with], s_spi, false), offersWithout = EspProposals.Offer([without], s_spi, false);
        Assert.Null(EspProposals.Choose([with], offersWithout, false));
        Assert.Null(EspProposals.Choose([without], offersWith, false));
        Proposal either = offersWith.Proposals[0] with { Transforms = [.. offersWith.Proposals[0].Transforms, new(TransformType.KeyExchange, 0)] };
        Assert.Equal(without, EspProposals.Choose([without, with], new([either]), false)?.Suite);
        Assert.Equal(with, EspProposals.Choose([with, without], new([either]), false)?.Suite);
    }

    [Fact]
    public void A_peer_that_does_not_name_sequence_numbers_means_short_ones()
    {
        Proposal proposal = new(1, SecurityProtocol.Esp, s_spi, [new(TransformType.Encryption, 20, 128)]);
        ChosenProposal<EspSuite>? chosen = EspProposals.Choose([new(EspCipher.Aes128Gcm16), new(EspCipher.Aes128Gcm16, false)], new([proposal]), false);
        Assert.False(chosen!.Suite.ExtendedSequenceNumbers);
        Assert.Single(chosen.Transforms);
        // To our offer, which names them, that is no answer.
        Assert.Null(EspProposals.Accept([new(EspCipher.Aes128Gcm16, false)], new([proposal]), false));
    }

    [Theory]
    [InlineData(20, 0, 0)]
    [InlineData(20, 128, 12)]
    [InlineData(28, 256, 0)]
    [InlineData(12, 128, 0)]
    [InlineData(12, 128, 2)]
    [InlineData(18, 128, 0)]
    public void Ciphers_with_the_wrong_length_or_integrity_are_refused(ushort encryption, ushort keyLength, ushort integrity)
    {
        List<Transform> transforms = [new(TransformType.Encryption, encryption, keyLength), new(TransformType.ExtendedSequenceNumbers, 0)];
        if (integrity != 0)
            transforms.Add(new Transform(TransformType.Integrity, integrity));
        EspSuite[] all = [.. Enum.GetValues<EspCipher>().Where(c => c != EspCipher.None).Select(c => new EspSuite(c, false))];
        Assert.Null(EspProposals.Choose(all, new([new Proposal(1, SecurityProtocol.Esp, s_spi, transforms)]), true));
    }

    [Fact]
    public void Reserved_SPIs_and_other_protocols_are_refused()
    {
        EspSuite suite = new(EspCipher.Aes128Gcm16);
        Proposal proposal = EspProposals.Offer([suite], s_spi, true).Proposals[0];
        Assert.NotNull(EspProposals.Choose([suite], new([proposal]), true));
        Assert.Null(EspProposals.Choose([suite], new([proposal with { Spi = [0, 0, 0, 255] }]), true));
        Assert.Null(EspProposals.Choose([suite], new([proposal with { Spi = [] }]), true));
        Assert.Null(EspProposals.Choose([suite], new([proposal with { Protocol = SecurityProtocol.Ah }]), true));
    }

    [Fact]
    public void The_proposals_of_strongSwan_are_read()
    {
        using IkeKeys keys = RecordedMessages.FirstKeys();
        EspSuite suite = new(EspCipher.Aes128Gcm16, ExtendedSequenceNumbers: false, KeyExchangeMethod.X25519);
        IkePayloads auth = RecordedMessages.Open(keys, StrongSwanRecording.AuthRequest, fromInitiator: true);
        Assert.Equal(suite with { KeyExchange = KeyExchangeMethod.None }, EspProposals.Choose([suite], auth.SecurityAssociation!, true)?.Suite);
        IkePayloads request = RecordedMessages.Open(keys, StrongSwanRecording.ChildRequest, fromInitiator: true);
        Assert.Equal(suite, EspProposals.Choose([suite], request.SecurityAssociation!, false)?.Suite);
        IkePayloads response = RecordedMessages.Open(keys, StrongSwanRecording.ChildResponse, fromInitiator: false);
        Assert.Equal(suite, EspProposals.Accept([suite], response.SecurityAssociation!, false)?.Suite);
    }
}
