using System.Security.Cryptography;
using CryptoPlane.PublicKey.MlKem;

namespace CryptoPlane.PublicKey;

/// <summary>
/// A group in which two sides agree on a secret. The shape is that of a key encapsulation, of which Diffie-Hellman is a special case:
/// the initiator publishes a share, the responder answers with a share and has the secret, the initiator finishes with that answer.
/// </summary>
/// <remarks>
/// Immutable and safe for every thread. The work costs tens of microseconds to a millisecond: run it on control threads, never on an lcore.
/// </remarks>
public abstract class KeyExchangeGroup
{
    /// <summary>X25519 (RFC 7748): shares and secret of 32 bytes.</summary>
    public static KeyExchangeGroup X25519 { get; } = new DiffieHellmanGroup("X25519", "X25519\0"u8, ""u8, shareSize: 32, secretSize: 32);

    /// <summary>ECDH on P-256 (secp256r1): uncompressed points of 65 bytes, secret of 32 bytes.</summary>
    public static KeyExchangeGroup P256 { get; } = new DiffieHellmanGroup("P-256", "EC\0"u8, "P-256\0"u8, shareSize: 65, secretSize: 32);

    /// <summary>ECDH on P-384 (secp384r1): uncompressed points of 97 bytes, secret of 48 bytes.</summary>
    public static KeyExchangeGroup P384 { get; } = new DiffieHellmanGroup("P-384", "EC\0"u8, "P-384\0"u8, shareSize: 97, secretSize: 48);

    /// <summary>
    /// ML-KEM-768 (FIPS 203), which quantum computers are believed not to break: an encapsulation key of 1,184 bytes, a ciphertext of
    /// 1,088, a secret of 32. The framework's where it has it (OpenSSL 3.5), else our own. Null where libcrypto has no SHA-3.
    /// </summary>
    public static KeyExchangeGroup? MlKem768 { get; } =
        MLKem.IsSupported ? new FrameworkMlKemGroup() : MlKem768Algorithm.IsSupported ? new MlKemGroup() : null;

    /// <summary>
    /// X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem §4): ML-KEM-768 followed by X25519; shares of 1,216 and 1,120 bytes, a secret of 64.
    /// Safe as long as one of the two is. Null where <see cref="MlKem768"/> is.
    /// </summary>
    public static KeyExchangeGroup? X25519MlKem768 { get; } = MlKem768 == null ? null : new HybridGroup("X25519MLKEM768", MlKem768, X25519);

    private protected KeyExchangeGroup(string name, int initiatorShareSize, int responderShareSize, int secretSize)
    {
        Name = name;
        InitiatorShareSize = initiatorShareSize;
        ResponderShareSize = responderShareSize;
        SecretSize = secretSize;
    }

    /// <summary>The group's name for people.</summary>
    public string Name { get; }

    /// <summary>Bytes of the share that the initiator (the TLS client) sends.</summary>
    public int InitiatorShareSize { get; }

    /// <summary>Bytes of the share that the responder (the TLS server) sends.</summary>
    public int ResponderShareSize { get; }

    /// <summary>Bytes of the agreed secret.</summary>
    public int SecretSize { get; }

    /// <summary>Generates the initiator's key pair.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">libcrypto failed (out of memory or of randomness).</exception>
    public abstract KeyExchangeInitiator CreateInitiator();

    /// <summary>Generates the responder's key pair and agrees with the initiator's share.</summary>
    /// <param name="initiatorShare">What the peer sent: untrusted, of any length.</param>
    /// <param name="responderShare">Receives <see cref="ResponderShareSize"/> bytes for the peer.</param>
    /// <param name="secret">Receives <see cref="SecretSize"/> bytes; the caller zeroes them after use.</param>
    /// <returns>False if the peer's share is not a valid one of this group; the outputs are then zero.</returns>
    /// <exception cref="ArgumentException">An output has the wrong size.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">libcrypto failed (out of memory or of randomness).</exception>
    public abstract bool TryRespond(ReadOnlySpan<byte> initiatorShare, Span<byte> responderShare, Span<byte> secret);

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Holds the sizes of the outputs to the group's.</summary>
    private protected void CheckOutputs(Span<byte> responderShare, Span<byte> secret)
    {
        if (responderShare.Length != ResponderShareSize)
            throw new ArgumentException($"A responder's share of {Name} has {ResponderShareSize} bytes, not {responderShare.Length}.", nameof(responderShare));
        CheckSecret(secret);
    }

    /// <summary>Holds the size of a secret's buffer to the group's.</summary>
    internal void CheckSecret(Span<byte> secret)
    {
        if (secret.Length != SecretSize)
            throw new ArgumentException($"A secret of {Name} has {SecretSize} bytes, not {secret.Length}.", nameof(secret));
    }
}
