namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for the verification of the server's certificate and signature.</summary>
internal sealed class ClientVerifyCertificate(HandshakeKeys keys, bool certificateRequested) : HandshakeState
{
    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        context.RemoteCertificate = ((ServerCertificateVerification)work).TakeCertificate();
        context.Enter(new ClientExpectFinished(keys, certificateRequested));
        return null;
    }

    public override void Dispose() => keys.Dispose();
}
