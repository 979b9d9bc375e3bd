using CryptoPlane.Aead;

namespace CryptoPlane.Tests.Aead;

/// <summary>
/// A backend that behaves like a queue pair: takes only as many operations as its queue has room for, works on them later and in an
/// order of its own, and gives them back in the order of submission. It does the work itself with a CPU backend.
/// </summary>
internal sealed unsafe class SimulatedDevice : IAeadBackend
{
    private readonly IAeadBackend _worker = AeadBackends.CreatePortable();
    private readonly Random _random;
    private readonly Slot[] _queue;
    private int _head, _count;

    /// <param name="depth">Operations that fit into the queue.</param>
    /// <param name="seed">Of the order in which the device works.</param>
    /// <param name="kind">Devices of different kinds hold sessions of their own.</param>
    public SimulatedDevice(int depth, int seed, AeadBackendKind kind = AeadBackendKind.Custom)
    {
        _queue = new Slot[depth];
        _random = new Random(seed);
        Kind = kind;
    }

    /// <summary>Sessions that were made and not freed.</summary>
    public int Sessions { get; private set; }

    /// <summary>Sessions that the device can have; a key beyond that goes to another backend.</summary>
    public int MaxSessions { get; init; } = int.MaxValue;

    /// <summary>Operations that were done before an older one: proof that the order inside is not the order of submission.</summary>
    public int OutOfOrder { get; private set; }

    /// <summary>How often a burst was not taken whole.</summary>
    public int ShortCounts { get; private set; }

    /// <summary>While true the device does nothing.</summary>
    public bool Stalled { get; set; }

    public string Name => "simulated";

    public string Description => "simulated: a queue of " + _queue.Length;

    public AeadBackendKind Kind { get; }

    public bool IsSynchronous => false;

    public int InFlight => _count;

    public bool Supports(AeadAlgorithm algorithm) => true;

    public bool TryAttachKey(AeadKeyHandle key)
    {
        if (Sessions >= MaxSessions || !_worker.TryAttachKey(key))
            return false;
        Sessions++;
        return true;
    }

    public void DetachKey(AeadKeyHandle key)
    {
        _worker.DetachKey(key);
        Sessions--;
    }

    public int Submit(AeadOperation* operations, int count)
    {
        int taken = Math.Min(count, _queue.Length - _count);
        if (taken < count)
            ShortCounts++;
        for (int i = 0; i < taken; i++)
        {
            operations[i].Status = AeadStatus.Pending;
            _queue[(_head + _count++) % _queue.Length] = new Slot { Operation = operations + i };
        }
        return taken;
    }

    public int Poll(AeadOperation** completed, int capacity)
    {
        Work();
        int given = 0;
        while (given < capacity && _count > 0 && _queue[_head].Done)
        {
            completed[given++] = _queue[_head].Operation;
            _head = (_head + 1) % _queue.Length;
            _count--;
        }
        return given;
    }

    public void Dispose() => _worker.Dispose();

    /// <summary>Does some of the operations in the queue, picked at random.</summary>
    private void Work()
    {
        if (Stalled)
            return;
        bool olderWaits = false;
        for (int i = 0; i < _count; i++)
        {
            ref Slot slot = ref _queue[(_head + i) % _queue.Length];
            if (!slot.Done && _random.Next(3) == 0)
            {
                _worker.Submit(slot.Operation, 1);
                slot.Done = true;
                if (olderWaits)
                    OutOfOrder++;
            }
            olderWaits |= !slot.Done;
        }
    }

    private struct Slot
    {
        public AeadOperation* Operation;
        public bool Done;
    }
}
