using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Negotiation;

/// <summary>The outcome of a negotiation.</summary>
/// <typeparam name="TSuite">Of an IKE SA or of a child SA.</typeparam>
/// <param name="Suite">Ours.</param>
/// <param name="Proposal">The peer's proposal: its SPI is that of the peer. Offered, if we chose; the answer, if the peer did.</param>
/// <param name="Transforms">One of each type.</param>
internal sealed record ChosenProposal<TSuite>(TSuite Suite, Proposal Proposal, IReadOnlyList<Transform> Transforms)
{
    /// <summary>The SA payload that answers with the choice (RFC 7296 §3.3.1: with the number of the proposal that was accepted).</summary>
    /// <param name="spi">Ours: of the size of the peer's.</param>
    public SecurityAssociationPayload Answer(byte[] spi) => new([Proposal with { Spi = spi, Transforms = Transforms }]);
}
