namespace CryptoPlane.Ike.Wire;

/// <summary>
/// Why a message or a payload was not understood. <see cref="IkeParseErrors.ToNotify"/> tells what the peer may be told; that is sent only
/// when the message was authenticated, or is a first request (RFC 7296 §2.21).
/// </summary>
internal enum IkeParseError
{
    None,

    /// <summary>Fewer bytes than a header or a fixed part needs.</summary>
    Truncated,

    /// <summary>The header's length is not the length of the datagram.</summary>
    BadMessageLength,

    /// <summary>A higher major version than 2 (RFC 7296 §2.5).</summary>
    UnsupportedMajorVersion,

    /// <summary>A lower major version than 2: IKEv1, which this library does not speak.</summary>
    ObsoleteMajorVersion,

    /// <summary>A payload's length is below its header's, or beyond the message.</summary>
    BadPayloadLength,

    /// <summary>The chain of payloads ended before the bytes did.</summary>
    TrailingBytes,

    /// <summary>More payloads than <see cref="PayloadWalk.MaximumPayloads"/>.</summary>
    TooManyPayloads,

    /// <summary>An unknown payload with the critical bit (RFC 7296 §2.5).</summary>
    UnsupportedCriticalPayload,

    /// <summary>A payload that a message may hold only once is there twice.</summary>
    DuplicatePayload,

    /// <summary>An Encrypted payload within another one, or where none may be.</summary>
    UnexpectedEncryptedPayload,

    BadProposal,
    BadTransform,
    TooManyTransforms,
    BadKeyExchange,
    BadNonce,
    BadNotify,
    BadIdentification,
    BadCertificate,
    BadAuthentication,
    BadTrafficSelector,
    BadDelete,
    BadConfiguration,
    BadEap,

    /// <summary>The Encrypted payload has no room for IV, pad length and ICV.</summary>
    BadEncryptedPayload,

    /// <summary>Fragment number zero, or above the total (RFC 7383 §2.6).</summary>
    BadFragment,
}
