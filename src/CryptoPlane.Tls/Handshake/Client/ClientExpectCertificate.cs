using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for the server's Certificate, before which one CertificateRequest may come: WAIT_CERT_CR of RFC 8446 §A.1.</summary>
internal sealed class ClientExpectCertificate(TlsClientOptions options, HandshakeKeys keys) : HandshakeState
{
    private ClientAnswer? _answer;

    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message) => message.Type switch
    {
        HandshakeType.CertificateRequest when _answer == null => OnCertificateRequest(context, message),
        HandshakeType.Certificate => OnCertificate(context, message),
        HandshakeType.CompressedCertificate when options.CertificateCompression.Count != 0 => OnCertificate(context, message),
        _ => base.OnMessage(context, message),
    };

    public override void Dispose() => keys.Dispose();

    private TlsError? OnCertificateRequest(HandshakeContext context, HandshakeMessage message)
    {
        if (CertificateRequestMessage.Parse(message.Body, out CertificateRequestMessage request) is { } error)
            return error;
        // RFC 8446 §4.3.2: "This field SHALL be zero length unless used for the post-handshake authentication exchanges".
        if (!request.Context.IsEmpty)
            return TlsError.Illegal("The CertificateRequest has a context, which belongs behind the handshake.");
        _answer = ClientAnswer.To(request, options);
        context.Transcript.Append(message.Whole);
        return null;
    }

    private TlsError? OnCertificate(HandshakeContext context, HandshakeMessage message)
    {
        bool takesOcspResponse = options.OcspStapling != TlsOcspStapling.None;
        if (ReceivedCertificate.Read(message, options, takesOcspResponse, out CertificateMessage certificates, out TlsCertificateCompression compression) is { } error)
            return error;
        // RFC 8446 §4.4.2: "in the case of server authentication, this field SHALL be zero length."
        if (!certificates.RequestContext.IsEmpty)
            return TlsError.Illegal("The server's Certificate has a context.");
        // RFC 8446 §4.4.2.4: "If the server supplies an empty Certificate message, the client MUST abort the handshake with a "decode_error" alert."
        if (certificates.Count == 0)
            return TlsError.Decode("The server sent no certificate.");
        context.CertificateCompression = compression;
        context.OcspResponse = certificates.OcspResponse.ToArray();
        context.Transcript.Append(message.Whole);
        context.Enter(new ClientExpectCertificateVerify(options, keys, certificates.ToArray(), _answer));
        return null;
    }
}
