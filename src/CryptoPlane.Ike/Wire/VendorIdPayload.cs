namespace CryptoPlane.Ike.Wire;

/// <summary>V (RFC 7296 §3.12): tells of an implementation. Nothing here depends on one.</summary>
internal sealed record VendorIdPayload(byte[] Value) : IIkePayload
{
    public PayloadType Type => PayloadType.VendorId;

    public static VendorIdPayload Parse(ReadOnlySpan<byte> body) => new(body.ToArray());

    public void WriteBody(IkeWriter writer) => writer.WriteBytes(Value);
}
