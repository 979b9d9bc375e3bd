using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>INFORMATIONAL that deletes a child SA (RFC 7296 §1.4.1): we name our inbound SPI, the peer answers with its own.</summary>
internal sealed class DeleteChildExchange : Exchange
{
    private readonly ChildSa? _child;
    private readonly ChildSaId _id;

    /// <summary>A child SA that is there, or that we have just forgotten.</summary>
    public DeleteChildExchange(ChildSa child)
    {
        _child = child;
        _id = child.Id;
    }

    /// <summary>One that only the peer has, since we did not take its answer.</summary>
    public DeleteChildExchange(ChildSaId id) => _id = id;

    public override ExchangeType Type => ExchangeType.Informational;

    public override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now)
    {
        // The peer was faster.
        if (_child?.State == ChildSaState.Lingering)
            return false;
        if (_child?.State is ChildSaState.Installed or ChildSaState.Active)
            _child.State = ChildSaState.Deleting;
        request.Add(new DeletePayload(SecurityProtocol.Esp, [_id.InboundSpi]));
        return true;
    }

    public override void HandleResponse(IkeSa sa, IkePayloads response, long now)
    {
        if (_child?.State == ChildSaState.Deleting)
            ChildLifecycle.Remove(_child, now);
    }
}
