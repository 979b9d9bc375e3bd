namespace VpnBroker.DataPlane.Contracts;

/// <summary>A tunnel has ended and its socket is closed.</summary>
/// <param name="TunnelId">The tunnel.</param>
/// <param name="SessionId">Its session.</param>
/// <param name="Reason">Why.</param>
/// <param name="BytesFromUser">Bytes of inner packets that the user sent.</param>
/// <param name="BytesToUser">Bytes of inner packets that were sent to the user.</param>
public readonly record struct TunnelEnded(ulong TunnelId, ulong SessionId, TunnelEndReason Reason, ulong BytesFromUser, ulong BytesToUser);

/// <summary>Why a tunnel ended.</summary>
public enum TunnelEndReason : byte
{
    /// <summary>The client sent a CSTP DISCONNECT: the session ends too.</summary>
    ClientDisconnected,

    /// <summary>The connection was closed or reset; the client may reconnect with its cookie.</summary>
    ConnectionLost,

    /// <summary>The client broke TLS or CSTP: a record that does not open, a malformed frame.</summary>
    ProtocolError,

    /// <summary>The client did not answer DPD requests.</summary>
    DeadPeer,

    /// <summary>No inner packet for the profile's idle time.</summary>
    IdleTimeout,

    /// <summary>The session reached its absolute end.</summary>
    SessionTimeout,

    /// <summary>A new connection took the session's address.</summary>
    Replaced,

    /// <summary>An operator ended it.</summary>
    Administrator,

    /// <summary>The broker stops.</summary>
    Shutdown,
}
