using System.Security.Cryptography;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>The server waits for its key agreement; then it sends its flight: up to the Certificate, asking for the signature, or all of it with a pre-shared key.</summary>
internal sealed class ServerAgreeKeys(TlsServerOptions options, TlsCredential? certificate, TlsSignatureScheme scheme, CertificateForm form, byte[] sessionId)
    : HandshakeState
{
    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        var agreement = (ResponderAgreement)work;
        Span<byte> random = stackalloc byte[ClientHello.RandomSize];
        RandomNumberGenerator.Fill(random);
        ServerHello.Write(context.Messages, random, sessionId, (ushort)context.CipherSuite, agreement.Group, agreement.ServerShare, context.SelectedIdentity);
        context.SendMessages();
        // RFC 8446 §D.4: "If the client sent a non-empty session ID, the server MUST send the change_cipher_spec" behind its first message.
        if (sessionId.Length != 0)
            context.SendChangeCipherSpec();

        HandshakeKeys keys = HandshakeKeys.Derive(context, agreement.Secret);
        if (context.PeerSizeLimit != 0)
            context.LimitRecords(presentKeys: false);
        context.ChangeWriteKeys(keys.Server);
        // RFC 8446 §4.5: early data goes on under its own key, until the EndOfEarlyData.
        bool takesEarlyData = context.EarlyDataStatus == TlsEarlyDataStatus.Accepted;
        if (!takesEarlyData)
            context.ChangeReadKeys(keys.Client, TlsTrafficUse.ReadHandshake);

        // RFC 6066 §3: "When resuming a session, the server MUST NOT include a server_name extension in the server hello."
        EncryptedExtensionsMessage.Write(
            context.Messages, context.ApplicationProtocol.Protocol.Span, acknowledgeServerName: context.ServerName is not null && !context.IsResumed,
            context.PeerSizeLimit == 0 ? 0 : options.RecordSizeLimit, takesEarlyData);
        if (context.UsesPreSharedKey)
        {
            ServerSignTranscript.Finish(context, options, keys);
            return null;
        }
        // RFC 8446 §4.3.2: never with a PSK, and with an empty context during the handshake.
        if (options.ClientAuthentication is { IsDeferred: false } authentication)
        {
            CertificateRequestMessage.Write(
                context.Messages, requestContext: default, options.SignatureSchemes, authentication.AuthorityNames,
                options.CertificateCompression, authentication.OidFilters);
        }
        context.CertificateCompression = certificate!.WriteCertificate(context.Messages, requestContext: default, form);
        context.Await(new TranscriptSignature(certificate, scheme, context.ServerSignedContent()), new ServerSignTranscript(options, keys));
        return null;
    }
}
