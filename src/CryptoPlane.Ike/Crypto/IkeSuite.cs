namespace CryptoPlane.Ike.Crypto;

/// <summary>The algorithms of an IKE SA. There is no integrity algorithm: the cipher is an AEAD (RFC 5282 §8).</summary>
/// <param name="Cipher">Protects the messages.</param>
/// <param name="Prf">Derives the keys and authenticates.</param>
/// <param name="KeyExchange">Agrees on the secret.</param>
/// <param name="Additional">
/// Key exchanges that follow, each in an exchange of its own before IKE_AUTH, or after CREATE_CHILD_SA (RFC 9370). A suite with them and the same
/// one without, in this order, mean: if the peer can.
/// </param>
public sealed record IkeSuite(IkeCipher Cipher, PrfAlgorithm Prf, KeyExchangeMethod KeyExchange, AdditionalKeyExchanges Additional = default)
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
    public override string ToString() => $"{Cipher}/{Prf}/{KeyExchange}{Additional}";
}
