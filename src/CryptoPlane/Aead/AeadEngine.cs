using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead.Native;

namespace CryptoPlane.Aead;

/// <summary>
/// The AEAD engine of one lcore: takes bursts of operations that may mix keys, algorithms, sizes and directions, sends each to the
/// backend that its key is attached to, and gives completions back in the order of submission.
/// </summary>
/// <remarks>
/// <para>Thread ownership: everything on the lcore that owns the engine. A control thread that makes keys may have an engine of its
/// own and attach them there: what a key keeps is good for every engine.</para>
/// <para>Call order: <see cref="Submit"/> · <see cref="Poll"/>, as often as you like, in any mix; or <see cref="Run"/> where nothing
/// is to be gained by waiting elsewhere. The data path neither allocates managed memory nor throws.</para>
/// </remarks>
public sealed unsafe partial class AeadEngine : IDisposable
{
    /// <summary>Most operations that an engine has in flight at once.</summary>
    public const int MaxInFlight = 4096;

    private const int PollBatch = 64;
    private const int Kinds = byte.MaxValue + 1;

    private readonly IAeadBackend[] _backends;

    /// <summary>The backend of each kind, which is how a key names its own.</summary>
    private readonly IAeadBackend?[] _byKind = new IAeadBackend?[Kinds];

    /// <summary>Per kind: operations that the backend has completed and that the engine has yet to give back.</summary>
    private readonly int[] _ready = new int[Kinds];

    private readonly SubmissionRing _order = new(MaxInFlight);
    private readonly AeadOperation** _polled;
    private readonly string _choice;
    private AeadKeyBlock* _retired;

    /// <summary>Makes an engine with the given backends, the preferred first.</summary>
    /// <param name="backends">The engine owns them from now on. At most one of a kind.</param>
    /// <exception cref="ArgumentException">There is no backend, or two are of one kind.</exception>
    public AeadEngine(params IAeadBackend[] backends)
        : this("chosen by the caller", backends)
    {
    }

    private AeadEngine(string choice, IAeadBackend[] backends)
    {
        ArgumentNullException.ThrowIfNull(backends);
        if (backends.Length == 0)
            throw new ArgumentException("An engine needs a backend.", nameof(backends));
        foreach (IAeadBackend backend in backends)
        {
            if (backend.Kind == AeadBackendKind.None || _byKind[(int)backend.Kind] != null)
                throw new ArgumentException($"Backend '{backend.Name}' is of kind {backend.Kind}: one backend of each kind, and none of kind None.", nameof(backends));
            _byKind[(int)backend.Kind] = backend;
        }
        _backends = backends;
        _choice = choice;
        _polled = (AeadOperation**)NativeMemory.Alloc(PollBatch, (nuint)sizeof(AeadOperation*));
    }

    /// <summary>The best engine that this machine has without devices, unless the options or the environment say otherwise.</summary>
    /// <exception cref="PlatformNotSupportedException">A backend was asked for that is not there, or that this CPU cannot run.</exception>
    /// <exception cref="InvalidOperationException">
    /// An environment variable or option has a value that is none of its choices; or the backend that was asked for failed its self-test.
    /// </exception>
    public static AeadEngine CreateDefault(AeadEngineOptions? options = null)
    {
        string? forced = Environment.GetEnvironmentVariable(AeadEngineOptions.EnvironmentVariable);
        options ??= new AeadEngineOptions();
        (AeadBackendChoice choice, string reason) = options.Resolve(forced);
        (string? tier, string tierReason) = options.ResolveTier(Environment.GetEnvironmentVariable(NativeAeadLibrary.TierVariable));
        string? library = options.ResolveLibrary(Environment.GetEnvironmentVariable(NativeAeadLibrary.PathVariable));
        IAeadBackend[] backends = AeadBackends.Create(choice, tier, library, LogOnce.To(options.Log));
        return new AeadEngine(backends[0].Kind == AeadBackendKind.Native ? reason + tierReason : reason, backends);
    }

    /// <summary>One line for people: the backends in their order of preference, and who chose them.</summary>
    public string Description => $"{string.Join("; ", _backends.Select(backend => backend.Description))} ({_choice})";

    /// <summary>Operations submitted and not yet polled.</summary>
    public int InFlight => _order.Count;

