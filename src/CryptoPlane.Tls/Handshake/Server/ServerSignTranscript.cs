using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>The server waits for its signature; then it sends the rest of its flight and takes the application's write keys.</summary>
internal sealed class ServerSignTranscript(TlsServerOptions options, HandshakeKeys keys) : HandshakeState
{
    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        var signature = (TranscriptSignature)work;
        CertificateVerifyMessage.Write(context.Messages, signature.Scheme, signature.Signature);
        Finish(context, options, keys);
        return null;
    }

    /// <summary>Sends the Finished behind what was written, and waits for the client's.</summary>
    public static void Finish(HandshakeContext context, TlsServerOptions options, HandshakeKeys keys)
    {
        context.WriteFinished(keys.Server);
        ApplicationKeys application = keys.ToApplicationKeys(context);
        context.ChangeWriteKeys(application.Server);
        if (context.EarlyDataStatus == TlsEarlyDataStatus.Accepted)
            context.Enter(new ServerExpectEndOfEarlyData(keys, new ServerExpectFinished(options, keys, application)));
        else if (!context.UsesPreSharedKey && options.ClientAuthentication is { IsDeferred: false })
            context.Enter(new ServerExpectCertificate(options, keys, application));
        else if (context is { IsResumed: true, Identity: { } identity } && options.ClientAuthentication!.ApplicationDecides)
        {
            var decision = new TlsCertificateDecision(X509CertificateLoader.LoadCertificate(identity.Certificate), [], isResumed: true);
            context.Await(decision, new ServerAcceptClient(options, keys, application));
        }
        else
            context.Enter(new ServerExpectFinished(options, keys, application));
    }

    public override void Dispose() => keys.Dispose();
}
