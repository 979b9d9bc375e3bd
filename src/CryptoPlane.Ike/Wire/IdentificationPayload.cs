namespace CryptoPlane.Ike.Wire;

/// <summary>IDi, IDr (RFC 7296 §3.5): who the sender says it is. Believed only after AUTH.</summary>
internal sealed record IdentificationPayload : IIkePayload
{
    private const int HeaderSize = 4;

    private IdentificationPayload(PayloadType type, byte[] body)
    {
        Type = type;
        Body = body;
    }

    public PayloadType Type { get; }

    /// <summary>The whole body as it is on the wire, reserved bytes included: AUTH covers it (§2.15, RestOfInitIDPayload).</summary>
    public byte[] Body { get; }

    /// <summary>"ID Type", whatever it is.</summary>
    public byte IdentificationType => Body[0];

    /// <summary>The identity, of at least one byte. Whether it is one of its type is for the caller to see.</summary>
    public ReadOnlySpan<byte> Data => Body.AsSpan(HeaderSize);

    /// <summary>An identity of this side.</summary>
    /// <param name="type">IDi or IDr.</param>
    /// <param name="identificationType">"ID Type".</param>
    /// <param name="data">The identity.</param>
    public static IdentificationPayload Create(PayloadType type, byte identificationType, ReadOnlySpan<byte> data)
    {
        if (type is not (PayloadType.IdentificationInitiator or PayloadType.IdentificationResponder) || data.IsEmpty)
            throw new ArgumentException("An identity is IDi or IDr, and is not empty.", nameof(type));
        return new IdentificationPayload(type, [identificationType, 0, 0, 0, .. data]);
    }

    public static IkeParseError Parse(PayloadType type, ReadOnlySpan<byte> body, out IdentificationPayload? payload)
    {
        payload = null;
        if (body.Length <= HeaderSize)
            return IkeParseError.BadIdentification;
        payload = new IdentificationPayload(type, body.ToArray());
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer) => writer.WriteBytes(Body);
}
