using CryptoPlane.PublicKey;

namespace CryptoPlane.Ike.Crypto;

/// <summary>A key exchange method by its transform ID (RFC 7296 §3.3.2, transform type 4, there called a Diffie-Hellman group).</summary>
public enum KeyExchangeMethod : ushort
{
    /// <summary>No key exchange: a child SA without forward secrecy.</summary>
    None = 0,

    /// <summary>ECDH on P-256, the 256-bit random ECP group (RFC 5903).</summary>
    P256 = 19,

    /// <summary>ECDH on P-384, the 384-bit random ECP group (RFC 5903).</summary>
    P384 = 20,

    /// <summary>X25519, called Curve25519 (RFC 8031).</summary>
    X25519 = 31,

    /// <summary>
    /// ML-KEM-768 (draft-ietf-ipsecme-ikev2-mlkem), against those who record today and have a quantum computer tomorrow: only beside another
    /// method, as one of <see cref="AdditionalKeyExchanges"/>. Not there where libcrypto has no SHA-3.
    /// </summary>
    MlKem768 = 36,
}

/// <summary>What a <see cref="KeyExchangeMethod"/> is made of.</summary>
internal static class KeyExchangeMethods
{
    /// <summary>Whether the number names a method that CryptoPlane has, on this machine; it may come from the wire. None is not one.</summary>
    public static bool IsKnown(KeyExchangeMethod method) =>
        method is KeyExchangeMethod.P256 or KeyExchangeMethod.P384 or KeyExchangeMethod.X25519
        || (method == KeyExchangeMethod.MlKem768 && KeyExchangeGroup.MlKem768 is not null);

    /// <summary>Whether it may be the first key exchange of an SA, whose messages are not in fragments, and which old gateways need too.</summary>
    public static bool MayBeFirst(KeyExchangeMethod method) => IsKnown(method) && method != KeyExchangeMethod.MlKem768;

    /// <summary>The group in which the method works.</summary>
    /// <exception cref="ArgumentOutOfRangeException">CryptoPlane does not have the method.</exception>
    public static KeyExchangeGroup Group(this KeyExchangeMethod method) => method switch
    {
        KeyExchangeMethod.P256 => KeyExchangeGroup.P256,
        KeyExchangeMethod.P384 => KeyExchangeGroup.P384,
        KeyExchangeMethod.X25519 => KeyExchangeGroup.X25519,
        KeyExchangeMethod.MlKem768 when KeyExchangeGroup.MlKem768 is { } group => group,
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, "Choose one of KeyExchangeMethod's members other than None."),
    };

    /// <summary>
    /// Bytes before x in the group's own encoding of a public key and not in IKE's: RFC 5903 §7 sends x and y alone, without the 04 that
    /// says that a point is uncompressed.
    /// </summary>
    public static int PrefixLength(this KeyExchangeMethod method) => method is KeyExchangeMethod.X25519 or KeyExchangeMethod.MlKem768 ? 0 : 1;
}
