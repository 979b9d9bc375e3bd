using System.Numerics;
using System.Runtime.InteropServices;

namespace CryptoPlane.Aead;

/// <summary>
/// What an engine has submitted and not given back, oldest first: a ring in native memory, of one lcore. Operations lie side by side in a
/// burst, so an entry is a run of them. It says which kind of backend they wait for; <see cref="AeadBackendKind.None"/> if for none, since
/// they have completed already.
/// </summary>
internal sealed unsafe class SubmissionRing : IDisposable
{
    private readonly int _capacity;
    private readonly uint _mask;
    private Run* _runs;
    private uint _head, _tail;

    /// <param name="capacity">Most operations; a power of two.</param>
    public SubmissionRing(int capacity)
    {
        if (!BitOperations.IsPow2(capacity))
            throw new ArgumentException("The capacity must be a power of two.", nameof(capacity));
        // A run has one operation at least, so there are never more runs.
        _capacity = capacity;
        _mask = (uint)capacity - 1;
        _runs = (Run*)NativeMemory.Alloc((nuint)capacity, (nuint)sizeof(Run));
    }

    /// <summary>Operations in the ring.</summary>
    public int Count { get; private set; }

    /// <summary>Operations that it has room for.</summary>
    public int Free => _capacity - Count;

    /// <summary>What the oldest waits for; the ring must not be empty.</summary>
    public AeadBackendKind OldestKind => _runs[_head & _mask].Kind;

    /// <summary>How many from the oldest on lie side by side and wait for the same; the ring must not be empty.</summary>
    public int OldestRun => _runs[_head & _mask].Count;

    /// <summary>The key of the oldest run, if all of its operations have one, as its owner said; the ring must not be empty.</summary>
    public AeadKeyHandle OldestKey => _runs[_head & _mask].Key;

    /// <summary>Appends operations that lie side by side; the caller has checked <see cref="Free"/>. None appends nothing.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="count">How many.</param>
    /// <param name="kind">What they wait for.</param>
    /// <param name="key">Their key, where they have one and the owner wants to know it again.</param>
    public void Push(AeadOperation* first, int count, AeadBackendKind kind, AeadKeyHandle key = default)
    {
        if (count == 0)
            return;
        Run* run = _runs + (_tail++ & _mask);
        run->First = first;
        run->Count = count;
        run->Kind = kind;
        run->Key = key;
        Count += count;
    }

    /// <summary>Takes the oldest operations.</summary>
    /// <param name="count">1 to <see cref="OldestRun"/>.</param>
    /// <returns>The first of them.</returns>
    public AeadOperation* Pop(int count)
    {
        Run* run = _runs + (_head & _mask);
        AeadOperation* first = run->First;
        run->First += count;
        run->Count -= count;
        if (run->Count == 0)
            _head++;
        Count -= count;
        return first;
    }

    public void Dispose()
    {
        NativeMemory.Free(_runs);
        _runs = null;
    }

    private struct Run
    {
        public AeadOperation* First;
        public AeadKeyHandle Key;
        public int Count;
        public AeadBackendKind Kind;
    }
}
