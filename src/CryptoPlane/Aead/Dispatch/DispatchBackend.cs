using System.Diagnostics;
using System.Runtime.InteropServices;

namespace CryptoPlane.Aead.Dispatch;

/// <summary>
/// A device and the CPU's kernels behind one backend: each burst goes where it costs the lcore less, and a device that fails, is unplugged
/// or stalls is replaced by the CPU without an operation lost or sent twice.
/// </summary>
/// <remarks>
/// <para><b>Order.</b> Completions come in the order of submission, whoever did the work, so no connection and no SA is reordered. What
/// the CPU has done waits for the device's older operations, for no longer than <see cref="DispatchOptions.StallTimeout"/> and the time
/// that stopping the device takes.</para>
/// <para><b>Retries.</b> When the device is given up, its operations are done again by the CPU, once it surely touches no buffer any more.
/// That is right only out of place: in place the device may have encrypted already, and sealing again would apply the key stream twice.
/// Operations in place end with <see cref="AeadStatus.BackendError"/> and zeros then, so use in-place operations on a device only where a
/// packet may be dropped.</para>
/// <para><b>Keys</b> are attached to the device; the CPU's kernels need nothing of their own with a key.</para>
/// </remarks>
public sealed unsafe class DispatchBackend : IAeadBackend
{
    private readonly IAeadDevice _device;
    private readonly IAeadBackend _cpu;
    private readonly DispatchPolicy _policy;
    private readonly DispatchOptions _options;
    private readonly Func<long> _clock;
    private readonly long _stallTicks;
    private readonly int _limit;
    private readonly SubmissionRing _order;
    private bool _disposed;

    /// <summary>When the device was first found to complete nothing.</summary>
    private long _waitingSince;

    /// <summary>Whether <see cref="_waitingSince"/> holds: nothing was completed, and the device was not idle, since then.</summary>
    private bool _waiting;

    /// <summary>Whether the next collection is to be measured: one follows every submission that was.</summary>
    private bool _measuresCollection;

    private int _errorsInARow;

    /// <summary>The device's count of them when it was last polled: while it stands still, no completion needs to be looked at.</summary>
    private long _errorsSeen;

    /// <summary>Makes a backend of a device and the CPU's kernels.</summary>
    /// <param name="device">Owned by the result from now on.</param>
    /// <param name="cpu">A synchronous backend that needs nothing attached to a key: the native or the managed kernels. Owned as well.</param>
    /// <param name="options">How the work is shared out.</param>
    /// <exception cref="ArgumentException">The second backend is not synchronous, or attaches something to keys.</exception>
    public DispatchBackend(IAeadDevice device, IAeadBackend cpu, DispatchOptions? options = null)
        : this(device, cpu, options ?? new DispatchOptions(), Stopwatch.GetTimestamp, Stopwatch.Frequency)
    {
    }

