using CryptoPlane.PublicKey;

namespace CryptoPlane.Tls;

/// <summary>Key exchange groups (RFC 8446 §4.2.7), by their code points.</summary>
public enum TlsNamedGroup : ushort
{
    /// <summary>No group.</summary>
    None = 0,

    /// <summary>ECDH on P-256.</summary>
    Secp256r1 = 0x0017,

    /// <summary>ECDH on P-384.</summary>
    Secp384r1 = 0x0018,

    /// <summary>X25519.</summary>
    X25519 = 0x001D,

    /// <summary>
    /// ML-KEM-768 and X25519 together (draft-ietf-tls-ecdhe-mlkem), against those who record today and have a quantum computer tomorrow.
    /// Its shares have 1,216 and 1,120 bytes. Not there where libcrypto has no SHA-3.
    /// </summary>
    X25519MLKem768 = 0x11EC,
}

/// <summary>From code points to the groups of the PublicKey room.</summary>
internal static class TlsNamedGroups
{
    /// <summary>The groups that are built, in the order of preference.</summary>
    public static IReadOnlyList<TlsNamedGroup> Default { get; } =
    [
        .. new[] { TlsNamedGroup.X25519MLKem768, TlsNamedGroup.X25519, TlsNamedGroup.Secp256r1, TlsNamedGroup.Secp384r1 }
            .Where(group => group.KeyExchange() is not null),
    ];

    /// <summary>The group's key exchange; null for a code point that is not built.</summary>
    public static KeyExchangeGroup? KeyExchange(this TlsNamedGroup group) => group switch
    {
        TlsNamedGroup.X25519MLKem768 => KeyExchangeGroup.X25519MlKem768,
        TlsNamedGroup.X25519 => KeyExchangeGroup.X25519,
        TlsNamedGroup.Secp256r1 => KeyExchangeGroup.P256,
        TlsNamedGroup.Secp384r1 => KeyExchangeGroup.P384,
        _ => null,
    };
}
