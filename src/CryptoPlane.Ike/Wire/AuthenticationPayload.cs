namespace CryptoPlane.Ike.Wire;

/// <summary>AUTH (RFC 7296 §3.8).</summary>
internal sealed record AuthenticationPayload(AuthenticationMethod Method, byte[] Data) : IIkePayload
{
    public PayloadType Type => PayloadType.Authentication;

    public static IkeParseError Parse(ReadOnlySpan<byte> body, out AuthenticationPayload? payload)
    {
        payload = null;
        IkeReader reader = new(body);
        if (!reader.TryReadByte(out byte method) || !reader.TrySkip(3) || reader.IsAtEnd)
            return IkeParseError.BadAuthentication;
        payload = new AuthenticationPayload((AuthenticationMethod)method, reader.Rest.ToArray());
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer)
    {
        writer.WriteByte((byte)Method);
        writer.WriteZeros(3);
        writer.WriteBytes(Data);
    }
}
