using CryptoPlane.Aead;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Negotiation;

/// <summary>The SA payload of IKE SAs (RFC 7296 §2.7, §3.3): what we offer, what we choose, and what of an answer we take.</summary>
internal static class IkeProposals
{
    /// <summary>The SPI of the IKE SA in the proposal that rekeys one (RFC 7296 §1.3.2); in IKE_SA_INIT it is in the header only.</summary>
    private const int RekeySpiLength = 8;

    /// <summary>
    /// Offers suites. Those that differ in the first key exchange only share a proposal; no proposal means more than the suites do. Suites without
    /// additional key exchanges have proposals of their own, since who does not know RFC 9370 must pass over those with them (RFC 7296 §3.3.6).
    /// </summary>
    /// <param name="suites">In the order of preference; at most 255.</param>
    /// <param name="spi">Empty in IKE_SA_INIT; the 8 bytes of the new SPI in a rekey.</param>
    public static SecurityAssociationPayload Offer(IReadOnlyList<IkeSuite> suites, byte[] spi)
    {
        List<Proposal> proposals = [];
        foreach (var group in Group(suites))
        {
            List<Transform> transforms = [Encryption(group.Key.Cipher), new(TransformType.PseudorandomFunction, (ushort)group.Key.Prf)];
            foreach (KeyExchangeMethod method in group.Select(suite => suite.KeyExchange).Distinct())
                transforms.Add(new Transform(TransformType.KeyExchange, (ushort)method));
            transforms.AddRange(AdditionalTransforms.Offer(group.Key.Additional));
            proposals.Add(new Proposal(checked((byte)(proposals.Count + 1)), SecurityProtocol.Ike, spi, transforms));
        }
        return new SecurityAssociationPayload(proposals);
    }

    /// <summary>
    /// Chooses from a peer's offer by our order of preference. If the choice's key exchange is not that of the peer's KE payload, the answer
    /// is INVALID_KE_PAYLOAD with the choice's (RFC 7296 §1.2, §1.3).
    /// </summary>
    /// <param name="suites">What we take, the preferred first.</param>
    /// <param name="offer">The peer's.</param>
    /// <param name="isRekey">Whether proposals must have the SPI of the new IKE SA.</param>
    /// <returns>Null if nothing is acceptable: NO_PROPOSAL_CHOSEN.</returns>
    public static ChosenProposal<IkeSuite>? Choose(IReadOnlyList<IkeSuite> suites, SecurityAssociationPayload offer, bool isRekey)
    {
        foreach (IkeSuite suite in suites)
        {
            foreach (Proposal proposal in offer.Proposals)
            {
                if (Match(suite, proposal, isRekey) is { } transforms)
                    return new ChosenProposal<IkeSuite>(suite, proposal, transforms);
            }
        }
        return null;
    }

    /// <summary>Checks a peer's answer to our offer.</summary>
    /// <param name="suites">What <see cref="Offer"/> was given.</param>
    /// <param name="answer">The peer's.</param>
    /// <param name="isRekey">Whether the answer must have the SPI of the new IKE SA.</param>
    /// <returns>
    /// Null if the answer is not one suite of the proposal that it names (RFC 7296 §2.7: the initiator must check that the answer is
    /// consistent with its offer).
    /// </returns>
    public static ChosenProposal<IkeSuite>? Accept(IReadOnlyList<IkeSuite> suites, SecurityAssociationPayload answer, bool isRekey)
    {
        if (answer.Proposals.Count != 1)
            return null;
        Proposal proposal = answer.Proposals[0];
        int number = 0;
        foreach (var group in Group(suites))
        {
            if (++number != proposal.Number)
                continue;
            foreach (IkeSuite suite in group)
            {
                // As many transforms as were matched: one of each type, no choice left.
                if (Match(suite, proposal, isRekey) is { } transforms && transforms.Count == proposal.Transforms.Count)
                    return new ChosenProposal<IkeSuite>(suite, proposal, transforms);
            }
        }
        return null;
    }

    private static IReadOnlyList<Transform>? Match(IkeSuite suite, Proposal proposal, bool isRekey)
    {
        if (proposal.Protocol != SecurityProtocol.Ike || proposal.Spi.Length != (isRekey ? RekeySpiLength : 0) || (isRekey && proposal.SpiValue == 0))
            return null;
        return WantedTransform.Match(
        [
            new(Encryption(suite.Cipher)),
            new(new Transform(TransformType.PseudorandomFunction, (ushort)suite.Prf)),
            // RFC 5282 §8: an AEAD comes with no integrity algorithm, or with NONE.
            new(new Transform(TransformType.Integrity, TransformIds.None), MayBeMissing: true),
            new(new Transform(TransformType.KeyExchange, (ushort)suite.KeyExchange)),
            .. AdditionalTransforms.Wanted(suite.Additional),
        ], proposal.Transforms);
    }

    private static IEnumerable<IGrouping<(IkeCipher Cipher, PrfAlgorithm Prf, AdditionalKeyExchanges Additional), IkeSuite>> Group(
        IReadOnlyList<IkeSuite> suites) => suites.GroupBy(suite => (suite.Cipher, suite.Prf, suite.Additional));

    private static Transform Encryption(IkeCipher cipher) =>
        new(TransformType.Encryption, TransformIds.AesGcm16, (ushort)(8 * AeadSizes.Key(cipher.Aead())));
}
