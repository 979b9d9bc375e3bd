using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake;

/// <summary>A Certificate that came, or a CompressedCertificate (RFC 8879) in its place.</summary>
internal static class ReceivedCertificate
{
    /// <summary>Reads the message.</summary>
    /// <param name="message">Of one of the two types; which of them may come, the state has decided.</param>
    /// <param name="options">Say what compression the peer was offered.</param>
    /// <param name="takesOcspResponse">Whether OCSP responses were asked for.</param>
    /// <param name="certificates">The checked content.</param>
    /// <param name="compression">How it was compressed.</param>
    public static TlsError? Read(
        HandshakeMessage message, TlsOptions options, bool takesOcspResponse, out CertificateMessage certificates, out TlsCertificateCompression compression)
    {
        certificates = default;
        compression = TlsCertificateCompression.None;
        if (message.Type == HandshakeType.Certificate)
            return CertificateMessage.Parse(message.Body, out certificates, takesOcspResponse);
        if (CompressedCertificateMessage.Parse(message.Body, out CompressedCertificateMessage compressed) is { } error)
            return error;
        // RFC 8879 §4: "it MUST be one of the algorithms listed in the peer's "compress_certificate" extension."
        if (!options.CertificateCompression.Contains(compressed.Algorithm))
            return TlsError.Illegal("The peer compressed its certificate with an algorithm that was not offered.");
        // RFC 8879 §4, §5: the length is bounded before anything is decompressed, and must be exact: "bad_certificate".
        if (compressed.Length > HandshakeJoiner.MaxLongSize)
            return TlsError.Misbehaved(TlsAlert.BadCertificate, $"The peer's compressed certificate has more than {HandshakeJoiner.MaxLongSize} bytes.");
        compression = compressed.Algorithm;
        byte[] body = new byte[compressed.Length];
        return compressed.TryDecompress(body)
            ? CertificateMessage.Parse(body, out certificates, takesOcspResponse)
            : TlsError.Misbehaved(TlsAlert.BadCertificate, "The peer's compressed certificate cannot be decompressed to the length that it says.");
    }
}
