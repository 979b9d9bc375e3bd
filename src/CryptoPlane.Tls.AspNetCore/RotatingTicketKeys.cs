using System.Buffers;

namespace CryptoPlane.Tls.AspNetCore;

/// <summary>
/// Ticket keys of one endpoint, which rotate as handshakes come: without a timer, and so without anything to dispose of. A key that has
/// stopped sealing opens tickets for two periods more, which is longer than tickets live.
/// </summary>
internal sealed class RotatingTicketKeys(TimeProvider clock) : ITlsTicketProtector
{
    /// <summary>For how long a key seals.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromHours(8);

    private readonly TlsTicketKeyRing _ring = new();
    private readonly Lock _gate = new();
    private long _rotated = clock.GetTimestamp();

    /// <inheritdoc/>
    public void Protect(ReadOnlySpan<byte> plaintext, IBufferWriter<byte> ticket)
    {
        RotateIfDue();
        _ring.Protect(plaintext, ticket);
    }

    /// <inheritdoc/>
    public bool TryUnprotect(ReadOnlySpan<byte> ticket, Span<byte> plaintext, out int bytesWritten)
    {
        RotateIfDue();
        return _ring.TryUnprotect(ticket, plaintext, out bytesWritten);
    }

    private void RotateIfDue()
    {
        if (clock.GetElapsedTime(Volatile.Read(ref _rotated)) < Period)
            return;
        lock (_gate)
        {
            if (clock.GetElapsedTime(_rotated) < Period)
                return;
            _ring.Rotate();
            Volatile.Write(ref _rotated, clock.GetTimestamp());
        }
    }
}
