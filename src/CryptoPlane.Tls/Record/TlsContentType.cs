namespace CryptoPlane.Tls.Record;

/// <summary>What a record carries (RFC 8446 §5.1).</summary>
public enum TlsContentType : byte
{
    /// <summary>Nothing: the value of a result that carries no data.</summary>
    None = 0,

    /// <summary>change_cipher_spec: has no meaning in TLS 1.3, and is seen only during a handshake in middlebox compatibility mode.</summary>
    ChangeCipherSpec = 20,

    /// <summary>An alert.</summary>
    Alert = 21,

    /// <summary>Handshake messages, whole or in parts.</summary>
    Handshake = 22,

    /// <summary>Application data; and the outer type of every protected record.</summary>
    ApplicationData = 23,
}
