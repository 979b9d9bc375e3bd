namespace CryptoPlane.Lcores;

/// <summary>
/// What an lcore does. All methods are called on the lcore's thread, in the order Start, (Poll or WaitForEvents)*, Stop, and by
/// nobody else.
/// </summary>
/// <remarks>
/// <para>A worker keeps its descriptors, and the descriptor of <see cref="Lcore.Waker"/> (edge-triggered), in one epoll set. In
/// <see cref="Poll"/> it serves what is ready without blocking; in <see cref="WaitForEvents"/> it blocks in the set and keeps what
/// the set reported for the next <see cref="Poll"/>.</para>
/// <para>An exception out of any method stops the lcore and is reported (<see cref="Lcore.Failure"/>); bad packets are no reason
/// for one.</para>
/// </remarks>
public interface ILcoreWorker
{
    /// <summary>Called once, when the thread is pinned: open what must be opened here.</summary>
    void Start(Lcore lcore);

    /// <summary>Serves what is ready: rings, descriptors, timers that are due.</summary>
    /// <param name="now">The <see cref="MonotonicClock"/> in nanoseconds, read once for this turn.</param>
    /// <returns>Units of work done (packets, messages, timers); 0 lets the lcore go idle.</returns>
    int Poll(long now);

    /// <summary>
    /// Whether a ring holds something: asked after producers have been told that the lcore is about to sleep. The answer must come
    /// from <see cref="SpscRing{T}.IsEmpty"/>, <see cref="Mailbox{T}.IsEmpty"/> or <see cref="PacketHandover.IsEmpty"/>.
    /// </summary>
    bool HasPendingWork { get; }

    /// <summary>When the next timer is due, on the <see cref="MonotonicClock"/>; <see cref="long.MaxValue"/> for never.</summary>
    long NextDeadline { get; }

    /// <summary>Blocks until a descriptor is ready, the waker signals, or the time has passed.</summary>
    /// <param name="timeoutMilliseconds">-1 for no limit, else more than 0.</param>
    void WaitForEvents(int timeoutMilliseconds);

    /// <summary>Called once at the end, also after an exception out of another method: close what was opened.</summary>
    void Stop();
}
