namespace CryptoPlane.Ike.Wire;

/// <summary>SA: what is offered, or the one proposal that was chosen (RFC 7296 §3.3).</summary>
internal sealed record SecurityAssociationPayload(IReadOnlyList<Proposal> Proposals) : IIkePayload
{
    /// <summary>More than gateways offer, who list each combination of algorithm classes as a proposal of its own.</summary>
    public const int MaximumProposals = 64;

    /// <summary>Of all proposals of a payload together.</summary>
    public const int MaximumTransforms = 512;

    public PayloadType Type => PayloadType.SecurityAssociation;

    public static IkeParseError Parse(ReadOnlySpan<byte> body, out SecurityAssociationPayload? payload)
    {
        payload = null;
        IkeReader reader = new(body);
        List<Proposal> proposals = [];
        int transformsLeft = MaximumTransforms;
        bool isLast;
        do
        {
            if (proposals.Count == MaximumProposals)
                return IkeParseError.BadProposal;
            IkeParseError error = Proposal.Parse(ref reader, ref transformsLeft, out Proposal? proposal, out isLast);
            if (error != IkeParseError.None)
                return error;
            proposals.Add(proposal!);
        }
        while (!isLast);
        if (!reader.IsAtEnd)
            return IkeParseError.BadProposal;
        payload = new SecurityAssociationPayload(proposals);
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer)
    {
        for (int i = 0; i < Proposals.Count; i++)
            Proposals[i].Write(writer, i == Proposals.Count - 1);
    }
}
