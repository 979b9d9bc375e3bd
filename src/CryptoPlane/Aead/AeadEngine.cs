using System.Runtime.InteropServices;
using CryptoPlane.Aead.Portable;

namespace CryptoPlane.Aead;

/// <summary>
/// The AEAD engine of one lcore: takes bursts of operations that may mix keys, algorithms, sizes and directions, sends each to the
/// backend that its key is attached to, and gives completions back in the order of submission.
/// </summary>
/// <remarks>
/// <para>Thread ownership: everything but <see cref="TryAttachKey"/> on the lcore that owns the engine.</para>
/// <para>Call order: <see cref="Submit"/> · <see cref="Poll"/>, as often as you like, in any mix; or <see cref="Run"/> where nothing
/// is to be gained by waiting elsewhere. The data path neither allocates managed memory nor throws.</para>
/// </remarks>
public sealed unsafe class AeadEngine : IDisposable
{
    /// <summary>Most operations that an engine has in flight at once.</summary>
    public const int MaxInFlight = 4096;

    private const int PollBatch = 64;

    private readonly IAeadBackend[] _backends;
    private readonly CompletionRing _order = new(MaxInFlight);
    private readonly AeadOperation** _polled;
    private AeadKeyBlock* _retired;

    /// <summary>Makes an engine with the given backends, the preferred first.</summary>
    /// <param name="backends">The engine owns them from now on. At most 255.</param>
    public AeadEngine(params IAeadBackend[] backends)
    {
        ArgumentNullException.ThrowIfNull(backends);
        ArgumentOutOfRangeException.ThrowIfZero(backends.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(backends.Length, byte.MaxValue);
        _backends = backends;
        _polled = (AeadOperation**)NativeMemory.Alloc(PollBatch, (nuint)sizeof(AeadOperation*));
    }

    /// <summary>The best engine that this machine has without devices.</summary>
    public static AeadEngine CreateDefault() => new(AeadBackends.CreateDefault());

    /// <summary>One line for people: the backends in their order of preference.</summary>
    public string Description => string.Join("; ", _backends.Select(backend => backend.Description));

    /// <summary>Operations submitted and not yet polled.</summary>
    public int InFlight => _order.Count;

    /// <summary>
    /// Attaches a key to the first backend that takes it. Optional (<see cref="Submit"/> does it at the first use), and worth calling
    /// on a control thread where attaching is dear, as with a device's sessions.
    /// </summary>
    /// <returns>False if no backend takes the key.</returns>
    public bool TryAttachKey(AeadKeyHandle key)
    {
        if (key.IsNull)
            return false;
        if (key.Block->Backend != 0)
            return true;
        for (int i = 0; i < _backends.Length; i++)
        {
            if (_backends[i].Supports(key.Algorithm) && _backends[i].TryAttachKey(key))
            {
                key.Block->Backend = (byte)(i + 1);
                return true;
            }
        }
        return false;
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
            if (first->Length > int.MaxValue || !TryAttachKey(first->Key))
            {
                first->Status = AeadStatus.InvalidOperation;
                if (!first->Key.IsNull)
                    first->Key.Block->InFlight++;
                _order.Push(first);
                taken++;
                continue;
            }
            int run = RunLength(first, room - taken);
            for (int i = 0; i < run; i++)
            {
                first[i].Status = AeadStatus.Pending;
                first[i].Key.Block->InFlight++;
            }
            int accepted = _backends[first->Key.Block->Backend - 1].Submit(first, run);
            for (int i = 0; i < accepted; i++)
                _order.Push(first + i);
            for (int i = accepted; i < run; i++)
                first[i].Key.Block->InFlight--;
            taken += accepted;
            if (accepted < run)
                break;
        }
        return taken;
    }

    /// <summary>Collects completed operations in the order of their submission.</summary>
    /// <returns>How many were written to <paramref name="completed"/>.</returns>
    public int Poll(AeadOperation** completed, int capacity)
    {
        foreach (IAeadBackend backend in _backends)
        {
            while (backend.InFlight > 0 && backend.Poll(_polled, PollBatch) > 0)
            {
                // The statuses in the descriptors say all; the order is kept below.
            }
        }
        int count = 0;
        while (count < capacity && _order.Count > 0 && _order.Peek()->Status != AeadStatus.Pending)
        {
            AeadOperation* operation = _order.Peek();
            _order.Drop();
            if (!operation->Key.IsNull)
                operation->Key.Block->InFlight--;
            completed[count++] = operation;
        }
        if (_retired != null)
            FreeRetired();
        return count;
    }

    /// <summary>Submits a burst and polls until all of it has completed. Nothing else may be in flight.</summary>
    /// <exception cref="InvalidOperationException">Operations of an earlier <see cref="Submit"/> are in flight.</exception>
    public void Run(AeadOperation* operations, int count)
    {
        if (_order.Count != 0)
            throw new InvalidOperationException("Poll what was submitted before, then call Run.");
        AeadOperation** done = stackalloc AeadOperation*[PollBatch];
        int submitted = 0, completed = 0;
        while (completed < count)
        {
            submitted += Submit(operations + submitted, count - submitted);
            completed += Poll(done, PollBatch);
        }
    }

    /// <summary>Gives a detached key back: it is zeroed and freed once nothing in flight uses it.</summary>
    public void Retire(AeadKeyHandle key)
    {
        AeadKeyBlock* block = key.Block;
        if (block == null || block->Retired)
            return;
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
            throw new InvalidOperationException("Poll what is in flight before disposing of the engine.");
        FreeRetired();
        foreach (IAeadBackend backend in _backends)
            backend.Dispose();
        _order.Dispose();
        NativeMemory.Free(_polled);
    }

    /// <summary>How many operations from <paramref name="first"/> on go to the same backend.</summary>
    private int RunLength(AeadOperation* first, int limit)
    {
        byte backend = first->Key.Block->Backend;
        int run = 1;
        while (run < limit && first[run].Length <= int.MaxValue && TryAttachKey(first[run].Key) && first[run].Key.Block->Backend == backend)
            run++;
        return run;
    }

    private void FreeRetired()
    {
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
                if (block->Backend != 0)
                    _backends[block->Backend - 1].DetachKey(new AeadKeyHandle(block));
                AeadKeyBlock.Free(block);
            }
        }
    }
}
