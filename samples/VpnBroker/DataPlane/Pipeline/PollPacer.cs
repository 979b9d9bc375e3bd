namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// How long an lcore sleeps that has ports which wake nobody, such as a network card's queues under DPDK. With traffic it does not sleep at
/// all (a turn that found packets is followed by the next); between packets for a moment that costs little latency; and when nothing has
/// come for a while, for longer, so that a quiet broker leaves the CPU to others.
/// </summary>
internal sealed class PollPacer
{
    /// <summary>Between packets, in nanoseconds: the latency that an idle policy other than busy may add.</summary>
    public const long Short = 100_000;

    /// <summary>When nothing has come for <see cref="QuietAfter"/>, in nanoseconds: the latency of a packet that ends a silence.</summary>
    public const long Long = 1_000_000;

    /// <summary>Silence, in nanoseconds, after which sleeps become long.</summary>
    public const long QuietAfter = 100_000_000;

    private long _lastWork = long.MinValue / 2;

    /// <summary>Notes a turn's work.</summary>
    public void Note(int work, long now)
    {
        if (work > 0)
            _lastWork = now;
    }

    /// <summary>Nanoseconds to sleep at most.</summary>
    public long Wait(long now) => now - _lastWork < QuietAfter ? Short : Long;
}
