using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Handshake.Resumption;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>The server waits for the verification of the client's certificate and signature, and for the application's word where it has one.</summary>
internal sealed class ServerAcceptClient(TlsServerOptions options, HandshakeKeys keys, ApplicationKeys application) : HandshakeState
{
    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        if (work is PeerCertificateVerification verification)
        {
            X509Certificate2 certificate = verification.TakeCertificate()!;
            context.Identity = ClientIdentity.Of(certificate, options);
            if (options.ClientAuthentication!.ApplicationDecides)
            {
                context.Await(new TlsCertificateDecision(certificate, verification.TakeOthers(), isResumed: false), this);
                return null;
            }
            context.RemoteCertificate.Set(certificate);
        }
        else
        {
            context.RemoteCertificate.Set(((TlsCertificateDecision)work).TakeCertificate());
        }
        context.Enter(new ServerExpectFinished(options, keys, application));
        return null;
    }

    public override void Dispose()
    {
        keys.Dispose();
        application.Dispose();
    }
}
