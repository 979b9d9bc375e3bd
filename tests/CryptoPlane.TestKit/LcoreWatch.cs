using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Globalization;
using System.Runtime.ExceptionServices;

namespace CryptoPlane.TestKit;

/// <summary>Watches the threads of lcores from outside: exceptions, caught or not, and locks that they had to wait for.</summary>
public sealed class LcoreWatch : EventListener
{
    private const EventKeywords Contention = (EventKeywords)0x4000;

    private readonly ConcurrentQueue<string> _elsewhere = [];
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

    /// <summary>The names of other threads that had to wait for a lock, once for each time.</summary>
    public IReadOnlyCollection<string> Elsewhere => _elsewhere;

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
        if (_threads is not { } lcores || eventData.EventName?.StartsWith("ContentionStart", StringComparison.Ordinal) != true)
            return;
        if (lcores.Contains(eventData.OSThreadId))
            Interlocked.Increment(ref _contentions);
        else
            _elsewhere.Enqueue(NameOf(eventData.OSThreadId));
    }

    private static string NameOf(long thread)
    {
        string file = string.Create(CultureInfo.InvariantCulture, $"/proc/self/task/{thread}/comm");
        return File.Exists(file) ? File.ReadAllText(file).Trim() : "a thread that has ended";
    }

    private void OnException(object? sender, FirstChanceExceptionEventArgs arguments)
    {
        if (Thread.CurrentThread.Name?.StartsWith("lcore-", StringComparison.Ordinal) == true)
            Interlocked.Increment(ref _exceptions);
    }
}
