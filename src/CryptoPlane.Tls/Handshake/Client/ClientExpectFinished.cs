using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for the server's Finished, and answers with its own: WAIT_FINISHED of RFC 8446 §A.1.</summary>
internal sealed class ClientExpectFinished(HandshakeKeys keys, bool certificateRequested) : HandshakeState
{
    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message)
    {
        if (message.Type != HandshakeType.Finished)
            return base.OnMessage(context, message);
        if ((context.CheckKeyChangeBoundary() ?? context.VerifyFinished(keys.Server, message)) is { } error)
            return error;
        context.Transcript.Append(message.Whole);

        using ApplicationKeys application = keys.ToApplicationKeys(context);
        context.SendChangeCipherSpec();
        // RFC 8446 §4.4.2: a client without a certificate answers the request with an empty list, and without a CertificateVerify.
        if (certificateRequested)
            CertificateMessage.Write(context.Messages, requestContext: default, []);
        context.ClientFinished = context.WriteFinished(keys.Client);
        context.ChangeWriteKeys(application.Client);
        context.ChangeReadKeys(application.Server, TlsTrafficUse.ReadAsClient);
        context.Exporter = application.TakeExporter();
        Dispose();
        context.Enter(Connected.Instance);
        return null;
    }

    public override void Dispose() => keys.Dispose();
}
