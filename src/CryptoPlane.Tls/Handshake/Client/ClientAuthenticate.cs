using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>
/// The client answers a CertificateRequest behind the handshake (RFC 8446 §4.6.2), and waits for its signature. The connection is up all
/// the while.
/// </summary>
/// <param name="transcript">The main handshake, the request, and the answer so far (§4.4); belongs to this state.</param>
/// <param name="answer">The answer so far.</param>
internal sealed class ClientAuthenticate(TranscriptHash transcript, WireWriter answer) : HandshakeState
{
    public override bool IsConnected => true;

    /// <summary>Answers a request: at once if there is nothing to sign.</summary>
    public static TlsError? OnRequest(HandshakeContext context, TlsClientOptions options, HandshakeMessage message)
    {
        if (CertificateRequestMessage.Parse(message.Body, out CertificateRequestMessage request) is { } error)
            return error;
        ClientAnswer answer = ClientAnswer.To(request, options);
        var writer = new WireWriter();
        TranscriptHash transcript = context.MainTranscript!.Begin();
        transcript.Append(message.Whole);
        answer.WriteCertificate(writer);
        transcript.Append(writer.Written);
        if (answer.Credential is not { } credential)
        {
            Finish(context, transcript, writer);
            return null;
        }
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        byte[] content = CertificateVerifyMessage.ClientSignedContent(transcript.Snapshot(digest));
        context.Await(new TranscriptSignature(credential, answer.Scheme, content), new ClientAuthenticate(transcript, writer));
        return null;
    }

    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        var signature = (TranscriptSignature)work;
        int before = answer.Length;
        CertificateVerifyMessage.Write(answer, signature.Scheme, signature.Signature);
        transcript.Append(answer.Written[before..]);
        Finish(context, transcript, answer);
        context.Enter(Connected.Instance);
        return null;
    }

    /// <summary>RFC 8446 §4.6.2: the messages of an answer go out "consecutively on the wire with no intervening messages of other types".</summary>
    private static void Finish(HandshakeContext context, TranscriptHash transcript, WireWriter answer)
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength], verifyData = stackalloc byte[transcript.Hash!.Value.Length()];
        context.ComputePostHandshakeFinished(transcript.Snapshot(digest), verifyData);
        FinishedMessage.Write(answer, verifyData);
        context.SendPostHandshake(answer.Written);
        transcript.Dispose();
    }

    public override void Dispose() => transcript.Dispose();
}
