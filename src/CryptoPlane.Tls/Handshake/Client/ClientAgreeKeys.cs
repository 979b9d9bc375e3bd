using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for its key agreement; then the rest of the handshake is protected.</summary>
internal sealed class ClientAgreeKeys(ClientOffer offer, ClientKeyShares shares) : HandshakeState
{
    public override TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work)
    {
        HandshakeKeys keys = HandshakeKeys.Derive(context, ((InitiatorAgreement)work).Secret);
        Dispose();
        context.ChangeReadKeys(keys.Server, TlsTrafficUse.ReadHandshake);
        // RFC 8446 §4.2.10: whether early data is taken the EncryptedExtensions say; until then it may go on, under its own key.
        if (!context.IsEarlyDataOpen)
            context.ChangeWriteKeys(keys.Client);
        context.Enter(new ClientExpectEncryptedExtensions(offer, keys));
        return null;
    }

    public override void Dispose() => shares.Dispose();
}
