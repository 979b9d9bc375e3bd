using System.Diagnostics.Tracing;
using System.Globalization;
using System.Runtime.ExceptionServices;

namespace VpnBroker.Tests.Soak;

/// <summary>Watches the threads of lcores from outside: exceptions, caught or not, and locks that they had to wait for.</summary>
internal sealed class LcoreWatch : EventListener
{
    private const EventKeywords Contention = (EventKeywords)0x4000;

    private volatile HashSet<long> _threads = [];
    private int _exceptions;
    private int _contentions;

    /// <summary>Begins with the lcores that run now.</summary>
    public LcoreWatch()
    {
        _threads = [.. Directory.EnumerateDirectories("/proc/self/task")
            .Where(task => File.ReadAllText(task + "/comm").StartsWith("lcore-", StringComparison.Ordinal))
            .Select(task => long.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture))];
        AppDomain.CurrentDomain.FirstChanceException += OnException;
    }

    public int Threads => _threads.Count;

    public int Exceptions => Volatile.Read(ref _exceptions);

    public int Contentions => Volatile.Read(ref _contentions);

    public override void Dispose()
    {
        AppDomain.CurrentDomain.FirstChanceException -= OnException;
        base.Dispose();
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
            EnableEvents(eventSource, EventLevel.Informational, Contention);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        // The base class's constructor turns the events on before there is a list.
        if (eventData.EventName?.StartsWith("ContentionStart", StringComparison.Ordinal) == true && _threads?.Contains(eventData.OSThreadId) == true)
            Interlocked.Increment(ref _contentions);
    }

    private void OnException(object? sender, FirstChanceExceptionEventArgs arguments)
    {
        if (Thread.CurrentThread.Name?.StartsWith("lcore-", StringComparison.Ordinal) == true)
            Interlocked.Increment(ref _exceptions);
    }
}
