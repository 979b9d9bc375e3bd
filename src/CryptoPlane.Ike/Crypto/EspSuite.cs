namespace CryptoPlane.Ike.Crypto;

/// <summary>The algorithms of a child SA.</summary>
/// <param name="Cipher">Protects the packets.</param>
/// <param name="ExtendedSequenceNumbers">Whether sequence numbers have 64 bits (RFC 4303 §2.2.1).</param>
/// <param name="KeyExchange">
/// The key exchange of CREATE_CHILD_SA, for forward secrecy; <see cref="KeyExchangeMethod.None"/> takes the keys from SK_d alone. The
/// child SA that IKE_AUTH makes has none (RFC 7296 §1.2).
/// </param>
/// <param name="Additional">Key exchanges that follow CREATE_CHILD_SA (RFC 9370 §2.2.4); only with a <paramref name="KeyExchange"/>.</param>
public sealed record EspSuite(
    EspCipher Cipher, bool ExtendedSequenceNumbers = true, KeyExchangeMethod KeyExchange = KeyExchangeMethod.None, AdditionalKeyExchanges Additional = default)
{
    /// <summary>What is offered and accepted by default, the preferred first: each with 64-bit sequence numbers, then with 32.</summary>
    public static IReadOnlyList<EspSuite> Defaults { get; } =
    [
        new(EspCipher.Aes256Gcm16),
        new(EspCipher.Aes256Gcm16, ExtendedSequenceNumbers: false),
        new(EspCipher.Aes128Gcm16),
        new(EspCipher.Aes128Gcm16, ExtendedSequenceNumbers: false),
        new(EspCipher.ChaCha20Poly1305),
        new(EspCipher.ChaCha20Poly1305, ExtendedSequenceNumbers: false),
    ];

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Cipher}{(ExtendedSequenceNumbers ? "/ESN" : "")}{(KeyExchange == KeyExchangeMethod.None ? "" : $"/{KeyExchange}{Additional}")}";
}
