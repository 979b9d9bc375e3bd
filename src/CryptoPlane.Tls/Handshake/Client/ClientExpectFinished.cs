using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for the server's Finished, and answers with its own: WAIT_FINISHED of RFC 8446 §A.1.</summary>
internal sealed class ClientExpectFinished(TlsClientOptions options, HandshakeKeys keys, ClientAnswer? answer) : HandshakeState
{
    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message)
    {
        if (message.Type != HandshakeType.Finished)
            return base.OnMessage(context, message);
        if ((context.CheckKeyChangeBoundary() ?? context.VerifyFinished(keys.Server, message)) is { } error)
            return error;
        context.Transcript.Append(message.Whole);

        ApplicationKeys application = keys.ToApplicationKeys(context);
        context.SendChangeCipherSpec();
        // RFC 8446 §4.5: "If the server sent an "early_data" extension in EncryptedExtensions, the client MUST send an EndOfEarlyData message
        // after receiving the server Finished."
        if (context.IsEarlyDataOpen)
        {
            context.EndEarlyData();
            context.ChangeWriteKeys(keys.Client);
        }
        answer?.WriteCertificate(context.Messages);
        // RFC 8446 §4.4.3: no CertificateVerify behind an empty Certificate.
        if (answer?.Credential is { } credential)
            context.Await(new TranscriptSignature(credential, answer.Scheme, context.ClientSignedContent()), new ClientSignTranscript(options, keys, application));
        else
            ClientSignTranscript.Finish(context, options, keys, application);
        return null;
    }

    public override void Dispose() => keys.Dispose();
}
