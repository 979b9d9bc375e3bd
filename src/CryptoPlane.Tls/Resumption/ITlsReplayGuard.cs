namespace CryptoPlane.Tls;

/// <summary>
/// Remembers which early data was accepted, so that nobody who has recorded it sends it again (RFC 8446 §8). Servers that share ticket keys
/// must share it too. <see cref="TlsReplayGuard"/> is one for a single server.
/// </summary>
/// <remarks>Called on the threads that run handshakes, several at a time.</remarks>
public interface ITlsReplayGuard
{
    /// <summary>Marks early data as seen.</summary>
    /// <param name="id">SHA-256 of the ticket that it came with.</param>
    /// <param name="earliest">The earliest time at which any server can have accepted it, in milliseconds of Unix time.</param>
    /// <param name="latest">The latest time at which any server would: until then it must be remembered.</param>
    /// <returns>
    /// False if it was seen before, if it may have been (what was accepted at <paramref name="earliest"/> is not known any more), or if it
    /// cannot be remembered: the handshake then goes on without the early data.
    /// </returns>
    bool TryUse(ReadOnlySpan<byte> id, long earliest, long latest);
}
