namespace CryptoPlane.Ike;

/// <summary>Why an IKE SA is gone.</summary>
public enum IkeCloseReason
{
    /// <summary><see cref="IIkeEndpoint.Terminate"/>, or its connection is configured no more.</summary>
    Terminated,

    /// <summary>The peer deleted it.</summary>
    DeletedByPeer,

    /// <summary>The peer did not answer any more.</summary>
    PeerDead,

    /// <summary>It was rekeyed: another has taken its place and its child SAs.</summary>
    Rekeyed,

    /// <summary>It reached the end of its lifetime.</summary>
    Expired,

    /// <summary>The same peer has authenticated anew, and says that it knows no other IKE SA (RFC 7296 §2.4, INITIAL_CONTACT).</summary>
    PeerRestarted,

    /// <summary>The peer sent what no implementation of the protocol may send.</summary>
    ProtocolError,
}
