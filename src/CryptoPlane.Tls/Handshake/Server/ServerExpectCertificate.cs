using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>The server waits for the client's Certificate, which it has asked for: WAIT_CERT of RFC 8446 §A.2.</summary>
internal sealed class ServerExpectCertificate(TlsServerOptions options, HandshakeKeys keys, ApplicationKeys application) : HandshakeState
{
    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message)
    {
        if (message.Type != HandshakeType.Certificate && (message.Type != HandshakeType.CompressedCertificate || options.CertificateCompression.Count == 0))
            return base.OnMessage(context, message);
        if (ReceivedCertificate.Read(message, options, takesOcspResponse: false, out CertificateMessage certificates, out _) is { } error)
            return error;
        // RFC 8446 §4.4.2: the context of the request, which was empty.
        if (!certificates.RequestContext.IsEmpty)
            return TlsError.Illegal("The client's Certificate has a context that was not asked with.");
        context.Transcript.Append(message.Whole);
        if (certificates.Count != 0)
        {
            context.Enter(new ServerExpectCertificateVerify(options, keys, application, certificates.ToArray()));
            return null;
        }
        // RFC 8446 §4.4.2.4: "if the client does not send any certificates …, the server MAY … abort the handshake with a
        // "certificate_required" alert."
        if (options.ClientAuthentication!.IsRequired)
            return TlsError.Rejected(TlsAlert.CertificateRequired, "The client has no certificate, and must show one.");
        context.Enter(new ServerExpectFinished(options, keys, application));
        return null;
    }

    public override void Dispose()
    {
        keys.Dispose();
        application.Dispose();
    }
}
