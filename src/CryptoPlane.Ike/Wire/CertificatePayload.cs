namespace CryptoPlane.Ike.Wire;

/// <summary>CERT (RFC 7296 §3.6): the first one holds the key that AUTH was made with, others help to build the chain.</summary>
internal sealed record CertificatePayload(CertificateEncoding Encoding, byte[] Data) : IIkePayload
{
    public PayloadType Type => PayloadType.Certificate;

    public static IkeParseError Parse(ReadOnlySpan<byte> body, out CertificatePayload? payload)
    {
        payload = null;
        if (body.Length < 2)
            return IkeParseError.BadCertificate;
        payload = new CertificatePayload((CertificateEncoding)body[0], body[1..].ToArray());
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer)
    {
        writer.WriteByte((byte)Encoding);
        writer.WriteBytes(Data);
    }
}