    /// <summary>
    /// Attaches a key to the first backend that takes it. Optional (<see cref="Submit"/> does it at the first use), and worth calling
    /// on a control thread's engine where attaching is dear, as with a device's sessions.
    /// </summary>
    /// <returns>False if no backend takes the key.</returns>
    public bool TryAttachKey(AeadKeyHandle key)
    {
        if (key.IsNull)
            return false;
        AeadKeyBlock* block = key.Block;
        if (_byKind[(int)block->Backend] != null)
            return true;
        return TryAttachNew(key);
    }

    /// <summary>Submits a burst of operations that lie side by side in native memory.</summary>
    /// <returns>How many were taken, from the front; fewer than <paramref name="count"/> is back-pressure.</returns>
    public int Submit(AeadOperation* operations, int count)
    {
        int room = Math.Min(count, _order.Free);
        int taken = 0;
        while (taken < room)
        {
            AeadOperation* first = operations + taken;
            int run = RunLength(first, room - taken, out IAeadBackend? backend, out AeadKeyHandle key);
            if (backend == null)
            {
                first->Status = AeadStatus.InvalidOperation;
                _order.Push(first, 1, AeadBackendKind.None);
                taken++;
            }
            else if (backend.IsSynchronous)
            {
                backend.Submit(first, run);
                _order.Push(first, run, AeadBackendKind.None);
                taken += run;
            }
            else
            {
                int accepted = SubmitToDevice(backend, first, run, key);
                taken += accepted;
                if (accepted < run)
                    break;
            }
        }
        return taken;
    }

    /// <summary>Collects completed operations in the order of their submission.</summary>
    /// <returns>How many were written to <paramref name="completed"/>.</returns>
    public int Poll(AeadOperation** completed, int capacity)
    {
        CollectFromDevices();
        int count = 0, run;
        while (count < capacity && (run = TakeOldest(capacity - count, out AeadOperation* first)) > 0)
        {
            for (AeadOperation* end = first + run; first != end; first++)
                completed[count++] = first;
        }
        if (_retired != null)
            FreeRetired();
        return count;
    }

    /// <summary>Carries out a burst: all of it has completed on return. Nothing else may be in flight.</summary>
    /// <exception cref="InvalidOperationException">Operations of an earlier <see cref="Submit"/> are in flight.</exception>
    public void Run(AeadOperation* operations, int count)
    {
        if (_order.Count != 0)
            ThrowInFlight();
        int done = 0;
        while (done < count)
        {
            AeadOperation* first = operations + done;
            int run = RunLength(first, count - done, out IAeadBackend? backend, out AeadKeyHandle key);
            if (backend == null)
                first->Status = AeadStatus.InvalidOperation;
            else if (backend.IsSynchronous)
                backend.Submit(first, run);
            else
            {
                // A device works on while later operations are submitted, so the rest of the burst goes the whole way.
                SubmitAndPoll(backend, first, run, key, count - done);
                return;
            }
            done += run;
        }
    }

    /// <summary>Gives a detached key back: it is zeroed and freed once nothing in flight uses it.</summary>
    /// <exception cref="InvalidOperationException">The key is attached to a device that this engine does not have.</exception>
    public void Retire(AeadKeyHandle key)
    {
        AeadKeyBlock* block = key.Block;
        if (block == null || block->Retired)
            return;
        if (_byKind[(int)block->Backend] == null && !AeadBackends.TryDetach(key))
            throw new InvalidOperationException("The key is attached to a device of another engine: retire it there.");
        block->Retired = true;
        block->NextRetired = _retired;
        _retired = block;
        FreeRetired();
    }

    /// <summary>Frees the backends and every retired key.</summary>
    /// <exception cref="InvalidOperationException">Operations are in flight.</exception>
    public void Dispose()
    {
        if (_order.Count != 0)
            ThrowInFlight();
        FreeRetired();
        foreach (IAeadBackend backend in _backends)
            backend.Dispose();
        _order.Dispose();
        NativeMemory.Free(_polled);
        FreeScratch();
    }

