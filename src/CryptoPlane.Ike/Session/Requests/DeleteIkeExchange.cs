using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// INFORMATIONAL that ends an IKE SA: by deleting it (RFC 7296 §1.4.1), or by saying that the peer failed to authenticate (§2.21.2).
/// </summary>
/// <param name="reason">What is reported when it is gone.</param>
/// <param name="isRejection">Whether the peer failed to authenticate.</param>
internal sealed class DeleteIkeExchange(IkeCloseReason reason, bool isRejection) : Exchange
{
    public override ExchangeType Type => ExchangeType.Informational;

    public override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now)
    {
        request.Add(isRejection ? new NotifyPayload(NotifyType.AuthenticationFailed) : DeletePayload.IkeSa);
        return true;
    }

    public override void HandleResponse(IkeSa sa, IkePayloads response, long now) => sa.Close(reason, now);
}
