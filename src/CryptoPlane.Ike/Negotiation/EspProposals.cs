using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Negotiation;

/// <summary>The SA payload of child SAs (RFC 7296 §2.7, §3.3): what we offer, what we choose, and what of an answer we take.</summary>
/// <remarks>
/// IKE_AUTH has no key exchange (RFC 7296 §1.2): there the suites' own is left out, and a peer's is ignored. The suite of the outcome then has
/// none.
/// </remarks>
internal static class EspProposals
{
    private const int SpiLength = 4;

    /// <summary>Offers suites. Those that differ in the sequence numbers only share a proposal.</summary>
    /// <param name="suites">In the order of preference; at most 255.</param>
    /// <param name="spi">Our inbound SPI, 4 bytes.</param>
    /// <param name="isAuthExchange">Whether the exchange is IKE_AUTH.</param>
    public static SecurityAssociationPayload Offer(IReadOnlyList<EspSuite> suites, byte[] spi, bool isAuthExchange)
    {
        List<Proposal> proposals = [];
        foreach (var group in Group(suites, isAuthExchange))
        {
            List<Transform> transforms = [Encryption(group.Key.Cipher)];
            if (!group.Key.Cipher.IsAead())
                transforms.Add(Integrity(group.Key.Cipher));
            if (group.Key.KeyExchange != KeyExchangeMethod.None)
                transforms.Add(new Transform(TransformType.KeyExchange, (ushort)group.Key.KeyExchange));
            transforms.AddRange(AdditionalTransforms.Offer(group.Key.Additional));
            foreach (bool extended in group.Select(suite => suite.ExtendedSequenceNumbers).Distinct())
                transforms.Add(SequenceNumbers(extended));
            proposals.Add(new Proposal(checked((byte)(proposals.Count + 1)), SecurityProtocol.Esp, spi, transforms));
        }
        return new SecurityAssociationPayload(proposals);
    }

    /// <summary>
    /// Chooses from a peer's offer by our order of preference. If the choice's key exchange is not that of the peer's KE payload, the answer
    /// is INVALID_KE_PAYLOAD with the choice's (RFC 7296 §1.3).
    /// </summary>
    /// <param name="suites">What we take, the preferred first.</param>
    /// <param name="offer">The peer's.</param>
    /// <param name="isAuthExchange">Whether the exchange is IKE_AUTH.</param>
    /// <returns>Null if nothing is acceptable: NO_PROPOSAL_CHOSEN.</returns>
    public static ChosenProposal<EspSuite>? Choose(IReadOnlyList<EspSuite> suites, SecurityAssociationPayload offer, bool isAuthExchange)
    {
        foreach (EspSuite suite in WithoutKeyExchange(suites, isAuthExchange))
        {
            foreach (Proposal proposal in offer.Proposals)
            {
                if (Match(suite, WithoutKeyExchange(proposal, isAuthExchange)) is { } transforms)
                    return new ChosenProposal<EspSuite>(suite, proposal, transforms);
            }
        }
        return null;
    }

    /// <summary>Checks a peer's answer to our offer.</summary>
    /// <param name="suites">What <see cref="Offer"/> was given.</param>
    /// <param name="answer">The peer's.</param>
    /// <param name="isAuthExchange">Whether the exchange is IKE_AUTH.</param>
    /// <returns>Null if the answer is not one suite of the proposal that it names (RFC 7296 §2.7).</returns>
    public static ChosenProposal<EspSuite>? Accept(IReadOnlyList<EspSuite> suites, SecurityAssociationPayload answer, bool isAuthExchange)
    {
        if (answer.Proposals.Count != 1)
            return null;
        Proposal proposal = answer.Proposals[0];
        int number = 0;
        foreach (var group in Group(suites, isAuthExchange))
        {
            if (++number != proposal.Number)
                continue;
            foreach (EspSuite suite in group)
            {
                // We always name the sequence numbers, so the answer must too.
                if (Match(suite, proposal) is { } transforms && transforms.Count == proposal.Transforms.Count
                    && transforms.Contains(SequenceNumbers(suite.ExtendedSequenceNumbers)))
                    return new ChosenProposal<EspSuite>(suite, proposal, transforms);
            }
        }
        return null;
    }

    private static IReadOnlyList<Transform>? Match(EspSuite suite, Proposal proposal)
    {
        // RFC 4303 §2.1: SPIs up to 255 are reserved.
        if (proposal.Protocol != SecurityProtocol.Esp || proposal.Spi.Length != SpiLength || proposal.SpiValue <= byte.MaxValue)
            return null;
        return WantedTransform.Match(
        [
            new(Encryption(suite.Cipher)),
            new(Integrity(suite.Cipher), MayBeMissing: suite.Cipher.IsAead()),
            new(new Transform(TransformType.KeyExchange, (ushort)suite.KeyExchange), MayBeMissing: suite.KeyExchange == KeyExchangeMethod.None),
            new(SequenceNumbers(suite.ExtendedSequenceNumbers), MayBeMissing: !suite.ExtendedSequenceNumbers),
            .. AdditionalTransforms.Wanted(suite.Additional),
        ], proposal.Transforms);
    }

    private static IEnumerable<IGrouping<(EspCipher Cipher, KeyExchangeMethod KeyExchange, AdditionalKeyExchanges Additional), EspSuite>> Group(
        IReadOnlyList<EspSuite> suites, bool isAuthExchange) =>
        WithoutKeyExchange(suites, isAuthExchange).GroupBy(suite => (suite.Cipher, suite.KeyExchange, suite.Additional));

    private static IEnumerable<EspSuite> WithoutKeyExchange(IReadOnlyList<EspSuite> suites, bool isAuthExchange) =>
        isAuthExchange ? suites.Select(suite => suite with { KeyExchange = KeyExchangeMethod.None, Additional = default }).Distinct() : suites;

    private static Proposal WithoutKeyExchange(Proposal proposal, bool isAuthExchange) =>
        isAuthExchange
            ? proposal with { Transforms = [.. proposal.Transforms.Where(t => t.Type != TransformType.KeyExchange && !AdditionalTransforms.Includes(t.Type))] }
            : proposal;

    private static Transform Encryption(EspCipher cipher) => cipher switch
    {
        // RFC 7634 §4: no key length attribute, since there is one length only.
        EspCipher.ChaCha20Poly1305 => new Transform(TransformType.Encryption, TransformIds.ChaCha20Poly1305),
        _ => new Transform(TransformType.Encryption, cipher.IsAead() ? TransformIds.AesGcm16 : TransformIds.AesCbc, (ushort)(8 * cipher.KeyLength())),
    };

    private static Transform Integrity(EspCipher cipher) =>
        new(TransformType.Integrity, cipher.IsAead() ? TransformIds.None : TransformIds.HmacSha256Truncated128);

    private static Transform SequenceNumbers(bool extended) =>
        new(TransformType.ExtendedSequenceNumbers, extended ? TransformIds.ExtendedSequenceNumbers : TransformIds.ShortSequenceNumbers);
}
