namespace CryptoPlane.Tls;

/// <summary>The alerts of TLS 1.3 (RFC 8446 §6), by their code points.</summary>
public enum TlsAlert : byte
{
    /// <summary>The sender will send no more on this connection.</summary>
    CloseNotify = 0,

    /// <summary>A message came at the wrong time, or of the wrong kind.</summary>
    UnexpectedMessage = 10,

    /// <summary>A record could not be opened.</summary>
    BadRecordMac = 20,

    /// <summary>A record was longer than the protocol allows.</summary>
    RecordOverflow = 22,

    /// <summary>The two sides have no parameters in common.</summary>
    HandshakeFailure = 40,

    /// <summary>A certificate was corrupt or its key unusable.</summary>
    BadCertificate = 42,

    /// <summary>A certificate was of a type that is not supported.</summary>
    UnsupportedCertificate = 43,

    /// <summary>A certificate was revoked by its issuer.</summary>
    CertificateRevoked = 44,

    /// <summary>A certificate is not valid now.</summary>
    CertificateExpired = 45,

    /// <summary>A certificate was refused for another reason, such as its name.</summary>
    CertificateUnknown = 46,

    /// <summary>A field was out of range or at odds with others.</summary>
    IllegalParameter = 47,

    /// <summary>No chain leads to a trusted root.</summary>
    UnknownCa = 48,

    /// <summary>The certificate was valid, but access was refused.</summary>
    AccessDenied = 49,

    /// <summary>A message could not be decoded.</summary>
    DecodeError = 50,

    /// <summary>A signature, a Finished or a PSK binder was wrong.</summary>
    DecryptError = 51,

    /// <summary>The peer's protocol version is not supported.</summary>
    ProtocolVersion = 70,

    /// <summary>The parameters are not secure enough for this side.</summary>
    InsufficientSecurity = 71,

    /// <summary>A failure that has nothing to do with the peer.</summary>
    InternalError = 80,

    /// <summary>The peer fell back to an older version without need.</summary>
    InappropriateFallback = 86,

    /// <summary>The user cancelled the handshake; close_notify follows.</summary>
    UserCanceled = 90,

    /// <summary>An extension that the handshake needs is missing.</summary>
    MissingExtension = 109,

    /// <summary>An extension came that was not asked for.</summary>
    UnsupportedExtension = 110,

    /// <summary>The server knows no such name.</summary>
    UnrecognizedName = 112,

    /// <summary>An OCSP response was invalid or missing.</summary>
    BadCertificateStatusResponse = 113,

    /// <summary>The PSK identity is not known.</summary>
    UnknownPskIdentity = 115,

    /// <summary>The server wants a client certificate, and got none.</summary>
    CertificateRequired = 116,

    /// <summary>No application protocol in common (RFC 7301).</summary>
    NoApplicationProtocol = 120,
}
