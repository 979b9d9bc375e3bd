using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Negotiation;
using CryptoPlane.Ike.Tests.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Negotiation;

public class IkeProposalsTests
{
    private static readonly IkeSuite s_x25519 = new(IkeCipher.Aes128Gcm16, PrfAlgorithm.HmacSha256, KeyExchangeMethod.X25519);
    private static readonly IkeSuite s_p256 = s_x25519 with { KeyExchange = KeyExchangeMethod.P256 };
    private static readonly IkeSuite s_strong = new(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.P384);
    private static readonly Transform s_encryption = new(TransformType.Encryption, 20, 128), s_prf = new(TransformType.PseudorandomFunction, 5),
        s_group = new(TransformType.KeyExchange, 31);

    [Fact]
    public void Suites_that_differ_in_the_key_exchange_share_a_proposal()
    {
        SecurityAssociationPayload offer = IkeProposals.Offer([s_x25519, s_strong, s_p256], []);
        Assert.Equal([1, 2], offer.Proposals.Select(p => (int)p.Number));
        Assert.Equal([s_encryption, s_prf, s_group, new(TransformType.KeyExchange, 19)], offer.Proposals[0].Transforms);
        Assert.Equal([new(TransformType.Encryption, 20, 256), new(TransformType.PseudorandomFunction, 6), new(TransformType.KeyExchange, 20)], offer.Proposals[1].Transforms);
    }

    [Fact]
    public void Every_default_that_is_offered_can_be_chosen_and_accepted()
    {
        foreach (IkeSuite suite in IkeSuite.Defaults)
        {
            ChosenProposal<IkeSuite>? chosen = IkeProposals.Choose([suite], IkeProposals.Offer(IkeSuite.Defaults, []), isRekey: false);
            Assert.Equal(suite, chosen?.Suite);
            Assert.Equal(suite, IkeProposals.Accept(IkeSuite.Defaults, chosen!.Answer([]), isRekey: false)?.Suite);
        }
    }

    [Fact]
    public void Our_order_decides_and_not_the_peers()
    {
        SecurityAssociationPayload offer = IkeProposals.Offer([s_p256, s_strong, s_x25519], []);
        Assert.Equal(s_strong, IkeProposals.Choose([s_strong, s_x25519], offer, isRekey: false)?.Suite);
        Assert.Equal(s_x25519, IkeProposals.Choose([s_x25519, s_strong], offer, isRekey: false)?.Suite);
        Assert.Null(IkeProposals.Choose([s_strong with { Prf = PrfAlgorithm.HmacSha512 }], offer, isRekey: false));
    }

    [Fact]
    public void The_offer_and_answer_of_strongSwan_are_read()
    {
        ChosenProposal<IkeSuite>? chosen =
            IkeProposals.Choose(IkeSuite.Defaults, RecordedMessages.Plain(StrongSwanRecording.InitRequest).SecurityAssociation!, isRekey: false);
        Assert.Equal(s_strong, chosen?.Suite);
        Assert.Equal(s_strong, IkeProposals.Accept([s_strong], RecordedMessages.Plain(StrongSwanRecording.InitResponse).SecurityAssociation!, isRekey: false)?.Suite);
    }

    [Fact]
    public void A_rekey_carries_the_new_SPI()
    {
        byte[] theirs = [1, 2, 3, 4, 5, 6, 7, 8], ours = [9, 9, 9, 9, 9, 9, 9, 9];
        SecurityAssociationPayload offer = IkeProposals.Offer([s_x25519], theirs);
        Assert.Null(IkeProposals.Choose([s_x25519], offer, isRekey: false));
        Assert.Null(IkeProposals.Choose([s_x25519], IkeProposals.Offer([s_x25519], []), isRekey: true));
        Assert.Null(IkeProposals.Choose([s_x25519], IkeProposals.Offer([s_x25519], new byte[8]), isRekey: true));
        ChosenProposal<IkeSuite>? chosen = IkeProposals.Choose([s_x25519], offer, isRekey: true);
        Assert.Equal(0x0102030405060708ul, chosen!.Proposal.SpiValue);
        Assert.Equal(ours, IkeProposals.Accept([s_x25519], chosen.Answer(ours), isRekey: true)!.Proposal.Spi);
    }

