namespace CryptoPlane.Ike.Crypto;

/// <summary>The algorithms of an IKE SA. There is no integrity algorithm: the cipher is an AEAD (RFC 5282 §8).</summary>
/// <param name="Cipher">Protects the messages.</param>
/// <param name="Prf">Derives the keys and authenticates.</param>
/// <param name="KeyExchange">Agrees on the secret.</param>
public sealed record IkeSuite(IkeCipher Cipher, PrfAlgorithm Prf, KeyExchangeMethod KeyExchange)
{
    /// <summary>What is offered and accepted by default, the preferred first.</summary>
    public static IReadOnlyList<IkeSuite> Defaults { get; } =
    [
        new(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.X25519),
        new(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.P384),
        new(IkeCipher.Aes128Gcm16, PrfAlgorithm.HmacSha256, KeyExchangeMethod.X25519),
        new(IkeCipher.Aes128Gcm16, PrfAlgorithm.HmacSha256, KeyExchangeMethod.P256),
    ];

    /// <inheritdoc/>
    public override string ToString() => $"{Cipher}/{Prf}/{KeyExchange}";
}
