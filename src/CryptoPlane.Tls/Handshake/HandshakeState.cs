namespace CryptoPlane.Tls.Handshake;

/// <summary>
/// One state of a handshake (RFC 8446 §A). It says what may come next: a handshake message, or the end of public-key work; and it
/// makes the next state, to which the secrets it owns move.
/// </summary>
internal abstract class HandshakeState : IDisposable
{
    /// <summary>Whether the handshake is over, so that application data may flow.</summary>
    public virtual bool IsConnected => false;

    /// <summary>Whether application data may come already (RFC 8446 §2.3).</summary>
    public virtual bool TakesEarlyData => false;

    /// <summary>
    /// Whether this side's Finished is sent and the peer's is all that is missing, so that a server may answer early data under the
    /// application's keys (RFC 8446 §2.3, §4.4.4).
    /// </summary>
    public virtual bool AwaitsFinished => false;

    /// <summary>Takes the next message. The default refuses every message.</summary>
    /// <returns>Null, or why the connection must fail.</returns>
    public virtual TlsError? OnMessage(HandshakeContext context, HandshakeMessage message) =>
        TlsError.Unexpected($"The peer sent a {message.Type} out of turn.");

    /// <summary>Goes on after the public-key work that this state asked for. It is called once, and only for successful work.</summary>
    public virtual TlsError? OnWorkDone(HandshakeContext context, TlsPendingWork work) =>
        throw new InvalidOperationException($"{GetType().Name} waits for no work.");

    /// <summary>Erases the secrets that the state owns, when the handshake ends in it.</summary>
    public virtual void Dispose()
    {
    }
}