    public static TheoryData<string, int[][], bool> PeersProposals => new()
    {
        { "as ours", [[1, 20, 128], [2, 5, 0], [4, 31, 0]], true },
        { "no integrity, said", [[1, 20, 128], [2, 5, 0], [3, 0, 0], [4, 31, 0]], true },
        { "no integrity or HMAC", [[1, 20, 128], [2, 5, 0], [3, 12, 0], [3, 0, 0], [4, 31, 0]], true },
        { "several of each type", [[1, 20, 256], [1, 20, 128], [2, 7, 0], [2, 5, 0], [4, 14, 0], [4, 31, 0]], true },
        { "with HMAC", [[1, 20, 128], [2, 5, 0], [3, 12, 0], [4, 31, 0]], false },
        { "no key length", [[1, 20, 0], [2, 5, 0], [4, 31, 0]], false },
        { "another key length", [[1, 20, 192], [2, 5, 0], [4, 31, 0]], false },
        { "no PRF", [[1, 20, 128], [4, 31, 0]], false },
        { "no key exchange", [[1, 20, 128], [2, 5, 0]], false },
        { "another key exchange", [[1, 20, 128], [2, 5, 0], [4, 14, 0]], false },
        { "an additional key exchange (RFC 9370)", [[1, 20, 128], [2, 5, 0], [4, 31, 0], [6, 36, 0]], false },
        { "sequence numbers, which IKE has not", [[1, 20, 128], [2, 5, 0], [4, 31, 0], [5, 0, 0]], false },
        { "nothing", [], false },
    };

    [Theory]
    [MemberData(nameof(PeersProposals))]
    public void A_proposal_must_have_every_type_and_no_other(string name, int[][] transforms, bool acceptable)
    {
        Assert.NotEmpty(name);
        Transform[] parsed = [.. transforms.Select(t => new Transform((TransformType)t[0], (ushort)t[1], (ushort)t[2]))];
        SecurityAssociationPayload offer = new([new Proposal(3, SecurityProtocol.Ike, [], parsed)]);
        ChosenProposal<IkeSuite>? chosen = IkeProposals.Choose([s_x25519], offer, isRekey: false);
        Assert.Equal(acceptable, chosen != null);
        if (acceptable)
            Assert.Equal(3, Assert.Single(chosen!.Answer([]).Proposals).Number);
        // Of a child SA it is nothing.
        Assert.Null(IkeProposals.Choose([s_x25519], new([offer.Proposals[0] with { Protocol = SecurityProtocol.Esp }]), isRekey: false));
    }

    public static TheoryData<string, int[][], int[]?> PeersAdditional => new()
    {
        { "as ours", [[6, 36]], [36] },
        { "or none", [[6, 0], [6, 36]], [36] },
        { "among others", [[6, 35], [6, 37], [6, 36], [6, 20]], [36] },
        { "the same twice", [[6, 36], [6, 36]], null },
        { "others too, or none of them", [[6, 36], [7, 20], [7, 0], [12, 37], [12, 0]], [36, 0, 0] },
        { "the same as a second, or none", [[6, 36], [7, 36], [7, 0]], [36, 0] },
        { "the same as a second", [[6, 36], [7, 36]], null },
        { "another too", [[6, 36], [7, 20]], null },
        { "as the second", [[7, 36]], null },
        { "none", [[6, 0]], null },
        { "nothing", [], null },
        { "another", [[6, 35], [6, 37]], null },
        { "with a key length", [[6, 36, 128]], null },
        { "a type beyond the seventh", [[6, 36], [13, 0]], null },
    };

