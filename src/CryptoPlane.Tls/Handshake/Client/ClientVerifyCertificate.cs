namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for the verification of the server's certificate and signature.</summary>
internal sealed class ClientVerifyCertificate(TlsClientOptions options, HandshakeKeys keys, ClientAnswer? answer) : HandshakeState
{
    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        var verification = (ServerCertificateVerification)work;
        if (verification.TakeCertificate() is { } certificate)
            context.RemoteCertificate.Set(certificate);
        else
            context.RemoteCertificate.Set(verification.CertificateData);
        context.Enter(new ClientExpectFinished(options, keys, answer));
        return null;
    }

    public override void Dispose() => keys.Dispose();
}
