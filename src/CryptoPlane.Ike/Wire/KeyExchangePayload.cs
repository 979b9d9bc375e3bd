namespace CryptoPlane.Ike.Wire;

/// <summary>KE: a public value of a key-exchange method (RFC 7296 §3.4).</summary>
/// <param name="Method">
/// IANA's number of the method (transform type 4). Whether it is the negotiated one is for the caller to see (§1.2).
/// </param>
/// <param name="PublicValue">The public value, of at least one byte; its length is the method's to check.</param>
internal sealed record KeyExchangePayload(ushort Method, byte[] PublicValue) : IIkePayload
{
    public PayloadType Type => PayloadType.KeyExchange;

    public static IkeParseError Parse(ReadOnlySpan<byte> body, out KeyExchangePayload? payload)
    {
        payload = null;
        IkeReader reader = new(body);
        if (!reader.TryReadUInt16(out ushort method) || !reader.TrySkip(2) || reader.IsAtEnd)
            return IkeParseError.BadKeyExchange;
        payload = new KeyExchangePayload(method, reader.Rest.ToArray());
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer)
    {
        writer.WriteUInt16(Method);
        writer.WriteUInt16(0);
        writer.WriteBytes(PublicValue);
    }
}
