using System.Buffers;

namespace CryptoPlane.Tls;

/// <summary>
/// Ticket keys in rotation: new tickets are sealed with the first, tickets of the others are still opened. An immutable list that is
/// replaced as a whole, so that handshakes on any thread see one list or the next.
/// </summary>
/// <remarks>
/// A stolen key opens the tickets under it for as long as clients keep them, so rotate in hours: <see cref="Rotate()"/> on each server by
/// itself, or <see cref="Replace"/> with keys that all servers of a site get from one place.
/// </remarks>
public sealed class TlsTicketKeyRing : ITlsTicketProtector
{
    /// <summary>Keys that <see cref="Rotate()"/> keeps: one that seals, and two that are on their way out.</summary>
    public const int RotationDepth = 3;

    private volatile TlsTicketKey[] _keys;

    /// <summary>Begins with one random key.</summary>
    public TlsTicketKeyRing() => _keys = [TlsTicketKey.Create()];

    /// <summary>Begins with keys that were made elsewhere.</summary>
    /// <param name="keys">The first seals.</param>
    /// <exception cref="ArgumentException">The list is empty.</exception>
    public TlsTicketKeyRing(IReadOnlyList<TlsTicketKey> keys) => _keys = Checked(keys);

    /// <summary>The keys, the one that seals first.</summary>
    public IReadOnlyList<TlsTicketKey> Keys => _keys;

    /// <summary>Seals with a new random key from now on, and forgets keys behind the third. One thread at a time.</summary>
    public void Rotate() => _keys = [TlsTicketKey.Create(), .. _keys.Take(RotationDepth - 1)];

    /// <summary>Takes another list of keys. One thread at a time.</summary>
    /// <param name="keys">The first seals.</param>
    /// <exception cref="ArgumentException">The list is empty.</exception>
    public void Replace(IReadOnlyList<TlsTicketKey> keys) => _keys = Checked(keys);

    /// <inheritdoc/>
    public void Protect(ReadOnlySpan<byte> plaintext, IBufferWriter<byte> ticket)
    {
        ArgumentNullException.ThrowIfNull(ticket);
        _keys[0].Protect(plaintext, ticket);
    }

    /// <inheritdoc/>
    public bool TryUnprotect(ReadOnlySpan<byte> ticket, Span<byte> plaintext, out int bytesWritten)
    {
        foreach (TlsTicketKey key in _keys)
        {
            if (key.IsNamedBy(ticket))
                return key.TryUnprotect(ticket, plaintext, out bytesWritten);
        }
        bytesWritten = 0;
        return false;
    }

    private static TlsTicketKey[] Checked(IReadOnlyList<TlsTicketKey> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return keys.Count == 0 ? throw new ArgumentException("Give at least one key: the first seals new tickets.", nameof(keys)) : [.. keys];
    }
}
