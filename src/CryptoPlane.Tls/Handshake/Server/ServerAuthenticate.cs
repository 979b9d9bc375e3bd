using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>
/// The server has asked for a certificate behind the handshake (RFC 8446 §4.6.2), and waits for the three messages of the answer. The
/// connection is up all the while.
/// </summary>
/// <param name="options">Whom the server trusts.</param>
/// <param name="transcript">The main handshake and the request (§4.4), then the answer so far; belongs to this state.</param>
/// <param name="requestContext">What the answer must echo.</param>
internal sealed class ServerAuthenticate(TlsServerOptions options, TranscriptHash transcript, byte[] requestContext) : HandshakeState
{
    private HandshakeType _expected = HandshakeType.Certificate;
    private byte[][] _chain = [];
    private X509Certificate2? _certificate;

    public override bool IsConnected => true;

    /// <summary>Sends a request, and waits for its answer.</summary>
    public static void Ask(HandshakeContext context, TlsServerOptions options)
    {
        // RFC 8446 §4.3.2: unique in the connection, and not to be foreseen: an answer must be to this request.
        byte[] requestContext = RandomNumberGenerator.GetBytes(16);
        var writer = new WireWriter();
        TlsClientAuthentication authentication = options.ClientAuthentication!;
        CertificateRequestMessage.Write(
            writer, requestContext, options.SignatureSchemes, authentication.AuthorityNames, oidFilters: authentication.OidFilters);
        TranscriptHash transcript = context.MainTranscript!.Begin();
        transcript.Append(writer.Written);
        context.SendPostHandshake(writer.Written);
        context.TakeCertificates(true);
        context.Enter(new ServerAuthenticate(options, transcript, requestContext));
    }

    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message)
    {
        if (message.Type != _expected)
            return base.OnMessage(context, message);
        TlsError? error = message.Type switch
        {
            HandshakeType.Certificate => OnCertificate(message),
            HandshakeType.CertificateVerify => OnCertificateVerify(context, message),
            _ => OnFinished(context, message),
        };
        if (error == null && message.Type != HandshakeType.Finished)
            transcript.Append(message.Whole);
        return error;
    }

    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        if (work is not PeerCertificateVerification verification)
        {
            _certificate = ((TlsCertificateDecision)work).TakeCertificate();
            return null;
        }
        X509Certificate2 certificate = verification.TakeCertificate()!;
        if (options.ClientAuthentication!.ApplicationDecides)
            context.Await(new TlsCertificateDecision(certificate, verification.TakeOthers(), isResumed: false), this);
        else
            _certificate = certificate;
        return null;
    }

    public override void Dispose()
    {
        transcript.Dispose();
        _certificate?.Dispose();
        _certificate = null;
    }

    private TlsError? OnCertificate(HandshakeMessage message)
    {
        if (CertificateMessage.Parse(message.Body, out CertificateMessage certificates) is { } error)
            return error;
        if (!certificates.RequestContext.SequenceEqual(requestContext))
            return TlsError.Illegal("The client's Certificate is not the answer to the server's request.");
        _chain = certificates.ToArray();
        // RFC 8446 §4.6.2: a client that declines sends an empty Certificate, and a Finished behind it.
        _expected = _chain.Length == 0 ? HandshakeType.Finished : HandshakeType.CertificateVerify;
        return null;
    }

    private TlsError? OnCertificateVerify(HandshakeContext context, HandshakeMessage message)
    {
        if (CertificateVerifyMessage.Parse(message.Body, out CertificateVerifyMessage verify) is { } error)
            return error;
        if (!options.SignatureSchemes.Contains(verify.Scheme))
            return TlsError.Illegal("The client signed with a scheme that the server did not ask for.");
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        byte[] content = CertificateVerifyMessage.ClientSignedContent(transcript.Snapshot(digest));
        _expected = HandshakeType.Finished;
        context.Await(new ClientCertificateVerification(options.ClientAuthentication!, _chain, verify.Scheme, content, verify.Signature.ToArray()), this);
        return null;
    }

    private TlsError? OnFinished(HandshakeContext context, HandshakeMessage message)
    {
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength], expected = stackalloc byte[transcript.Hash!.Value.Length()];
        if (FinishedMessage.Check(message.Body, expected.Length) is { } error)
            return error;
        context.ComputePeersPostHandshakeFinished(transcript.Snapshot(digest), expected);
        if (!CryptographicOperations.FixedTimeEquals(expected, message.Body))
            return TlsError.Misbehaved(TlsAlert.DecryptError, "The Finished of the client's answer is wrong.");
        if (_chain.Length == 0 && options.ClientAuthentication!.IsRequired)
            return TlsError.Rejected(TlsAlert.CertificateRequired, "The client has no certificate, and must show one.");
        context.RemoteCertificate.Set(_certificate);
        _certificate = null;
        context.TakeCertificates(false);
        transcript.Dispose();
        context.Enter(Connected.Instance);
        return null;
    }
}
