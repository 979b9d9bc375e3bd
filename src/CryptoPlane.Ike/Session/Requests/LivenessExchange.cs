using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>An empty INFORMATIONAL: whoever answers it lives (RFC 7296 §2.4).</summary>
internal sealed class LivenessExchange : Exchange
{
    public override ExchangeType Type => ExchangeType.Informational;

    public override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now) => sa.State is IkeSaState.Established or IkeSaState.Replaced;

    public override void HandleResponse(IkeSa sa, IkePayloads response, long now)
    {
        // That it came is all that it says.
    }
}
