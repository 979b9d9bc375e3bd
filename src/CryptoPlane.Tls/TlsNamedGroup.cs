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
}

/// <summary>From code points to the groups of the PublicKey room.</summary>
internal static class TlsNamedGroups
{
    /// <summary>The groups that are built, in the order of preference.</summary>
    public static IReadOnlyList<TlsNamedGroup> Default { get; } = [TlsNamedGroup.X25519, TlsNamedGroup.Secp256r1, TlsNamedGroup.Secp384r1];

    /// <summary>The group's key exchange; null for a code point that is not built.</summary>
    public static KeyExchangeGroup? KeyExchange(this TlsNamedGroup group) => group switch
    {
        TlsNamedGroup.X25519 => KeyExchangeGroup.X25519,
        TlsNamedGroup.Secp256r1 => KeyExchangeGroup.P256,
        TlsNamedGroup.Secp384r1 => KeyExchangeGroup.P384,
        _ => null,
    };
}
