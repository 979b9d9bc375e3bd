namespace CryptoPlane.Tls;

/// <summary>Remembers which tickets were used, for servers that take each once (RFC 8446 §8.1 and §C.4: nobody can then link or replay).</summary>
/// <remarks>Called on the threads that run handshakes, several at a time.</remarks>
public interface ITlsTicketRegister
{
    /// <summary>Marks a ticket as used.</summary>
    /// <param name="ticket">SHA-256 of the ticket.</param>
    /// <param name="expires">When the ticket cannot be used any more, in milliseconds of Unix time: until then it must be remembered.</param>
    /// <returns>False if it was used before, or cannot be remembered: the handshake then goes on without it.</returns>
    bool TryUse(ReadOnlySpan<byte> ticket, long expires);
}
