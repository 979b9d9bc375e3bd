using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for its signature; then it sends its CertificateVerify and its Finished.</summary>
internal sealed class ClientSignTranscript(TlsClientOptions options, HandshakeKeys keys, ApplicationKeys application) : HandshakeState
{
    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        var signature = (TranscriptSignature)work;
        CertificateVerifyMessage.Write(context.Messages, signature.Scheme, signature.Signature);
        Finish(context, options, keys, application);
        return null;
    }

    /// <summary>Sends the Finished behind what was written, and takes the application's keys; those that are given are erased.</summary>
    public static void Finish(HandshakeContext context, TlsClientOptions options, HandshakeKeys keys, ApplicationKeys application)
    {
        context.ClientFinished = context.WriteFinished(keys.Client);
        if (options.KeepSessions)
            context.KeepTickets(application);
        context.ChangeWriteKeys(application.Client);
        context.ChangeReadKeys(application.Server, TlsTrafficUse.ReadAsClient, options.KeepSessions);
        if (context.KeepMainTranscript())
            context.TakeCertificateRequests();
        context.Exporter = application.TakeExporter();
        keys.Dispose();
        application.Dispose();
        context.Enter(Connected.Instance);
    }

    public override void Dispose()
    {
        keys.Dispose();
        application.Dispose();
    }
}
