using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Session;

/// <summary>Nonces (RFC 7296 §2.10), and the order among them by which collisions are decided (§2.8.1).</summary>
internal static class Nonce
{
    /// <summary>Bytes of ours: half the key of the longest PRF, rounded up to a power of two.</summary>
    public const int Size = 32;

    /// <summary>A fresh one.</summary>
    public static byte[] Create(IkeRandomness randomness)
    {
        byte[] nonce = new byte[Size];
        randomness(nonce);
        return nonce;
    }

    /// <summary>Whether a peer's nonce has at least half as many bytes as the PRF's key (RFC 7296 §2.10).</summary>
    public static bool IsLongEnough(ReadOnlySpan<byte> nonce, PrfAlgorithm prf) => nonce.Length >= prf.Length() / 2;

    /// <summary>The lower of an exchange's two nonces: byte by byte, and of two that begin alike the shorter (RFC 7296 §2.8.1).</summary>
    public static byte[] Lower(byte[] first, byte[] second) => first.AsSpan().SequenceCompareTo(second) <= 0 ? first : second;

    /// <summary>
    /// Whether the SA of our exchange is the redundant one: that with the lowest of all four nonces is closed by whoever began its exchange
    /// (RFC 7296 §2.8.1).
    /// </summary>
    /// <param name="oursLowest">The lower nonce of the exchange that we began.</param>
    /// <param name="peersLowest">The lower nonce of the exchange that the peer began.</param>
    public static bool OursIsRedundant(ReadOnlySpan<byte> oursLowest, ReadOnlySpan<byte> peersLowest) => oursLowest.SequenceCompareTo(peersLowest) < 0;
}
