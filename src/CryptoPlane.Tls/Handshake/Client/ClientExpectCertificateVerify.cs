using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for the server's CertificateVerify: WAIT_CV of RFC 8446 §A.1.</summary>
internal sealed class ClientExpectCertificateVerify(TlsClientOptions options, HandshakeKeys keys, byte[][] chain, ClientAnswer? answer) : HandshakeState
{
    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message)
    {
        if (message.Type != HandshakeType.CertificateVerify)
            return base.OnMessage(context, message);
        if (CertificateVerifyMessage.Parse(message.Body, out CertificateVerifyMessage verify) is { } error)
            return error;
        // RFC 8446 §4.4.3: "the signature algorithm MUST be one offered in the client's "signature_algorithms" extension".
        if (!options.SignatureSchemes.Contains(verify.Scheme))
            return TlsError.Illegal("The server signed with a scheme that the client did not offer.");
        context.SignatureScheme = verify.Scheme;
        var verification = new ServerCertificateVerification(options, chain, verify.Scheme, context.ServerSignedContent(), verify.Signature.ToArray(), context.OcspResponse);
        context.Transcript.Append(message.Whole);
        context.Await(verification, new ClientVerifyCertificate(options, keys, answer));
        return null;
    }

    public override void Dispose() => keys.Dispose();
}
