namespace VpnBroker.Status;

/// <summary>
/// Watches how long garbage collections stop the process, which stops the lcores too: an object that dies with each collection
/// asks for its figures and makes its successor.
/// </summary>
public sealed class GcPauseMonitor
{
    private long _worstTicks;
    private long _lastTicks;
    private volatile bool _stopped;

    /// <summary>Begins to watch.</summary>
    public GcPauseMonitor() => MakeSentinel();

    /// <summary>The longest pause so far.</summary>
    public TimeSpan Worst => new(Interlocked.Read(ref _worstTicks));

    /// <summary>The longest pause of the last collection.</summary>
    public TimeSpan Last => new(Interlocked.Read(ref _lastTicks));

    /// <summary>Forgets what was seen, so that a measurement can begin.</summary>
    public void Reset()
    {
        Interlocked.Exchange(ref _worstTicks, 0);
        Interlocked.Exchange(ref _lastTicks, 0);
    }

    /// <summary>Ends watching.</summary>
    public void Stop() => _stopped = true;

    private void MakeSentinel() => _ = new Sentinel(this);

    /// <summary>Runs on the finalizer thread behind each collection.</summary>
    private void Note()
    {
        if (_stopped || Environment.HasShutdownStarted)
            return;
        long longest = 0;
        foreach (GCKind kind in (ReadOnlySpan<GCKind>)[GCKind.Any, GCKind.Background])
        {
            foreach (TimeSpan pause in GC.GetGCMemoryInfo(kind).PauseDurations)
                longest = Math.Max(longest, pause.Ticks);
        }
        Interlocked.Exchange(ref _lastTicks, longest);
        if (longest > Interlocked.Read(ref _worstTicks))
            Interlocked.Exchange(ref _worstTicks, longest);
        MakeSentinel();
    }

    private sealed class Sentinel(GcPauseMonitor owner)
    {
        ~Sentinel() => owner.Note();
    }
}
