namespace CryptoPlane.Aead;

/// <summary>An AEAD of RFC 5116 with a 12-byte nonce and a 16-byte tag.</summary>
public enum AeadAlgorithm : byte
{
    /// <summary>No algorithm: the value of a zeroed descriptor, never valid in an operation.</summary>
    None = 0,

    /// <summary>AEAD_AES_128_GCM (RFC 5116 §5.1).</summary>
    Aes128Gcm = 1,

    /// <summary>AEAD_AES_256_GCM (RFC 5116 §5.2).</summary>
    Aes256Gcm = 2,

    /// <summary>AEAD_CHACHA20_POLY1305 (RFC 8439 §2.8).</summary>
    ChaCha20Poly1305 = 3,
}

/// <summary>Sizes, in bytes, that all algorithms of the engine share or that follow from the algorithm.</summary>
public static class AeadSizes
{
    /// <summary>Size of a nonce.</summary>
    public const int Nonce = 12;

    /// <summary>Size of an authentication tag (ESP's ICV).</summary>
    public const int Tag = 16;

    /// <summary>Largest AAD that an <see cref="AeadOperation"/> carries inline; more goes by pointer.</summary>
    public const int InlineAad = 16;

    /// <summary>Size of the key of <paramref name="algorithm"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The algorithm is not one of the engine's.</exception>
    public static int Key(AeadAlgorithm algorithm) => algorithm switch
    {
        AeadAlgorithm.Aes128Gcm => 16,
        AeadAlgorithm.Aes256Gcm => 32,
        AeadAlgorithm.ChaCha20Poly1305 => 32,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Choose one of AeadAlgorithm's members."),
    };
}
