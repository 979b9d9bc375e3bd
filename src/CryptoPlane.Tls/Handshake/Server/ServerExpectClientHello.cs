using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Server;

/// <summary>The server's first state: START of RFC 8446 §A.2. Entered a second time after a HelloRetryRequest.</summary>
internal sealed class ServerExpectClientHello(TlsServerOptions options) : HandshakeState
{
    /// <summary>Most early data that a client is believed to send before it learns of its rejection.</summary>
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
        }
        // RFC 8446 §4.2.10: a server that rejects early data skips it, up to a bound.
        context.EarlyDataBudget = chosen.OffersEarlyData ? MaxRejectedEarlyData : 0;
        context.Transcript.Append(message.Whole);

        if (chosen.ClientShare.IsEmpty)
        {
            Retry(context, hello.SessionId, chosen.Group);
            return null;
        }
        context.Group = chosen.Group;
        context.SignatureScheme = chosen.Scheme;
        context.ApplicationProtocol = chosen.ApplicationProtocol;
        context.ServerName = chosen.ServerName;
        context.Await(
            new ResponderAgreement(chosen.Group, chosen.KeyExchange, chosen.ClientShare),
            new ServerAgreeKeys(chosen.Certificate, chosen.Scheme, hello.SessionId.ToArray()));
        return null;
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