    /// <summary>How many operations from <paramref name="first"/> on go to the same backend.</summary>
    /// <returns>At least 1.</returns>
    /// <param name="first">The first operation.</param>
    /// <param name="limit">How many there are, at least 1.</param>
    /// <param name="backend">Their backend; null if the first operation cannot be carried out.</param>
    /// <param name="shared">The key, if all of them have one; else null.</param>
    private int RunLength(AeadOperation* first, int limit, out IAeadBackend? backend, out AeadKeyHandle shared)
    {
        backend = null;
        shared = default;
        if (first->Length > int.MaxValue || !TryAttachKey(first->Key))
            return 1;
        AeadKeyHandle key = shared = first->Key;
        AeadBackendKind kind = key.Block->Backend;
        backend = _byKind[(int)kind];
        AeadOperation* next = first + 1, end = first + limit;
        for (; next != end; next++)
        {
            if ((int)next->Length < 0)
                break;
            if (next->Key == key)
                continue;
            // A key that is not attached yet ends the run, and begins the next one with its attachment.
            if (next->Key.IsNull || next->Key.Block->Backend != kind)
                break;
            key = next->Key;
            shared = default;
        }
        return (int)(next - first);
    }

    private int SubmitToDevice(IAeadBackend backend, AeadOperation* first, int run, AeadKeyHandle shared)
    {
        CountInFlight(first, run, shared, 1);
        int accepted = backend.Submit(first, run);
        _order.Push(first, accepted, backend.Kind, shared);
        if (accepted < run)
            CountInFlight(first + accepted, run - accepted, shared, -1);
        return accepted;
    }

    /// <summary>Counts what becomes of operations with their keys.</summary>
    private static void CountInFlight(AeadOperation* first, int count, AeadKeyHandle shared, int change)
    {
        if (!shared.IsNull)
        {
            shared.Block->InFlight += count * change;
            return;
        }
        for (AeadOperation* end = first + count; first != end; first++)
            first->Key.Block->InFlight += change;
    }

    private void SubmitAndPoll(IAeadBackend backend, AeadOperation* operations, int firstRun, AeadKeyHandle shared, int count)
    {
        int submitted = SubmitToDevice(backend, operations, Math.Min(firstRun, _order.Free), shared), completed = 0;
        while (true)
        {
            CollectFromDevices();
            int run;
            while ((run = TakeOldest(count, out _)) > 0)
                completed += run;
            if (completed == count)
                break;
            if (submitted < count)
                submitted += Submit(operations + submitted, count - submitted);
        }
        if (_retired != null)
            FreeRetired();
    }

    /// <summary>Asks every backend with something in flight what it has completed.</summary>
    private void CollectFromDevices()
    {
        foreach (IAeadBackend backend in _backends)
        {
            int polled;
            while (backend.InFlight > 0 && (polled = backend.Poll(_polled, PollBatch)) > 0)
                _ready[(int)backend.Kind] += polled;
        }
    }

    /// <summary>Takes the oldest operations if they have completed, as many as lie side by side.</summary>
    /// <returns>How many; 0 if the oldest has not completed, or nothing is in flight.</returns>
    private int TakeOldest(int limit, out AeadOperation* first)
    {
        first = null;
        if (_order.Count == 0)
            return 0;
        int run = Math.Min(limit, _order.OldestRun);
        AeadBackendKind kind = _order.OldestKind;
        if (kind != AeadBackendKind.None)
        {
            // Every backend completes in the order of its submissions, so a count says which ones are ready.
            ref int ready = ref _ready[(int)kind];
            run = Math.Min(run, ready);
            if (run == 0)
                return 0;
            ready -= run;
        }
        AeadKeyHandle shared = _order.OldestKey;
        first = _order.Pop(run);
        if (kind != AeadBackendKind.None)
            CountInFlight(first, run, shared, -1);
        return run;
    }

    /// <summary>Attaches a key that has no backend yet, or one of the CPU's that this engine was made without.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryAttachNew(AeadKeyHandle key)
    {
        if (!AeadBackends.TryDetach(key))
            return false;
        foreach (IAeadBackend backend in _backends)
        {
            if (backend.Supports(key.Algorithm) && backend.TryAttachKey(key))
            {
                key.Block->Backend = backend.Kind;
                return true;
            }
        }
        return false;
    }

    private void FreeRetired()
    {
        // Sound: the list's head is a field of this object, pinned for the walk.
        fixed (AeadKeyBlock** head = &_retired)
        {
            AeadKeyBlock** link = head;
            while (*link != null)
            {
                AeadKeyBlock* block = *link;
                if (block->InFlight != 0)
                {
                    link = &block->NextRetired;
                    continue;
                }
                *link = block->NextRetired;
                _byKind[(int)block->Backend]?.DetachKey(new AeadKeyHandle(block));
                AeadKeyBlock.Free(block);
            }
        }
    }

    private static void ThrowInFlight() => throw new InvalidOperationException("Operations are in flight: poll what was submitted before.");
}
