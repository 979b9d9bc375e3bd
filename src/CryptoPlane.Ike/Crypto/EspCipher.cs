namespace CryptoPlane.Ike.Crypto;

/// <summary>What protects the packets of a child SA.</summary>
public enum EspCipher
{
    /// <summary>No cipher: nothing is negotiated yet.</summary>
    None,

    /// <summary>ENCR_AES_GCM_16 with a 128-bit key (RFC 4106).</summary>
    Aes128Gcm16,

    /// <summary>ENCR_AES_GCM_16 with a 256-bit key (RFC 4106).</summary>
    Aes256Gcm16,

    /// <summary>ENCR_CHACHA20_POLY1305 (RFC 7634).</summary>
    ChaCha20Poly1305,

    /// <summary>ENCR_AES_CBC with a 128-bit key (RFC 3602) and AUTH_HMAC_SHA2_256_128 (RFC 4868), for older gateways.</summary>
    Aes128CbcHmacSha256,

    /// <summary>ENCR_AES_CBC with a 256-bit key (RFC 3602) and AUTH_HMAC_SHA2_256_128 (RFC 4868), for older gateways.</summary>
    Aes256CbcHmacSha256,
}

/// <summary>Sizes that follow from an <see cref="EspCipher"/>.</summary>
public static class EspCiphers
{
    /// <summary>Whether encryption and integrity are one algorithm.</summary>
    public static bool IsAead(this EspCipher cipher) => cipher is EspCipher.Aes128Gcm16 or EspCipher.Aes256Gcm16 or EspCipher.ChaCha20Poly1305;

    /// <summary>Bytes of the encryption key, without a salt.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not a cipher.</exception>
    public static int KeyLength(this EspCipher cipher) => cipher switch
    {
        EspCipher.Aes128Gcm16 or EspCipher.Aes128CbcHmacSha256 => 16,
        EspCipher.Aes256Gcm16 or EspCipher.ChaCha20Poly1305 or EspCipher.Aes256CbcHmacSha256 => 32,
        _ => throw new ArgumentOutOfRangeException(nameof(cipher), cipher, "Choose one of EspCipher's members other than None."),
    };

    /// <summary>Bytes of the salt that follows the key: 4 with an AEAD (RFC 4106 §8.1, RFC 7634 §2), else 0.</summary>
    public static int SaltLength(this EspCipher cipher) => cipher.IsAead() ? 4 : 0;

    /// <summary>Bytes of the integrity key: 32 with HMAC-SHA2-256 (RFC 4868 §2.1.1), 0 with an AEAD.</summary>
    public static int IntegrityKeyLength(this EspCipher cipher) => cipher.IsAead() ? 0 : 32;
}
