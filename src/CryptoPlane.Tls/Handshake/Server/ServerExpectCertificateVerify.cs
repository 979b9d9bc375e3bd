using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>The server waits for the client's CertificateVerify: WAIT_CV of RFC 8446 §A.2.</summary>
internal sealed class ServerExpectCertificateVerify(TlsServerOptions options, HandshakeKeys keys, ApplicationKeys application, byte[][] chain) : HandshakeState
{
    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message)
    {
        // RFC 8446 §4.4.3: the proof of the private key "MUST appear immediately after the Certificate message".
        if (message.Type != HandshakeType.CertificateVerify)
            return base.OnMessage(context, message);
        if (CertificateVerifyMessage.Parse(message.Body, out CertificateVerifyMessage verify) is { } error)
            return error;
        // RFC 8446 §4.4.3: one of the schemes of the CertificateRequest.
        if (!options.SignatureSchemes.Contains(verify.Scheme))
            return TlsError.Illegal("The client signed with a scheme that the server did not ask for.");
        var verification = new ClientCertificateVerification(
            options.ClientAuthentication!, chain, verify.Scheme, context.ClientSignedContent(), verify.Signature.ToArray());
        context.Transcript.Append(message.Whole);
        context.Await(verification, new ServerAcceptClient(options, keys, application));
        return null;
    }

    public override void Dispose()
    {
        keys.Dispose();
        application.Dispose();
    }
}
