namespace CryptoPlane.Tls;

/// <summary>What became of early data (0-RTT, RFC 8446 §2.3) on a connection.</summary>
public enum TlsEarlyDataStatus
{
    /// <summary>The client offered none.</summary>
    None,

    /// <summary>On a client: it offered some, and the server has not answered yet.</summary>
    Offered,

    /// <summary>The server takes it.</summary>
    Accepted,

    /// <summary>The server passes over it: a client sends it again once the handshake is complete, if it is still wanted.</summary>
    Rejected,
}
