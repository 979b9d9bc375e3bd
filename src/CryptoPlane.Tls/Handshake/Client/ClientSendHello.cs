using CryptoPlane.PublicKey;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for its key pair; then it sends its ClientHello, the first or the second: START of RFC 8446 §A.1.</summary>
internal sealed class ClientSendHello(ClientOffer offer) : HandshakeState
{
    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        var generation = (InitiatorKeyGeneration)work;
        Send(context, offer, generation.Group, generation.TakeInitiator());
        return null;
    }

    /// <summary>Sends a ClientHello; the key pair moves to the next state.</summary>
    public static void Send(HandshakeContext context, ClientOffer offer, TlsNamedGroup group, KeyExchangeInitiator initiator)
    {
        // RFC 8446 §D.4: a client that was asked to retry sends its change_cipher_spec before the second ClientHello.
        if (context.WasRetried)
            context.SendChangeCipherSpec();
        context.SetClientRandom(offer.Random);
        offer.Write(context.Messages, group, initiator.Share.Span);
        context.SendMessages();
        context.Enter(new ClientExpectServerHello(offer, group, initiator));
    }
}
