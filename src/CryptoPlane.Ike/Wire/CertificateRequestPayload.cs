namespace CryptoPlane.Ike.Wire;

/// <summary>CERTREQ (RFC 7296 §3.7): which certificates the sender can check.</summary>
/// <param name="Encoding">What form it wants.</param>
/// <param name="Authorities">
/// For X.509: SHA-1 hashes, 20 bytes each, of the SubjectPublicKeyInfo of its trust anchors; may be empty.
/// </param>
internal sealed record CertificateRequestPayload(CertificateEncoding Encoding, byte[] Authorities) : IIkePayload
{
    public const int AuthorityHashSize = 20;

    public PayloadType Type => PayloadType.CertificateRequest;

    public static IkeParseError Parse(ReadOnlySpan<byte> body, out CertificateRequestPayload? payload)
    {
        payload = null;
        if (body.IsEmpty)
            return IkeParseError.BadCertificate;
        CertificateEncoding encoding = (CertificateEncoding)body[0];
        if (encoding == CertificateEncoding.X509Signature && (body.Length - 1) % AuthorityHashSize != 0)
            return IkeParseError.BadCertificate;
        payload = new CertificateRequestPayload(encoding, body[1..].ToArray());
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer)
    {
        writer.WriteByte((byte)Encoding);
        writer.WriteBytes(Authorities);
    }
}
