namespace CryptoPlane.Tls;

/// <summary>The keys that a server shares with clients (RFC 8446 §4.2.11), by their identities.</summary>
/// <remarks>Called on the threads that run handshakes, several at a time: a look into memory, not into a database.</remarks>
public interface ITlsPreSharedKeys
{
    /// <summary>Finds a key.</summary>
    /// <param name="identity">What a stranger offers, 1 to 65,535 bytes: whether it has the key is checked afterwards.</param>
    /// <returns>The key, which stays the caller's and must not be disposed of before this handshake took it; null for an unknown identity.</returns>
    TlsPreSharedKey? Find(ReadOnlySpan<byte> identity);
}
