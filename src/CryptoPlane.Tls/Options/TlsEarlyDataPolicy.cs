namespace CryptoPlane.Tls;

/// <summary>
/// How a server accepts early data (0-RTT, RFC 8446 §2.3). It is dangerous: early data has no forward secrecy against a thief of the ticket
/// key, and whoever records it may send it again. The guard refuses repetitions at the servers that share it, and nothing does elsewhere:
/// accept in early data only what may happen twice without harm (RFC 8446 §8, §E.5).
/// </summary>
public sealed class TlsEarlyDataPolicy
{
    /// <summary>Most of <see cref="MaxSize"/>: 16 MiB.</summary>
    public const int Largest = 1 << 24;

    /// <summary>Makes a policy.</summary>
    /// <param name="maxSize">Most bytes of early data on a connection: 1 to <see cref="Largest"/>. Tickets tell it to clients.</param>
    /// <param name="replayGuard">Remembers what was accepted.</param>
    public TlsEarlyDataPolicy(int maxSize, ITlsReplayGuard replayGuard)
    {
        ArgumentNullException.ThrowIfNull(replayGuard);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxSize, Largest);
        MaxSize = maxSize;
        ReplayGuard = replayGuard;
    }

    /// <summary>Most bytes of early data on a connection; more ends it with unexpected_message.</summary>
    public int MaxSize { get; }

    /// <summary>Remembers what was accepted.</summary>
    public ITlsReplayGuard ReplayGuard { get; }

    /// <summary>
    /// By how much a ticket's age by the client's clock and by the server's may differ (RFC 8446 §8.3), which bounds for how long a record of
    /// early data is of use to anybody: 1 second to 1 minute; by default 10 seconds.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Shorter or longer.</exception>
    public TimeSpan FreshnessWindow
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromSeconds(1));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMinutes(1));
            field = value;
        }
    } = TimeSpan.FromSeconds(10);
}
