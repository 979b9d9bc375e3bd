using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Responder;

/// <summary>As much of an IKE_SA_INIT request as the gate needs, seen where it lies: nothing is allocated for a stranger.</summary>
internal readonly ref struct InitRequest
{
    /// <summary>Longer requests are not hashed, let alone read: without fragmentation there is no use for them.</summary>
    public const int MaximumLength = 8_192;

    /// <summary>Protocol, SPI size and type before a cookie, which has no SPI.</summary>
    private const int NotifyHeaderSize = 4;

    private InitRequest(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> cookie)
    {
        Nonce = nonce;
        Cookie = cookie;
    }

    /// <summary>Ni.</summary>
    public ReadOnlySpan<byte> Nonce { get; }

    /// <summary>The cookie that the peer returns; empty when there is none.</summary>
    public ReadOnlySpan<byte> Cookie { get; }

    /// <summary>Reads a request.</summary>
    /// <returns>
    /// False for what no initiator sends: too long, another header than a first request's, a chain that does not fit, no SA, KE or
    /// nonce.
    /// </returns>
    public static bool TryRead(in IkeHeader header, ReadOnlySpan<byte> message, out InitRequest request)
    {
        request = default;
        if (message.Length > MaximumLength || header.Exchange != ExchangeType.IkeSaInit || header.IsResponse || !header.FromInitiator
            || header.MessageId != 0 || header.InitiatorSpi == 0 || header.ResponderSpi != 0)
            return false;
        ReadOnlySpan<byte> nonce = default, cookie = default;
        bool hasSa = false, hasKe = false;
        PayloadWalk walk = new(header.NextPayload, message[IkeHeader.Size..]);
        while (walk.TryRead(out PayloadView payload))
        {
            switch (payload.Type)
            {
                case PayloadType.SecurityAssociation:
                    hasSa = true;
                    break;
                case PayloadType.KeyExchange:
                    hasKe = true;
                    break;
                case PayloadType.Nonce:
                    nonce = payload.Body;
                    break;
                case PayloadType.Notify when IsCookie(payload.Body):
                    cookie = payload.Body[NotifyHeaderSize..];
                    break;
            }
        }
        if (walk.Error != IkeParseError.None || !hasSa || !hasKe
            || nonce.Length is < NoncePayload.MinimumLength or > NoncePayload.MaximumLength)
            return false;
        request = new InitRequest(nonce, cookie);
        return true;
    }

    private static bool IsCookie(ReadOnlySpan<byte> body) =>
        body.Length > NotifyHeaderSize && body[1] == 0 && (NotifyType)((body[2] << 8) | body[3]) == NotifyType.Cookie;
}
