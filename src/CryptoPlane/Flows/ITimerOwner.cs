namespace CryptoPlane.Flows;

/// <summary>Whose timers a <see cref="TimerWheel"/> looks at: a struct, so that its calls are compiled into the wheel's loop.</summary>
public interface ITimerOwner
{
    /// <summary>
    /// When a timer is due by what its owner knows: asked when its slot comes due, so that what happens per packet may stay in the flow's
    /// own state (when it was last seen) and never touch the wheel.
    /// </summary>
    /// <param name="timer">The timer's number.</param>
    /// <param name="armed">The last deadline that <see cref="TimerWheel.Arm"/> was told, rounded up to a tick.</param>
    /// <returns><paramref name="armed"/>, or later: then the timer waits until then.</returns>
    long DeadlineOf(int timer, long armed);

    /// <summary>A timer has expired, and is not armed any more; it may be armed again at once.</summary>
    void Expired(int timer);

    /// <summary>The timer is among the next: a hint to fetch what <see cref="DeadlineOf"/> will read. May do nothing.</summary>
    void Prefetch(int timer);
}