    [Theory]
    [MemberData(nameof(PeersAdditional))]
    public void An_additional_key_exchange_is_the_one_that_was_meant_and_answered_by_one_of_each_type(string name, int[][] transforms, int[]? answer)
    {
        Assert.NotEmpty(name);
        IkeSuite hybrid = s_x25519 with { Additional = new(KeyExchangeMethod.MlKem768) };
        Transform[] parsed = [.. transforms.Select(t => new Transform((TransformType)t[0], (ushort)t[1], (ushort)t.ElementAtOrDefault(2)))];
        SecurityAssociationPayload offer = new([new Proposal(1, SecurityProtocol.Ike, [], [s_encryption, s_prf, s_group, .. parsed])]);
        ChosenProposal<IkeSuite>? chosen = IkeProposals.Choose([hybrid], offer, isRekey: false);
        if (name == "the same twice")
        {
            // Offered twice is offered; answered twice is no choice.
            Assert.Single(chosen!.Transforms, t => t.Type == TransformType.AdditionalKeyExchange1);
            Assert.Null(IkeProposals.Accept([hybrid], offer, isRekey: false));
            return;
        }
        Assert.Equal(answer, chosen?.Transforms.Where(t => t.Type >= TransformType.AdditionalKeyExchange1).Select(t => (int)t.Id));
        if (chosen is not null)
            Assert.Equal(hybrid, IkeProposals.Accept([hybrid], chosen.Answer([]), isRekey: false)?.Suite);
    }

    [Fact]
    public void Suites_with_additional_key_exchanges_are_proposals_of_their_own()
    {
        IkeSuite hybrid = s_x25519 with { Additional = new(KeyExchangeMethod.MlKem768) };
        SecurityAssociationPayload offer = IkeProposals.Offer([hybrid, s_x25519, s_p256], []);
        Assert.Equal([s_encryption, s_prf, s_group, new(TransformType.AdditionalKeyExchange1, 36)], offer.Proposals[0].Transforms);
        Assert.Equal([s_encryption, s_prf, s_group, new(TransformType.KeyExchange, 19)], offer.Proposals[1].Transforms);
        // Who has never heard of RFC 9370 takes the second.
        Assert.Equal(2, IkeProposals.Choose([s_x25519], offer, isRekey: false)!.Proposal.Number);
        Assert.Equal(hybrid, IkeProposals.Choose([hybrid, s_x25519], offer, isRekey: false)!.Suite);
        // The answer is the suite of the proposal that it names.
        Assert.Null(IkeProposals.Accept([hybrid, s_x25519], new([offer.Proposals[0] with { Transforms = [s_encryption, s_prf, s_group] }]), isRekey: false));
        Assert.Null(IkeProposals.Accept([hybrid], new([offer.Proposals[0] with { Transforms = [.. offer.Proposals[0].Transforms, new(TransformType.AdditionalKeyExchange1 + 1, 36)] }]), isRekey: false));
    }

    [Fact]
    public void A_transform_with_an_unknown_attribute_is_not_chosen()
    {
        SecurityAssociationPayload offer = new([new Proposal(1, SecurityProtocol.Ike, [], [s_encryption, s_prf with { HasUnknownAttributes = true }, s_group])]);
        Assert.Null(IkeProposals.Choose([s_x25519], offer, isRekey: false));
    }

    [Fact]
    public void An_answer_must_be_one_choice_of_the_proposal_that_it_names()
    {
        IkeSuite[] suites = [s_x25519, s_p256, s_strong];
        Proposal right = new(1, SecurityProtocol.Ike, [], [s_encryption, s_prf, s_group]);
        Assert.NotNull(Accept(right));
        Assert.Null(Accept(right with { Number = 2 }));
        Assert.Null(Accept(right with { Number = 0 }));
        Assert.Null(Accept(right, right));
        Assert.Null(Accept(right with { Transforms = [s_encryption, s_prf, s_group, new(TransformType.KeyExchange, 19)] }));
        Assert.Null(Accept(right with { Transforms = [s_encryption, s_encryption, s_prf, s_group] }));
        Assert.Null(Accept(right with { Transforms = [new(TransformType.Encryption, 20, 256), s_prf, s_group] }));

        ChosenProposal<IkeSuite>? Accept(params Proposal[] proposals) => IkeProposals.Accept(suites, new SecurityAssociationPayload(proposals), isRekey: false);
    }
}
