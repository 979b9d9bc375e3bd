using System.Security.Cryptography;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>The server waits for its key agreement; then it sends its flight up to the Certificate and asks for the signature.</summary>
internal sealed class ServerAgreeKeys(TlsServerCertificate certificate, TlsSignatureScheme scheme, byte[] sessionId) : HandshakeState
{
    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        var agreement = (ResponderAgreement)work;
        Span<byte> random = stackalloc byte[ClientHello.RandomSize];
        RandomNumberGenerator.Fill(random);
        ServerHello.Write(context.Messages, random, sessionId, (ushort)context.CipherSuite, agreement.Group, agreement.ServerShare);
        context.SendMessages();
        // RFC 8446 §D.4: "If the client sent a non-empty session ID, the server MUST send the change_cipher_spec" behind its first message.
        if (sessionId.Length != 0)
            context.SendChangeCipherSpec();

        HandshakeKeys keys = HandshakeKeys.Derive(context, agreement.Secret);
        context.ChangeWriteKeys(keys.Server);
        context.ChangeReadKeys(keys.Client, TlsTrafficUse.ReadHandshake);

        EncryptedExtensionsMessage.Write(context.Messages, context.ApplicationProtocol.Protocol.Span, acknowledgeServerName: context.ServerName is not null);
        CertificateMessage.Write(context.Messages, requestContext: default, certificate.Chain);
        context.Await(new TranscriptSignature(certificate, scheme, context.ServerSignedContent()), new ServerSignTranscript(keys));
        return null;
    }
}
