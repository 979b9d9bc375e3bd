namespace CryptoPlane.Tls.Record;

/// <summary>What a direction's record state is for, which says what may come on it.</summary>
public enum TlsTrafficUse : byte
{
    /// <summary>Sealing.</summary>
    Write = 0,

    /// <summary>Opening under handshake keys: handshake messages and alerts, given out as they are.</summary>
    ReadHandshake = 1,

    /// <summary>Opening what a client sends once the handshake is over: application data, alerts, KeyUpdate.</summary>
    ReadAsServer = 2,

    /// <summary>Opening what a server sends once the handshake is over: application data, alerts, KeyUpdate, NewSessionTicket.</summary>
    ReadAsClient = 3,

    /// <summary>Opening a client's early data (RFC 8446 §2.3): application data, alerts, and the EndOfEarlyData, given out as it is.</summary>
    ReadEarlyData = 4,
}
