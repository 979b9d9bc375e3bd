namespace CryptoPlane.Flows;

/// <summary>Notes which timers have expired, for those who keep all deadlines in the wheel.</summary>
internal ref struct ExpiredTimers(Span<int> timers) : ITimerOwner
{
    private readonly Span<int> _timers = timers;

    public int Count { get; private set; }

    public readonly long DeadlineOf(int timer, long armed) => armed;

    public void Expired(int timer) => _timers[Count++] = timer;

    public readonly void Prefetch(int timer)
    {
    }
}
