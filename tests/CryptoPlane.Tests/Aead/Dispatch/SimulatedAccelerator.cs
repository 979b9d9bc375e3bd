using CryptoPlane.Aead;
using CryptoPlane.Aead.Dispatch;

namespace CryptoPlane.Tests.Aead.Dispatch;

/// <summary>A clock that goes on only when somebody does something.</summary>
internal sealed class SimulatedClock
{
    /// <summary>Ticks of a nanosecond.</summary>
    public long Now { get; set; }
}

/// <summary>The CPU's kernels, whose work takes simulated time.</summary>
internal sealed unsafe class SimulatedCpu(SimulatedClock clock) : IAeadBackend
{
    private readonly IAeadBackend _worker = AeadBackends.CreateManaged();

    /// <summary>Nanoseconds per operation.</summary>
    public double PerOperation { get; set; } = 20;

    /// <summary>Nanoseconds per byte.</summary>
    public double PerByte { get; set; } = 0.25;

    public string Name => "simulated CPU";

    public AeadBackendKind Kind => AeadBackendKind.Managed;

    public string Description => Name;

    public bool IsSynchronous => true;

    public int InFlight => 0;

    public bool Supports(AeadAlgorithm algorithm) => _worker.Supports(algorithm);

    public bool TryAttachKey(AeadKeyHandle key) => true;

    public void DetachKey(AeadKeyHandle key)
    {
    }

    public int Submit(AeadOperation* operations, int count)
    {
        for (int i = 0; i < count; i++)
            clock.Now += (long)(PerOperation + (PerByte * operations[i].Length));
        return _worker.Submit(operations, count);
    }

    public int Poll(AeadOperation** completed, int capacity) => 0;

    public void Dispose() => _worker.Dispose();
}

/// <summary>
/// An accelerator with a queue: handing over and collecting take simulated time of the lcore, the work itself takes the device's. It can
/// fail at operations, stall, and be unplugged.
/// </summary>
internal sealed unsafe class SimulatedAccelerator(SimulatedClock clock, int depth) : IAeadDevice
{
    private readonly IAeadBackend _worker = AeadBackends.CreateManaged();
    private readonly Queue<(nint Operation, long Done)> _queue = new();
    private long _busyUntil;
    private int _submitted, _untilStopped;

    /// <summary>Nanoseconds of the lcore for handing over a burst.</summary>
    public double PerBurst { get; init; } = 100;

    /// <summary>Nanoseconds of the lcore for handing over each operation of it.</summary>
    public double PerSubmission { get; init; } = 30;

    /// <summary>Nanoseconds of the lcore for collecting an operation.</summary>
    public double PerCollection { get; init; } = 20;

    /// <summary>Nanoseconds until an operation comes back from an idle device.</summary>
    public double Latency { get; init; } = 5000;

    /// <summary>How fast the device works.</summary>
    public double BytesPerNanosecond { get; init; } = 10;

    /// <summary>One operation in so many fails; 0 for none.</summary>
    public int FailEvery { get; set; }

    /// <summary>While true the device completes nothing.</summary>
    public bool Stalled { get; set; }

    /// <summary>Whether a stalled device has written its results already: what makes sealing again in place wrong.</summary>
    public bool WritesBeforeStalling { get; set; }

    /// <summary>Calls of <see cref="TryAbandon"/> that it takes until the queue pair is stopped.</summary>
    public int StopTakes { get; init; } = 3;

    /// <summary>Set when something is submitted or polled after the device was given up.</summary>
    public bool TouchedAfterwards { get; private set; }

    public bool IsAbandoned => _untilStopped > 0;

    public string Name => "simulated accelerator";

    public AeadBackendKind Kind => AeadBackendKind.Custom;

    public string Description => Name;

    public bool IsSynchronous => false;

    public int InFlight => _queue.Count;

    public int Depth => depth;

    public bool IsHealthy { get; set; } = true;

    public long DeviceErrors { get; private set; }

    public bool Supports(AeadAlgorithm algorithm) => algorithm != AeadAlgorithm.ChaCha20Poly1305;

    public bool TryAttachKey(AeadKeyHandle key) => true;

    public void DetachKey(AeadKeyHandle key)
    {
    }

    public int Submit(AeadOperation* operations, int count)
    {
        TouchedAfterwards |= IsAbandoned;
        int taken = Math.Min(count, depth - _queue.Count);
        clock.Now += (long)(PerBurst + (taken * PerSubmission));
        for (int i = 0; i < taken; i++)
        {
            _busyUntil = Math.Max(_busyUntil, clock.Now) + (long)(operations[i].Length / BytesPerNanosecond);
            _queue.Enqueue(((nint)(operations + i), _busyUntil + (long)Latency));
            if (WritesBeforeStalling)
                _worker.Submit(operations + i, 1);
            operations[i].Status = AeadStatus.Pending;
        }
        return taken;
    }

    public int Poll(AeadOperation** completed, int capacity)
    {
        TouchedAfterwards |= IsAbandoned;
        int count = 0;
        clock.Now += 10;
        while (!Stalled && count < capacity && _queue.TryPeek(out var oldest) && oldest.Done <= clock.Now)
        {
            var operation = (AeadOperation*)_queue.Dequeue().Operation;
            if (FailEvery > 0 && ++_submitted % FailEvery == 0)
            {
                operation->Status = AeadStatus.BackendError;
                DeviceErrors++;
            }
            else
            {
                _worker.Submit(operation, 1);
            }
            clock.Now += (long)PerCollection;
            completed[count++] = operation;
        }
        return count;
    }

    public bool TryAbandon()
    {
        if (++_untilStopped < StopTakes)
            return false;
        _queue.Clear();
        return true;
    }

    public void Dispose() => _worker.Dispose();
}
