using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// INFORMATIONAL as responder (RFC 7296 §1.4): deletions, a change of addresses (RFC 4555), or nothing but a sign of life.
/// </summary>
internal static class InformationalResponder
{
    /// <summary>Answers a request.</summary>
    /// <param name="sa">The IKE SA.</param>
    /// <param name="request">The request.</param>
    /// <param name="back">The way by which it came.</param>
    /// <param name="response">Takes the answer.</param>
    /// <param name="now">The time.</param>
    public static void HandleRequest(IkeSa sa, IkePayloads request, PeerPath back, List<IIkePayload> response, long now)
    {
        if (DeletesIkeSa(request))
        {
            DeleteIke(sa, now);
            return;
        }
        // RFC 7296 §2.21.2: the peer has found us out to be somebody else, after it was too late for IKE_AUTH.
        if (request.Find(NotifyType.AuthenticationFailed) is not null)
        {
            sa.Intake.CloseAfterResponse(IkeCloseReason.DeletedByPeer);
            return;
        }
        List<uint> deleted = [];
        foreach (uint spi in request.Deletions.Where(deletion => deletion.Protocol == SecurityProtocol.Esp).SelectMany(deletion => deletion.Spis))
            DeleteChild(sa, spi, deleted, now);
        if (deleted.Count != 0)
            response.Add(new DeletePayload(SecurityProtocol.Esp, deleted));
        AddressUpdate.Handle(sa, request, back, response);
    }

    /// <summary>
    /// Whether a peer that began an IKE SA gives it up before both sides have authenticated: we, or the user's password, are not what it
    /// expected (RFC 7296 §2.21.2). It waits for the answer.
    /// </summary>
    public static bool GivesUp(IkePayloads request) =>
        request.Find(NotifyType.AuthenticationFailed) is not null || DeletesIkeSa(request);

    /// <summary>Whether a request ends the IKE SA that it comes by.</summary>
    public static bool DeletesIkeSa(IkePayloads request) => request.Deletions.Any(deletion => deletion.Protocol == SecurityProtocol.Ike);

    private static void DeleteIke(IkeSa sa, long now)
    {
        // RFC 7296 §2.25.2: the peer was faster with its own rekey, so ours is forgotten.
        if (sa.State == IkeSaState.Established && sa.Exchanges.Outstanding?.Exchange is RekeyIkeExchange { Rival: { } rival })
            sa.ReplaceBy(rival, peerHasIt: true, now);
        sa.Intake.CloseAfterResponse(sa.State == IkeSaState.Established ? IkeCloseReason.DeletedByPeer : IkeCloseReason.Rekeyed);
    }

    private static void DeleteChild(IkeSa sa, uint spi, List<uint> deleted, long now)
    {
        if (!sa.Children.TryFindByOutboundSpi(spi, out ChildSa? child))
        {
            sa.Exchanges.NoteUnknownDeletion(spi);
            return;
        }
        // RFC 7296 §1.4.1: where both have asked at once, neither answers with an SPI; ours is gone when our own request is answered.
        if (child.State == ChildSaState.Deleting)
            return;
        deleted.Add(child.Id.InboundSpi);
        ChildLifecycle.Remove(child, now);
    }
}
