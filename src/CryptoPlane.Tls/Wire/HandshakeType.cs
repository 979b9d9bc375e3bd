namespace CryptoPlane.Tls.Wire;

/// <summary>Handshake messages (RFC 8446 §4), by their code points.</summary>
internal enum HandshakeType : byte
{
    ClientHello = 1,
    ServerHello = 2,
    NewSessionTicket = 4,
    EndOfEarlyData = 5,
    EncryptedExtensions = 8,
    Certificate = 11,
    CertificateRequest = 13,
    CertificateVerify = 15,
    Finished = 20,
    KeyUpdate = 24,

    /// <summary>RFC 8879 §4: in place of a Certificate.</summary>
    CompressedCertificate = 25,

    /// <summary>RFC 8446 §4.4.1: never on the wire; stands for the first ClientHello in the transcript after a HelloRetryRequest.</summary>
    MessageHash = 254,
}
