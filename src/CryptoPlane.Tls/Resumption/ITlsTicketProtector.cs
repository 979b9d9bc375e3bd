using System.Buffers;

namespace CryptoPlane.Tls;

/// <summary>
/// Seals what a server wants to know again of a connection into a ticket that the client keeps (RFC 8446 §4.6.1, RFC 5077 §4), so that the
/// server keeps nothing. Several servers that share keys resume each other's connections. <see cref="TlsTicketKeyRing"/> is one.
/// </summary>
/// <remarks>Called on the threads that run handshakes, several at a time.</remarks>
public interface ITlsTicketProtector
{
    /// <summary>Seals.</summary>
    /// <param name="plaintext">The state, which holds a secret: at most a few hundred bytes.</param>
    /// <param name="ticket">Takes the ticket: at most 65,535 bytes, and short is good, as it comes back in a ClientHello.</param>
    void Protect(ReadOnlySpan<byte> plaintext, IBufferWriter<byte> ticket);

    /// <summary>Opens.</summary>
    /// <param name="ticket">What a stranger offers.</param>
    /// <param name="plaintext">Takes the state.</param>
    /// <param name="bytesWritten">How long it is.</param>
    /// <returns>False if the ticket is not one of this protector's, is damaged, or is sealed with a key that was given up.</returns>
    bool TryUnprotect(ReadOnlySpan<byte> ticket, Span<byte> plaintext, out int bytesWritten);
}
