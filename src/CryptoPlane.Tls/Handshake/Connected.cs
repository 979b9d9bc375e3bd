namespace CryptoPlane.Tls.Handshake;

/// <summary>The handshake is over: CONNECTED of RFC 8446 §A. What comes behind it is the record layer's: data, alerts, KeyUpdates, tickets.</summary>
internal sealed class Connected : HandshakeState
{
    /// <summary>The only one: it owns nothing.</summary>
    public static readonly Connected Instance = new();

    private Connected()
    {
    }

    public override bool IsConnected => true;
}
