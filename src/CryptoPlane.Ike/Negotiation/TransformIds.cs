namespace CryptoPlane.Ike.Negotiation;

/// <summary>Transform IDs that are no enumeration of their own (RFC 7296 §3.3.2 and the IANA registry of IKEv2 parameters).</summary>
internal static class TransformIds
{
    /// <summary>ENCR_AES_CBC (RFC 3602).</summary>
    public const ushort AesCbc = 12;

    /// <summary>ENCR_AES_GCM_16 (RFC 4106, RFC 5282).</summary>
    public const ushort AesGcm16 = 20;

    /// <summary>ENCR_CHACHA20_POLY1305 (RFC 7634).</summary>
    public const ushort ChaCha20Poly1305 = 28;

    /// <summary>AUTH_HMAC_SHA2_256_128 (RFC 4868).</summary>
    public const ushort HmacSha256Truncated128 = 12;

    /// <summary>NONE, of the types that have it: integrity and key exchange.</summary>
    public const ushort None = 0;

    /// <summary>32-bit sequence numbers, of the type for extended ones.</summary>
    public const ushort ShortSequenceNumbers = 0;

    /// <summary>64-bit sequence numbers.</summary>
    public const ushort ExtendedSequenceNumbers = 1;
}
