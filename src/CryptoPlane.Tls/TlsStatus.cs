namespace CryptoPlane.Tls;

/// <summary>What a call on a <see cref="TlsConnection"/> came to.</summary>
public enum TlsStatus
{
    /// <summary>Done: the handshake is complete, data was read, or everything was written.</summary>
    Complete,

    /// <summary>The source holds no further whole record: send what was written, receive more, and call again with the rest in front.</summary>
    NeedMoreData,

    /// <summary>There is more to write than fits the destination: send what was written and call again.</summary>
    DestinationTooSmall,

    /// <summary>A key generation or key agreement waits in <see cref="TlsConnection.PendingWork"/>: execute it and call again.</summary>
    NeedsKeyAgreement,

    /// <summary>A signature waits in <see cref="TlsConnection.PendingWork"/>: execute it and call again.</summary>
    NeedsSignature,

    /// <summary>The verification of the peer's certificate waits in <see cref="TlsConnection.PendingWork"/>: execute it and call again.</summary>
    NeedsCertificateVerification,

    /// <summary>
    /// The client's certificate waits for the application's word: <see cref="TlsConnection.PendingWork"/> is a
    /// <see cref="TlsCertificateDecision"/>. Decide, and call again. Only with <see cref="TlsClientAuthentication.ApplicationDecides"/>.
    /// </summary>
    NeedsCertificateDecision,

    /// <summary>
    /// On a server that accepts it: early data has come, which others may send again. Take it with <see cref="TlsServer.ReadEarlyData"/> and
    /// call again.
    /// </summary>
    EarlyData,

    /// <summary>The peer sent close_notify: it will send no more.</summary>
    Closed,

    /// <summary>The connection failed: see <see cref="TlsConnection.Error"/>. An alert for the peer was written where one is due.</summary>
    Failed,
}
