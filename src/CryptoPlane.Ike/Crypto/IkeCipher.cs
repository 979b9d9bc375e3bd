using CryptoPlane.Aead;

namespace CryptoPlane.Ike.Crypto;

/// <summary>What protects the messages of an IKE SA: an AEAD with a 4-byte salt, an 8-byte IV and a 16-byte ICV (RFC 5282).</summary>
public enum IkeCipher
{
    /// <summary>No cipher: nothing is negotiated yet.</summary>
    None,

    /// <summary>ENCR_AES_GCM_16 with a 128-bit key.</summary>
    Aes128Gcm16,

    /// <summary>ENCR_AES_GCM_16 with a 256-bit key.</summary>
    Aes256Gcm16,
}

/// <summary>What an <see cref="IkeCipher"/> is made of.</summary>
internal static class IkeCiphers
{
    /// <summary>RFC 5282 §7.1 with RFC 4106 §8.1: the salt follows the key in the keying material.</summary>
    public const int SaltLength = 4;

    /// <summary>The AEAD.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not a cipher.</exception>
    public static AeadAlgorithm Aead(this IkeCipher cipher) => cipher switch
    {
        IkeCipher.Aes128Gcm16 => AeadAlgorithm.Aes128Gcm,
        IkeCipher.Aes256Gcm16 => AeadAlgorithm.Aes256Gcm,
        _ => throw new ArgumentOutOfRangeException(nameof(cipher), cipher, "Choose one of IkeCipher's members other than None."),
    };

    /// <summary>Bytes of SK_ei and of SK_er each: key and salt.</summary>
    public static int KeyMaterialLength(this IkeCipher cipher) => AeadSizes.Key(cipher.Aead()) + SaltLength;
}
