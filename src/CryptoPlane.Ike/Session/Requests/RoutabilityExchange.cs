using System.Security.Cryptography;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>
/// INFORMATIONAL with COOKIE2: only who receives at its new address can give it back (RFC 4555 §3.7). Else a peer could have our traffic sent to
/// somebody who never asked for it. Who does not answer is dead, as always.
/// </summary>
internal sealed class RoutabilityExchange : Exchange
{
    /// <summary>RFC 4555 §4.2.5: 8 to 64 bytes.</summary>
    private const int CookieLength = 16;

    private byte[] _cookie = [];

    public override ExchangeType Type => ExchangeType.Informational;

    public override bool TryBegin(IkeSa sa, List<IIkePayload> request, long now)
    {
        _cookie = sa.Host.RandomBytes(CookieLength);
        request.Add(new NotifyPayload(NotifyType.Cookie2, _cookie));
        return sa.State == IkeSaState.Established;
    }

    public override void HandleResponse(IkeSa sa, IkePayloads response, long now)
    {
        // RFC 4555 §3.7: where the values do not match, the IKE SA must be closed.
        if (response.Find(NotifyType.Cookie2) is not { } cookie || !CryptographicOperations.FixedTimeEquals(cookie.Data, _cookie))
            sa.BeginDelete(IkeCloseReason.ProtocolError, now);
    }
}
