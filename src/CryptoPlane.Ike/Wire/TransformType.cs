namespace CryptoPlane.Ike.Wire;

/// <summary>
/// What a transform of a proposal is for (RFC 7296 §3.3.2). Other numbers make a proposal unacceptable, not malformed (§3.3.6).
/// </summary>
internal enum TransformType : byte
{
    Encryption = 1,
    PseudorandomFunction = 2,
    Integrity = 3,
    KeyExchange = 4,
    ExtendedSequenceNumbers = 5,

    /// <summary>The first of seven further key exchanges (RFC 9370 §3.1.1), whose methods are those of <see cref="KeyExchange"/>.</summary>
    AdditionalKeyExchange1 = 6,

    /// <summary>The last of them.</summary>
    AdditionalKeyExchange7 = 12,
}
