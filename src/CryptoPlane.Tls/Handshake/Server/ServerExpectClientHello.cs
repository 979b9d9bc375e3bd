using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>The server's first state: START of RFC 8446 §A.2. Entered a second time after a HelloRetryRequest.</summary>
internal sealed class ServerExpectClientHello(TlsServerOptions options) : HandshakeState
{
    /// <summary>
    /// Bytes of records with early data that are passed over, besides what tickets allow: a client sends some before it learns of the rejection.
    /// </summary>
    private const int MaxRejectedEarlyData = 65_536;

    private TlsNamedGroup _retryGroup;

    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message)
    {
        if (message.Type != HandshakeType.ClientHello)
            return base.OnMessage(context, message);
        if (ClientHello.Parse(message.Body, out ClientHello hello) is { } parseError)
            return parseError;
        if (ServerNegotiation.Negotiate(options, hello, out ServerNegotiation chosen) is { } error)
            return error;
        // The answer changes the keys, or asks for a whole new ClientHello: either way nothing may follow in this record.
        if (context.CheckKeyChangeBoundary() is { } boundaryError)
            return boundaryError;

        if (_retryGroup != TlsNamedGroup.None)
        {
            if (CheckRetry(context, chosen) is { } retryError)
                return retryError;
        }
        else
        {
            context.IsHelloDone = true;
            context.CipherSuite = chosen.CipherSuite;
            context.SetClientRandom(hello.Random);
            context.Transcript.Select(CipherSuiteParameters.Of(chosen.CipherSuite).Hash);
            // RFC 8446 §4.2.6: without the extension a client is never asked behind the handshake.
            if (options.ClientAuthentication is { IsDeferred: true } && hello.Extensions.Contains(ExtensionType.PostHandshakeAuth))
                context.Transcript.KeepMessages();
        }
        bool mustRetry = chosen.ClientShare.IsEmpty;
        ServerEarlyData? early = null;
        if (!mustRetry && ServerPreSharedKeys.TryTake(context, options, hello.Extensions, chosen.ServerName, message, out early) is { } keyError)
            return keyError;
        TlsCredential? certificate = null;
        TlsSignatureScheme scheme = TlsSignatureScheme.None;
        if (ChooseCertificate(context, hello.Extensions, chosen.ServerName, mustRetry, ref certificate, ref scheme) is { } certificateError)
            return certificateError;
        context.Transcript.Append(message.Whole);
        if (chosen.OffersEarlyData)
            AnswerEarlyData(context, early, chosen);

        if (mustRetry)
        {
            Retry(context, hello.SessionId, chosen.Group);
            return null;
        }
        context.Group = chosen.Group;
        context.SignatureScheme = scheme;
        context.ApplicationProtocol = chosen.ApplicationProtocol;
        context.ServerName = chosen.ServerName;
        context.PeerSizeLimit = chosen.RecordSizeLimit;
        context.Await(
            new ResponderAgreement(chosen.Group, chosen.KeyExchange, chosen.ClientShare),
            new ServerAgreeKeys(options, certificate, scheme, chosen.CertificateForm, hello.SessionId.ToArray()));
        return null;
    }

    /// <summary>Chooses a certificate, if one is needed: with a pre-shared key there is neither certificate nor signature (RFC 8446 §2.2).</summary>
    private TlsError? ChooseCertificate(
        HandshakeContext context, ExtensionList extensions, string? serverName, bool mustRetry, ref TlsCredential? certificate, ref TlsSignatureScheme scheme)
    {
        if (context.IsResumed)
            return ServerCertificateChoice.CheckName(options, serverName);
        // Whether a key that the first ClientHello offers is ours, the second one shows.
        return context.UsesPreSharedKey || (mustRetry && extensions.Contains(ExtensionType.PreSharedKey))
            ? null
            : ServerCertificateChoice.Choose(options, extensions, serverName, out certificate, out scheme);
    }

    private void AnswerEarlyData(HandshakeContext context, ServerEarlyData? early, ServerNegotiation chosen)
    {
        if (early?.TryAccept(options, chosen.CipherSuite, chosen.ApplicationProtocol) == true)
        {
            context.AcceptEarlyData(early.MaxSize);
            return;
        }
        // RFC 8446 §4.2.10: a server that rejects early data skips it, up to a bound.
        context.EarlyDataStatus = TlsEarlyDataStatus.Rejected;
        context.EarlyDataBudget = MaxRejectedEarlyData + (options.DangerousAcceptEarlyData?.MaxSize ?? 0);
    }

    private TlsError? CheckRetry(HandshakeContext context, ServerNegotiation chosen)
    {
        // RFC 8446 §4.1.2: the second ClientHello has the one share that was asked for, and is otherwise as the first.
        if (chosen.Group != _retryGroup || chosen.ClientShare.IsEmpty || chosen.ClientShareCount != 1)
            return TlsError.Illegal("The second ClientHello does not have the one key share that the HelloRetryRequest asked for.");
        if (chosen.CipherSuite != context.CipherSuite)
            return TlsError.Illegal("The second ClientHello offers other cipher suites than the first.");
        // RFC 8446 §4.1.2: early_data is removed after a HelloRetryRequest.
        return chosen.OffersEarlyData ? TlsError.Illegal("The second ClientHello offers early data.") : null;
    }

    private void Retry(HandshakeContext context, ReadOnlySpan<byte> sessionId, TlsNamedGroup group)
    {
        _retryGroup = group;
        context.WasRetried = true;
        // RFC 8446 §4.4.1: the first ClientHello is in the transcript by its hash.
        context.Transcript.ReplaceWithMessageHash();
        ServerHello.WriteRetry(context.Messages, sessionId, (ushort)context.CipherSuite, group);
        context.SendMessages();
        if (!sessionId.IsEmpty)
            context.SendChangeCipherSpec();
    }
}
