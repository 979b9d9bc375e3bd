using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Lcores;

/// <summary>
/// A thread, pinned to a CPU, that polls one <see cref="ILcoreWorker"/>: the owner of everything its packets touch.
/// </summary>
/// <remarks>
/// <see cref="Start"/>, <see cref="Join"/> and <see cref="Dispose"/> belong to the owner (one control thread); <see cref="RequestStop"/>,
/// <see cref="State"/>, <see cref="Failure"/>, <see cref="ReadCounters"/> and <see cref="LcoreWaker.Wake"/> may be called by any thread.
/// </remarks>
public sealed unsafe class Lcore : IDisposable
{
    /// <summary>Turns that followed one another quickly before <see cref="IdlePolicy.Adaptive"/> lets work gather.</summary>
    private const int QuickTurnsBeforeGathering = 16;

    /// <summary>A turn with this much work needs no more of it to be efficient.</summary>
    private const int EnoughWork = 64;

    private readonly LcoreOptions _options;
    private readonly ILcoreWorker _worker;
    private readonly Thread _thread;
    private LcoreCounters* _counters;
    private volatile bool _stop;
    private volatile LcoreState _state;
    private volatile Exception? _failure;
    private int _quickTurns;

    /// <summary>Prepares an lcore; nothing runs yet.</summary>
    public Lcore(LcoreOptions options, ILcoreWorker worker)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(worker);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Index, nameof(options));
        _options = options;
        _worker = worker;
        Waker = new LcoreWaker();
        _counters = (LcoreCounters*)NativeMemory.AlignedAlloc((nuint)sizeof(LcoreCounters), 128);
        NativeMemory.Clear(_counters, (nuint)sizeof(LcoreCounters));
        _thread = new Thread(Run)
        {
            IsBackground = true,
            Name = string.Create(CultureInfo.InvariantCulture, $"lcore-{options.Index}"),
        };
    }

    /// <summary>The lcore's number.</summary>
    public int Index => _options.Index;

    /// <summary>The CPU it is pinned to; null if it is not.</summary>
    public int? Cpu => _options.Cpu;

    /// <summary>Wakes the lcore; give it to the <see cref="Mailbox{T}"/>es and <see cref="PacketHandover"/>s that lead here.</summary>
    public LcoreWaker Waker { get; }

    /// <summary>Where the lcore is in its life.</summary>
    public LcoreState State => _state;

    /// <summary>The exception that stopped the lcore, or null.</summary>
    public Exception? Failure => _failure;

    /// <summary>A copy of the loop's counters. Any thread, until <see cref="Dispose"/>.</summary>
    public LcoreCounters ReadCounters()
    {
        LcoreCounters copy;
        long* from = (long*)_counters;
        long* to = (long*)&copy;
        for (int i = 0; i < sizeof(LcoreCounters) / sizeof(long); i++)
            to[i] = Volatile.Read(ref from[i]);
        return copy;
    }

    /// <summary>Starts the thread. A CPU that the process may not use makes the lcore fail (<see cref="Failure"/>).</summary>
    /// <exception cref="InvalidOperationException">The lcore was started before.</exception>
    public void Start()
    {
        if (_state != LcoreState.Created)
            throw new InvalidOperationException("An lcore runs once: make a new one.");
        _state = LcoreState.Running;
        _thread.Start();
    }

    /// <summary>Asks the loop to end after its current turn, and wakes it.</summary>
    public void RequestStop()
    {
        _stop = true;
        Waker.Signal();
    }

    /// <summary>Waits for the thread's end.</summary>
    /// <returns>False when it had not ended in time.</returns>
    public bool Join(TimeSpan timeout) => _state == LcoreState.Created || _thread.Join(timeout);

    /// <summary>Stops the lcore, waits for it without limit, and frees what it held.</summary>
    public void Dispose()
    {
        if (_counters == null)
            return;
        RequestStop();
        Join(Timeout.InfiniteTimeSpan);
        Waker.Dispose();
        NativeMemory.AlignedFree(_counters);
        _counters = null;
    }

    private void Run()
    {
        Exception? failure = null;
        bool started = false;
        try
        {
            if (_options.Cpu is int cpu)
                CpuSet.Of(cpu).ApplyToCurrentThread();
            LcoreInterop.SetPreciseTimers();
            started = true;
            _worker.Start(this);
            Loop();
        }
        catch (Exception exception)
        {
            failure = exception;
        }
        try
        {
            if (started)
                _worker.Stop();
        }
        catch (Exception exception)
        {
            failure = failure == null ? exception : new AggregateException(failure, exception);
        }
        _failure = failure;
        _state = failure == null ? LcoreState.Stopped : LcoreState.Failed;
        if (failure != null)
            _options.OnFailure?.Invoke(this, failure);
    }

    private void Loop()
    {
        long now = MonotonicClock.Nanoseconds;
        while (!_stop)
        {
            int work = _worker.Poll(now);
            long after = MonotonicClock.Nanoseconds;
            LcoreCounters* counters = _counters;
            Add(&counters->Polls, 1);
            if (work > 0)
            {
                Add(&counters->BusyPolls, 1);
                Add(&counters->Work, work);
                Add(&counters->BusyNanoseconds, after - now);
            }
            else
            {
                Add(&counters->SpinNanoseconds, after - now);
            }
            now = after;
            // Waiting for events takes those that are there already: the same one system call as looking for them.
            if (_options.Idle != IdlePolicy.Busy)
                now = Sleep(now, work);
            else if (work == 0 && X86Base.IsSupported)
                X86Base.Pause();
        }
    }

    /// <returns>The time after waking.</returns>
    private long Sleep(long now, int lastWork)
    {
        long deadline = _worker.NextDeadline;
        if (deadline <= now)
            return now;
        if (_quickTurns >= QuickTurnsBeforeGathering && lastWork < EnoughWork && !_worker.HasPendingWork)
            LcoreInterop.Pause(_options.GatherNanoseconds);
        Waker.PrepareToSleep();
        // The stop flag is looked at here as well: RequestStop writes it first and then makes the eventfd readable, in any case.
        if (_stop || _worker.HasPendingWork)
        {
            Waker.Awake();
            Add(&_counters->SleepsAvoided, 1);
            return MonotonicClock.Nanoseconds;
        }
        // Rounded up, so that the timer is due when the sleep ends.
        int timeout = deadline == long.MaxValue ? -1 : (int)Math.Min((deadline - now + 999_999) / 1_000_000, 60_000);
        _worker.WaitForEvents(timeout);
        Waker.Awake();
        long after = MonotonicClock.Nanoseconds;
        long slept = after - now;
        _quickTurns = _options.Idle == IdlePolicy.Adaptive && slept < 2 * _options.GatherNanoseconds ? Math.Min(_quickTurns + 1, QuickTurnsBeforeGathering) : 0;
        Add(&_counters->Sleeps, 1);
        Add(&_counters->SleepNanoseconds, slept);
        return after;
    }

    /// <summary>One writer, so no interlocked operation: an aligned 64-bit store that readers see whole.</summary>
    private static void Add(long* counter, long amount) => Volatile.Write(ref *counter, *counter + amount);
}
