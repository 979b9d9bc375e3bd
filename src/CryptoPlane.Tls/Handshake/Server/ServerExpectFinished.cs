using CryptoPlane.Tls.Handshake.Resumption;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>The server waits for the client's Finished: WAIT_FINISHED of RFC 8446 §A.2.</summary>
internal sealed class ServerExpectFinished(TlsServerOptions options, HandshakeKeys keys, ApplicationKeys application) : HandshakeState
{
    public override bool AwaitsFinished => true;

    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message)
    {
        if (message.Type != HandshakeType.Finished)
            return base.OnMessage(context, message);
        if ((context.CheckKeyChangeBoundary() ?? context.VerifyFinished(keys.Client, message)) is { } error)
            return error;
        context.ClientFinished = message.Body.ToArray();
        context.ChangeReadKeys(application.Client, TlsTrafficUse.ReadAsServer);
        context.Exporter = application.TakeExporter();
        context.Transcript.Append(message.Whole);
        context.KeepMainTranscript();
        ServerTickets.Send(context, options, application);
        Dispose();
        context.Enter(Connected.Instance);
        return null;
    }

    public override void Dispose()
    {
        keys.Dispose();
        application.Dispose();
    }
}