    internal DispatchBackend(IAeadDevice device, IAeadBackend cpu, DispatchOptions options, Func<long> clock, long ticksPerSecond)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(cpu);
        if (!cpu.IsSynchronous || cpu.Kind == AeadBackendKind.Portable)
            throw new ArgumentException($"'{cpu.Name}' cannot stand in for a device: take the native or the managed kernels.", nameof(cpu));
        options.Validate();
        _device = device;
        Kind = device.Kind;
        _cpu = cpu;
        _options = options;
        _policy = new DispatchPolicy(options);
        _clock = clock;
        _stallTicks = Math.Max(1, (long)(options.StallTimeout.TotalSeconds * ticksPerSecond));
        _limit = options.InFlightLimit == 0 ? device.Depth : Math.Min(options.InFlightLimit, device.Depth);
        _order = new SubmissionRing(AeadEngine.MaxInFlight);
    }

    /// <inheritdoc/>
    public string Name => _device.Name;

    /// <inheritdoc/>
    public AeadBackendKind Kind { get; }

    /// <inheritdoc/>
    public string Description => $"{_device.Description}, or {_cpu.Description}, whichever is cheaper";

    /// <inheritdoc/>
    public bool IsSynchronous => false;

    /// <inheritdoc/>
    public int InFlight => _order.Count;

    /// <summary>How things stand with the device.</summary>
    public DispatchState State { get; private set; }

    /// <summary>Operations that went to the device.</summary>
    public long SentToDevice { get; private set; }

    /// <summary>Operations that went to the CPU at once.</summary>
    public long SentToCpu { get; private set; }

    /// <summary>Operations that the device did not do, and the CPU did.</summary>
    public long Retried { get; private set; }

    /// <summary>Operations in place that the device did not do, and that nobody can do any more.</summary>
    public long Lost { get; private set; }

    /// <inheritdoc/>
    public bool Supports(AeadAlgorithm algorithm) => _device.Supports(algorithm) && _cpu.Supports(algorithm);

    /// <inheritdoc/>
    public bool TryAttachKey(AeadKeyHandle key) => _device.TryAttachKey(key);

    /// <inheritdoc/>
    public void DetachKey(AeadKeyHandle key) => _device.DetachKey(key);

    /// <inheritdoc/>
    public int Submit(AeadOperation* operations, int count)
    {
        if (State == DispatchState.Sharing && !_device.IsHealthy)
            State = DispatchState.Abandoning;
        int taken = Math.Min(count, _order.Free);
        AeadOperation* next = operations, end = operations + taken;
        while (next != end)
        {
            AeadOperation* first = next++;
            uint length = first->Length;
            int lengthClass = DispatchPolicy.ClassOf(length);
            while (next != end && (next->Length == length || DispatchPolicy.ClassOf(next->Length) == lengthClass))
                next++;
            int run = (int)(next - first);
            bool sharing = State == DispatchState.Sharing;
            int sent = sharing && _policy.PrefersDevice(length) ? ToDevice(first, run, lengthClass) : 0;
            // What the device has no room for waits for nothing: the CPU does it.
            if (sent < run)
                ToCpu(first + sent, run - sent, lengthClass, sharing && _policy.Measures);
        }
        return taken;
    }

    /// <inheritdoc/>
    public int Poll(AeadOperation** completed, int capacity)
    {
        if (_order.Count == 0)
            return 0;
        if (State == DispatchState.Sharing && !_device.IsHealthy)
            State = DispatchState.Abandoning;
        if (State == DispatchState.Abandoning && _device.TryAbandon())
            RetryAll();
        int count = 0;
        while (count < capacity && _order.Count > 0)
        {
            int run = Math.Min(capacity - count, _order.OldestRun);
            if (_order.OldestKind == AeadBackendKind.None)
            {
                for (AeadOperation* operation = _order.Pop(run), end = operation + run; operation != end; operation++)
                    completed[count++] = operation;
                continue;
            }
            // The device gives back the oldest first, and these are its oldest.
            int collected = Collect(completed + count, run);
            if (collected == 0)
                break;
            _order.Pop(collected);
            count += collected;
        }
        return count;
    }

    /// <summary>Frees the device's queue pair and the CPU's backend.</summary>
    /// <exception cref="InvalidOperationException">Operations are in flight.</exception>
    public void Dispose()
    {
        if (_disposed)
            return;
        if (_order.Count != 0)
            throw new InvalidOperationException("Operations are in flight: poll what was submitted before.");
        _device.Dispose();
        _cpu.Dispose();
        _order.Dispose();
        _disposed = true;
    }

    private int ToDevice(AeadOperation* first, int run, int lengthClass)
    {
        int inFlight = _device.InFlight;
        int wanted = Math.Min(run, _limit - inFlight);
        if (wanted <= 0)
            return 0;
        bool measures = _policy.Measures;
        long begin = measures ? _clock() : 0;
        if (inFlight == 0)
            _waiting = false;
        int sent = _device.Submit(first, wanted);
        if (measures && sent > 0)
        {
            _policy.MeasuredSubmission(lengthClass, sent, _clock() - begin);
            _measuresCollection = true;
        }
        _order.Push(first, sent, Kind);
        SentToDevice += sent;
        return sent;
    }

    private void ToCpu(AeadOperation* first, int run, int lengthClass, bool measures)
    {
        long begin = measures ? _clock() : 0;
        _cpu.Submit(first, run);
        if (measures)
            _policy.MeasuredCpu(lengthClass, run, _clock() - begin);
        _order.Push(first, run, AeadBackendKind.None);
        SentToCpu += run;
    }

    /// <summary>Takes what the device has completed, and gives the device up if it completes nothing, or only failures.</summary>
    /// <returns>How many were written to <paramref name="completed"/>.</returns>
    private int Collect(AeadOperation** completed, int capacity)
    {
        if (State != DispatchState.Sharing)
            return 0;
        bool measures = _measuresCollection;
        long begin = measures ? _clock() : 0;
        int collected = _device.Poll(completed, capacity);
        if (collected == 0)
        {
            LookForStall();
            return 0;
        }
        if (measures)
            _policy.MeasuredCollection(collected, _clock() - begin);
        _measuresCollection = false;
        _waiting = false;
        if (_device.DeviceErrors == _errorsSeen)
            _errorsInARow = 0;
        else
            LookForErrors(completed, collected);
        return collected;
    }

    /// <summary>Does what the device failed at, and gives it up if it fails at everything.</summary>
    private void LookForErrors(AeadOperation** completed, int count)
    {
        _errorsSeen = _device.DeviceErrors;
        for (int i = 0; i < count; i++)
        {
            bool failed = completed[i]->Status == AeadStatus.BackendError;
            _errorsInARow = failed ? _errorsInARow + 1 : 0;
            if (failed)
                Retry(completed[i]);
        }
        if (_errorsInARow >= _options.ErrorLimit)
            State = DispatchState.Abandoning;
    }

    /// <summary>Called when the device has something to do, and has completed nothing.</summary>
    private void LookForStall()
    {
        // Time counts from a poll that found nothing, not from the submission: an lcore that was away for long accuses no device.
        long now = _clock();
        if (!_waiting)
        {
            _waitingSince = now;
            _waiting = true;
        }
        else if (now - _waitingSince > _stallTicks)
        {
            State = DispatchState.Abandoning;
        }
    }

    /// <summary>Does by the CPU, in order, what the stopped device had in flight.</summary>
    private void RetryAll()
    {
        for (int left = _order.Count; left > 0;)
        {
            bool waits = _order.OldestKind != AeadBackendKind.None;
            int run = _order.OldestRun;
            AeadOperation* first = _order.Pop(run);
            for (int i = 0; waits && i < run; i++)
                Retry(first + i);
            _order.Push(first, run, AeadBackendKind.None);
            left -= run;
        }
        State = DispatchState.CpuOnly;
    }

    /// <summary>Does an operation again that the device failed at and touches no more.</summary>
    private void Retry(AeadOperation* operation)
    {
        if (operation->Source != operation->Destination)
        {
            _cpu.Submit(operation, 1);
            Retried++;
            return;
        }
        // Nobody knows whether the key stream is in there already.
        nuint written = operation->Length + (operation->Direction == AeadDirection.Seal ? (nuint)AeadSizes.Tag : 0);
        NativeMemory.Clear(operation->Destination, written);
        operation->Status = AeadStatus.BackendError;
        Lost++;
    }
}
