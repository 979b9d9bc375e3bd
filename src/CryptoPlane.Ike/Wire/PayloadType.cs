namespace CryptoPlane.Ike.Wire;

/// <summary>
/// What a payload is (RFC 7296 §3.2; 53: RFC 7383 §2.5). Other numbers are unknown here and skipped unless they are critical.
/// </summary>
internal enum PayloadType : byte
{
    None = 0,
    SecurityAssociation = 33,
    KeyExchange = 34,
    IdentificationInitiator = 35,
    IdentificationResponder = 36,
    Certificate = 37,
    CertificateRequest = 38,
    Authentication = 39,
    Nonce = 40,
    Notify = 41,
    Delete = 42,
    VendorId = 43,
    TrafficSelectorsInitiator = 44,
    TrafficSelectorsResponder = 45,

    /// <summary>SK: the rest of the message, encrypted and authenticated.</summary>
    Encrypted = 46,

    Configuration = 47,
    Eap = 48,

    /// <summary>SKF: one fragment of a message, encrypted and authenticated by itself.</summary>
    EncryptedFragment = 53,
}
