using System.Numerics;
using System.Runtime.InteropServices;

namespace CryptoPlane.Aead;

/// <summary>
/// What an engine has submitted and not given back, oldest first: a ring in native memory, of one lcore. Each entry says which kind of
/// backend the operation waits for; <see cref="AeadBackendKind.None"/> if for none, since it has completed already.
/// </summary>
internal sealed unsafe class SubmissionRing : IDisposable
{
    private readonly uint _mask;
    private AeadOperation** _operations;
    private AeadBackendKind* _kinds;
    private uint _head, _tail;

    /// <param name="capacity">A power of two.</param>
    public SubmissionRing(int capacity)
    {
        if (!BitOperations.IsPow2(capacity))
            throw new ArgumentException("The capacity must be a power of two.", nameof(capacity));
        _mask = (uint)capacity - 1;
        _operations = (AeadOperation**)NativeMemory.Alloc((nuint)capacity, (nuint)sizeof(AeadOperation*));
        _kinds = (AeadBackendKind*)NativeMemory.Alloc((nuint)capacity);
    }

    public int Count => (int)(_tail - _head);

    public int Free => (int)(_mask + 1 - (_tail - _head));

    /// <summary>What the oldest waits for; the ring must not be empty.</summary>
    public AeadBackendKind OldestKind => _kinds[_head & _mask];

    /// <summary>Appends one; the caller has checked <see cref="Free"/>.</summary>
    public void Push(AeadOperation* operation, AeadBackendKind kind)
    {
        uint slot = _tail++ & _mask;
        _operations[slot] = operation;
        _kinds[slot] = kind;
    }

    /// <summary>Takes the oldest; the ring must not be empty.</summary>
    public AeadOperation* Pop() => _operations[_head++ & _mask];

    public void Dispose()
    {
        NativeMemory.Free(_operations);
        NativeMemory.Free(_kinds);
        _operations = null;
        _kinds = null;
    }
}
