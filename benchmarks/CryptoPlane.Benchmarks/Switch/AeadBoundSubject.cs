using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Esp;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>
/// What no switch with these kernels can be faster than: opening with one key and sealing with another, for every packet, in bursts of the
/// same size and order, and nothing else.
/// </summary>
internal sealed unsafe class AeadBoundSubject : IBenchmarkSubject
{
    private const int Stride = 2048 + 128, Aad = 12, Around = EspOverhead.Header + EspOverhead.Iv + EspOverhead.Icv;

    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly AeadKeyArena _arena;
    private readonly AeadKeyHandle[] _openKeys, _sealKeys;
    private readonly int[] _order;
    private readonly int _burst, _length;
    private AeadOperation* _opens, _seals;
    private byte* _data;
    private long _position;

    /// <param name="tunnels">Keys of either direction.</param>
    /// <param name="innerLength">Bytes of an inner packet.</param>
    /// <param name="count">Packets of a run.</param>
    /// <param name="burst">Operations in one call of the engine.</param>
    public AeadBoundSubject(int tunnels, int innerLength, int count, int burst)
    {
        OperationsPerRun = count;
        _burst = burst;
        _length = EspOverhead.EspLength(innerLength) - Around;
        _arena = new AeadKeyArena(2 * tunnels);
        _openKeys = new AeadKeyHandle[tunnels];
        _sealKeys = new AeadKeyHandle[tunnels];
        byte[] key = new byte[16];
        var random = new Random(tunnels);
        for (int i = 0; i < tunnels; i++)
        {
            random.NextBytes(key);
            _openKeys[i] = AeadKey.CreateDetached(AeadAlgorithm.Aes128Gcm, key, _arena);
            random.NextBytes(key);
            _sealKeys[i] = AeadKey.CreateDetached(AeadAlgorithm.Aes128Gcm, key, _arena);
        }
        _order = [.. Enumerable.Range(0, tunnels)];
        random.Shuffle(_order);
        nuint bytes = (nuint)(count * AeadOperation.SizeInBytes);
        _opens = (AeadOperation*)NativeMemory.AlignedAlloc(bytes, AeadOperation.SizeInBytes);
        _seals = (AeadOperation*)NativeMemory.AlignedAlloc(bytes, AeadOperation.SizeInBytes);
        NativeMemory.Clear(_opens, bytes);
        NativeMemory.Clear(_seals, bytes);
        _data = (byte*)NativeMemory.AlignedAlloc((nuint)(count * Stride), 64);
    }

    public string Name => "AEAD alone";

    public int OperationsPerRun { get; }

    public bool Prepare()
    {
        for (int i = 0; i < OperationsPerRun; i++)
        {
            int tunnel = _order[_position++ % _order.Length];
            Set(_seals + i, i, _openKeys[tunnel], AeadDirection.Seal);
        }
        RunBursts(_seals);
        for (int i = 0; i < OperationsPerRun; i++)
        {
            Set(_opens + i, i, _seals[i].Key, AeadDirection.Open);
            Set(_seals + i, i, _sealKeys[_order[(_position - OperationsPerRun + i) % _order.Length]], AeadDirection.Seal);
        }
        return true;
    }

    public void Run()
    {
        RunBursts(_opens);
        RunBursts(_seals);
    }

    public void Verify()
    {
        for (int i = 0; i < OperationsPerRun; i++)
        {
            if (_opens[i].Status != AeadStatus.Success || _seals[i].Status != AeadStatus.Success)
                throw new InvalidOperationException($"{Name}: an operation failed.");
        }
    }

    public void Dispose()
    {
        foreach (AeadKeyHandle key in _openKeys.Concat(_sealKeys))
            _engine.Retire(key);
        _engine.Dispose();
        _arena.Dispose();
        NativeMemory.AlignedFree(_opens);
        NativeMemory.AlignedFree(_seals);
        NativeMemory.AlignedFree(_data);
        _opens = _seals = null;
        _data = null;
    }

    private void RunBursts(AeadOperation* operations)
    {
        for (int first = 0; first < OperationsPerRun; first += _burst)
            _engine.Run(operations + first, Math.Min(_burst, OperationsPerRun - first));
    }

    private void Set(AeadOperation* operation, int index, AeadKeyHandle key, AeadDirection direction)
    {
        Span<byte> aad = stackalloc byte[Aad];
        Span<byte> nonce = stackalloc byte[AeadSizes.Nonce];
        aad.Clear();
        nonce.Clear();
        // What is measured protects nothing: opening takes the nonce that sealing took.
        MemoryMarshal.Write(nonce, index);
        operation->Source = operation->Destination = _data + (index * Stride);
        operation->Length = (uint)_length;
        operation->Key = key;
        operation->Direction = direction;
        operation->Status = AeadStatus.Pending;
        operation->SetInlineAad(aad);
        operation->SetNonce(nonce);
    }
}
