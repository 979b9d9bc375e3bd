namespace CryptoPlane.Ike.Wire;

/// <summary>
/// Ni, Nr (RFC 7296 §3.9): 16 to 256 random bytes. That it is at least half the PRF's key (§2.10) is for the caller to see.
/// </summary>
internal sealed record NoncePayload(byte[] Value) : IIkePayload
{
    public const int MinimumLength = 16;
    public const int MaximumLength = 256;

    public PayloadType Type => PayloadType.Nonce;

    public static IkeParseError Parse(ReadOnlySpan<byte> body, out NoncePayload? payload)
    {
        payload = null;
        if (body.Length is < MinimumLength or > MaximumLength)
            return IkeParseError.BadNonce;
        payload = new NoncePayload(body.ToArray());
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer) => writer.WriteBytes(Value);
}
