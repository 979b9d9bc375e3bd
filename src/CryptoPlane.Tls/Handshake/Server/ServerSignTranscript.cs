using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>The server waits for its signature; then it sends the rest of its flight and takes the application's write keys.</summary>
internal sealed class ServerSignTranscript(HandshakeKeys keys) : HandshakeState
{
    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        var signature = (TranscriptSignature)work;
        CertificateVerifyMessage.Write(context.Messages, signature.Scheme, signature.Signature);
        context.WriteFinished(keys.Server);

        ApplicationKeys application = keys.ToApplicationKeys(context);
        context.ChangeWriteKeys(application.Server);
        context.Enter(new ServerExpectFinished(keys, application));
        return null;
    }

    public override void Dispose() => keys.Dispose();
}
