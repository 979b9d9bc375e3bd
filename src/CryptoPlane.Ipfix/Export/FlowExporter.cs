using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Names;

namespace CryptoPlane.Ipfix.Export;

/// <summary>
/// The thread between lcores and sinks: takes flow records out of the lcores' rings, looks their names up, and gives each to every sink.
/// </summary>
/// <remarks>
/// A sink never waits, so the thread does not: a sink that is slow drops and counts. If the thread itself is too slow, rings are full, and
/// the lcores drop and count. Members other than the thread's own may be called on any one thread at a time.
/// </remarks>
public sealed class FlowExporter : IDisposable
{
    private const int Batch = 256;
    private const long TickPeriod = 10_000_000;

    private readonly FlowExporterOptions _options;
    private readonly FlowNameCache _names;
    private readonly FlowRecord[] _batch = new FlowRecord[Batch];
    private readonly Thread _thread;
    private readonly AutoResetEvent _wake = new(false);
    private volatile IReadOnlyList<FlowSink> _wanted;
    private readonly HashSet<FlowSink> _failed = [];
    private IReadOnlyList<FlowSink>? _used;
    private FlowSink[] _sinks = [];
    private long _records;
    private volatile bool _stop;
    private bool _disposed;

    /// <summary>Starts the thread.</summary>
    /// <param name="options">What it works with.</param>
    /// <param name="sinks">Where records go; the exporter disposes of them.</param>
    public FlowExporter(FlowExporterOptions options, IReadOnlyList<FlowSink> sinks)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(sinks);
        _options = options;
        _names = new FlowNameCache(options.Names);
        _wanted = sinks;
        _thread = new Thread(Run) { IsBackground = true, Name = "flow export" };
        _thread.Start();
    }

    /// <summary>Records that were taken out of the rings.</summary>
    public long Records => Volatile.Read(ref _records);

    /// <summary>The sinks of now.</summary>
    public IReadOnlyList<FlowSink> Sinks => _wanted;

    /// <summary>Goes on with other sinks. Those that are not among them are closed and disposed of, those that are stay as they are.</summary>
    public void Replace(IReadOnlyList<FlowSink> sinks)
    {
        ArgumentNullException.ThrowIfNull(sinks);
        _wanted = sinks;
        _wake.Set();
    }

    /// <summary>Exports what is in the rings, closes the sinks, and ends the thread.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _stop = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
    }

    private void Run()
    {
        long ticked = long.MinValue;
        while (!_stop)
        {
            UseWanted();
            FlowTime now = FlowClock.Read(_options.Clock);
            int count = Drain(Batch, now);
            if (now.Monotonic - TickPeriod >= ticked)
            {
                ticked = now.Monotonic;
                foreach (FlowSink sink in _sinks)
                    Tick(sink, now);
            }
            if (count == 0)
                _wake.WaitOne(_options.PauseMilliseconds);
        }
        UseWanted();
        // What is there now, and not what an lcore may go on to say.
        FlowTime end = FlowClock.Read(_options.Clock);
        Drain(int.MaxValue, end);
        foreach (FlowSink sink in _sinks)
            Close(sink, end);
    }

    private void UseWanted()
    {
        IReadOnlyList<FlowSink> wanted = _wanted;
        if (ReferenceEquals(wanted, _used))
            return;
        FlowTime now = FlowClock.Read(_options.Clock);
        foreach (FlowSink gone in _sinks.Where(sink => !wanted.Contains(sink)))
            Close(gone, now);
        _sinks = [.. wanted.Where(sink => !_failed.Contains(sink))];
        foreach (FlowSink sink in _sinks)
            sink.Rings = _options.Rings;
        _used = wanted;
    }

    /// <summary>Takes records out of every ring, of each at most what was in it.</summary>
    private int Drain(int most, FlowTime now)
    {
        int all = 0;
        foreach (FlowRecordRing ring in _options.Rings)
        {
            int left = Math.Min(most, ring.Count);
            while (left > 0)
            {
                int count = ring.Dequeue(_batch.AsSpan(0, Math.Min(Batch, left)));
                if (count == 0)
                    break;
                for (int i = 0; i < count; i++)
                    Export(_batch[i], now);
                left -= count;
                all += count;
            }
        }
        return all;
    }

    private void Export(in FlowRecord flow, FlowTime now)
    {
        Volatile.Write(ref _records, _records + 1);
        FlowRecordNames names = _names.Find(flow, now.Monotonic);
        foreach (FlowSink sink in _sinks)
        {
            try
            {
                sink.Add(flow, names, now);
            }
            catch (Exception e)
            {
                Retire(sink, e);
            }
        }
    }

    private void Tick(FlowSink sink, FlowTime now)
    {
        try
        {
            sink.Tick(now);
        }
        catch (Exception e)
        {
            Retire(sink, e);
        }
    }

    private void Close(FlowSink sink, FlowTime now)
    {
        try
        {
            sink.Close(now);
        }
        catch (Exception e)
        {
            Retire(sink, e);
        }
        sink.Dispose();
    }

    /// <summary>A sink with a mistake in it must not take the others, or the process, with it.</summary>
    private void Retire(FlowSink sink, Exception mistake)
    {
        _failed.Add(sink);
        _sinks = [.. _sinks.Where(other => other != sink)];
        sink.Notice?.Invoke($"it failed and is out of use: {mistake}");
        sink.Dispose();
    }
}
