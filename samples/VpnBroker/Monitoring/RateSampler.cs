using VpnBroker.Status;

namespace VpnBroker.Monitoring;

/// <summary>
/// Reads the counters once per second, on a control thread: what rates are counted from, and what charts and metrics show. Lcores take no
/// part in it.
/// </summary>
/// <param name="read">Reads the counters; with the sessions or without.</param>
/// <param name="clock">The time.</param>
internal sealed class RateSampler(Func<bool, Task<StatusReport>> read, TimeProvider clock)
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly UserRates _users = new();
    private StatusReport? _earlier;
    private StatusReport? _latest;

    /// <summary>The last ten minutes.</summary>
    public RateHistory History { get; } = new();

    /// <summary>The last reading, with rates and without sessions; null before the first.</summary>
    public StatusReport? Latest => Volatile.Read(ref _latest);

    /// <summary>Called with each reading, in order: its rates are in it, and its sessions where they were read.</summary>
    public Action<StatusReport>? Taken { get; set; }

    /// <summary>Puts rates into a report that has just been made.</summary>
    public StatusReport WithRates(StatusReport now)
    {
        lock (_gate)
        {
            // The last reading may be an instant old: then the one before.
            bool isOldEnough = _latest is not null && now.UptimeSeconds - _latest.UptimeSeconds >= RateCalculator.MinimumSeconds;
            StatusReport? before = isOldEnough ? _latest : _earlier;
            return before is null ? now : RateCalculator.Between(before, now) with { Users = _users.Apply(now) };
        }
    }

    /// <summary>Takes readings until it is told to stop.</summary>
    /// <exception cref="OperationCanceledException">It was told to stop.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(s_period, clock);
        do
        {
            await SampleAsync();
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    /// <summary>Takes one reading.</summary>
    public async Task SampleAsync()
    {
        bool users = _users.IsDue(_latest?.UptimeSeconds + s_period.TotalSeconds ?? 0, _latest?.Sessions ?? 0);
        StatusReport report = WithRates(await read(users));
        lock (_gate)
        {
            if (users)
                _users.Take(report);
            (_earlier, _latest) = (_latest, report with { Users = [] });
        }
        if (RatePoint.Of(report) is { } point)
            History.Add(point);
        Taken?.Invoke(report);
    }
}
