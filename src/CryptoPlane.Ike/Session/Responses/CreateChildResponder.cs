using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>CREATE_CHILD_SA as responder (RFC 7296 §1.3): a new child SA, the replacement of one, or that of the IKE SA.</summary>
internal static class CreateChildResponder
{
    /// <summary>Answers a request.</summary>
    public static void HandleRequest(IkeSa sa, IkePayloads request, List<IIkePayload> response, long now)
    {
        if (request is not { SecurityAssociation: { } offer, Nonce: { } nonce } || !Nonce.IsLongEnough(nonce.Value, sa.Keys!.Suite.Prf))
        {
            response.Add(new NotifyPayload(NotifyType.InvalidSyntax));
            return;
        }
        // RFC 7296 §2.25.2: one that is being deleted, or has been replaced, makes nothing new.
        if (sa.State != IkeSaState.Established)
        {
            response.Add(new NotifyPayload(NotifyType.TemporaryFailure));
            return;
        }
        if (offer.Proposals[0].Protocol == SecurityProtocol.Ike)
        {
            RekeyIkeResponder.HandleRequest(sa, request, offer, nonce.Value, response, now);
            return;
        }
        Exchange? outstanding = sa.Exchanges.Outstanding?.Exchange;
        // RFC 7296 §2.25.2: no child SAs while we rekey the IKE SA: neither side could tell to which of the two they belong.
        if (outstanding is RekeyIkeExchange)
        {
            response.Add(new NotifyPayload(NotifyType.TemporaryFailure));
            return;
        }
        byte[] ours = Nonce.Create(sa.Host.Options.Randomness);
        if (request.Find(NotifyType.RekeySa) is { } rekey)
        {
            RekeyChild(sa, rekey, request, (nonce.Value, ours), outstanding, response, now);
            return;
        }
        if (ChildAnswer.Make(sa, request, null, (nonce.Value, ours), isAuthExchange: false, response, now) is { } agreed)
            CompleteOrAwait(sa, new PendingChild(agreed, sa.Host), response, now);
    }

    /// <summary>Makes what the peer asks for, or keeps it until the peer has gone on with the other key exchanges (RFC 9370 §2.2.4).</summary>
    public static void CompleteOrAwait(IkeSa sa, PendingFollowUp pending, List<IIkePayload> response, long now)
    {
        if (pending.Rounds.Awaited != KeyExchangeMethod.None)
        {
            sa.FollowUps.Add(pending, sa.Host, response, now);
            return;
        }
        using (pending)
            pending.Complete(sa, now);
    }

    private static void RekeyChild(
        IkeSa sa, NotifyPayload rekey, IkePayloads request, (byte[] Initiator, byte[] Responder) nonces, Exchange? outstanding,
        List<IIkePayload> response, long now)
    {
        if (!rekey.TryGetEspSpi(out uint spi) || !sa.Children.TryFindByOutboundSpi(spi, out ChildSa? old))
        {
            // It may be the one that we have asked for, where the answer was lost: then it is not known yet, which is no reason to give it
            // up.
            response.Add(outstanding is CreateChildExchange or RekeyChildExchange
                ? new NotifyPayload(NotifyType.TemporaryFailure) : NotifyPayload.ForEsp(NotifyType.ChildSaNotFound, spi));
            return;
        }
        // RFC 7296 §2.25.1: we are deleting it, or either side has replaced it already and is about to. RFC 9370 §2.2.4: or we have gone on with our
        // own replacement already, which is decided then.
        RekeyChildExchange? rekeys = outstanding as RekeyChildExchange is { } own && own.Old == old ? own : null;
        if (!old.MayBeReplaced || rekeys is { IsFollowingUp: true })
        {
            response.Add(new NotifyPayload(NotifyType.TemporaryFailure));
            return;
        }
        // A peer that asks anew has given up what it began.
        sa.FollowUps.Drop(pending => pending is PendingChild { Replaces: { } replaced } && replaced == old);
        if (ChildAnswer.Make(sa, request, old, nonces, isAuthExchange: false, response, now) is not { } agreed)
            return;
        CompleteOrAwait(sa, new PendingChild(agreed, sa.Host), response, now);
        rekeys?.Collide(Nonce.Lower(nonces.Initiator, nonces.Responder));
    }
}
