namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for its key pairs; then it sends its ClientHello, the first or the second: START of RFC 8446 §A.1.</summary>
internal sealed class ClientSendHello(ClientOffer offer) : HandshakeState
{
    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        Send(context, offer, ((InitiatorKeyGeneration)work).TakeShares());
        return null;
    }

    /// <summary>Sends a ClientHello; the key pairs move to the next state.</summary>
    public static void Send(HandshakeContext context, ClientOffer offer, ClientKeyShares shares)
    {
        // RFC 8446 §D.4: a client that was asked to retry sends its change_cipher_spec before the second ClientHello.
        if (context.WasRetried)
            context.SendChangeCipherSpec();
        context.SetClientRandom(offer.Random);
        offer.Write(context.Messages, shares, context.Transcript);
        if (offer.EarlyDataSession is { } session)
            context.OfferEarlyData(session);
        else
            context.SendMessages(isFirstHello: !context.WasRetried);
        context.Enter(new ClientExpectServerHello(offer, shares));
    }
}
