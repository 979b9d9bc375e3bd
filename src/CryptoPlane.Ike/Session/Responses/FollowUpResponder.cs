using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>IKE_FOLLOWUP_KE as responder: the next key exchange of something that the peer has begun by CREATE_CHILD_SA (RFC 9370 §2.2.4).</summary>
internal static class FollowUpResponder
{
    /// <summary>Answers a request.</summary>
    public static void HandleRequest(IkeSa sa, IkePayloads request, List<IIkePayload> response, long now)
    {
        if (request.KeyExchange is not { } key || request.Find(NotifyType.AdditionalKeyExchange) is not { } link)
        {
            response.Add(new NotifyPayload(NotifyType.InvalidSyntax));
            return;
        }
        if (sa.FollowUps.Find(link.Data) is not { } pending)
        {
            response.Add(new NotifyPayload(NotifyType.StateNotFound));
            return;
        }
        KeyExchangeMethod method = pending.Rounds.Awaited;
        ReadOnlyMemory<byte> publicValue = default;
        if (key.Method != (ushort)method || IkeKeyExchange.Respond(method, key.PublicValue, out publicValue) is not { } secret)
        {
            sa.FollowUps.Drop(one => one == pending);
            response.Add(new NotifyPayload(NotifyType.InvalidSyntax));
            return;
        }
        pending.Rounds.Made(secret);
        response.Add(new KeyExchangePayload((ushort)method, publicValue.ToArray()));
        if (pending.Rounds.Awaited != KeyExchangeMethod.None)
        {
            response.Add(new NotifyPayload(NotifyType.AdditionalKeyExchange, pending.Link));
            return;
        }
        sa.FollowUps.Remove(pending);
        using (pending)
            pending.Complete(sa, now);
    }
}
