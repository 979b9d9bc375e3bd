using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>Our engine. The descriptors stay as they are from run to run, but for the nonce that every seal must have anew.</summary>
internal sealed unsafe class EngineSubject : IBenchmarkSubject
{
    /// <summary>Operations of one run.</summary>
    public const int OperationsOfRun = AeadWorkload.Operations;

    private readonly AeadWorkload _workload;
    private readonly AeadEngine _engine;
    private readonly AeadBurst _burst = new(AeadWorkload.Operations);
    private readonly AeadKey[] _keys;
    private readonly int _burstSize;
    private ulong _nonce = AeadWorkload.Operations;

    public EngineSubject(AeadWorkload workload, IAeadBackend backend, int burstSize)
    {
        _workload = workload;
        _burstSize = burstSize;
        Name = backend.Name;
        _engine = new AeadEngine(backend);
        _keys = [.. workload.Keys.Select(key => AeadKey.Create(workload.Algorithm, key))];
        Span<byte> nonce = stackalloc byte[AeadSizes.Nonce];
        for (int i = 0; i < AeadWorkload.Operations; i++)
        {
            _burst.TryAdd(out AeadOperation* operation);
            AeadWorkload.WriteNonce(nonce, (ulong)i);
            workload.Fill(operation, i, _keys[i % _keys.Length].Handle, workload.Direction, nonce);
        }
    }

    public string Name { get; }

    public int OperationsPerRun => OperationsOfRun;

    // The same operations serve every run.
    public bool Prepare() => false;

    public void Run()
    {
        AeadOperation* first = _burst[0];
        for (int i = 0; i < AeadWorkload.Operations; i += _burstSize)
        {
            if (_workload.Direction == AeadDirection.Seal)
                RenewNonces(first + i);
            _engine.Run(first + i, _burstSize);
        }
    }

    public void Verify()
    {
        for (int i = 0; i < AeadWorkload.Operations; i++)
        {
            if (_burst[i]->Status != AeadStatus.Success)
                throw new InvalidOperationException($"{Name}: operation {i} ended with {_burst[i]->Status}.");
        }
    }

    public void Dispose()
    {
        foreach (AeadKey key in _keys)
            key.Dispose();
        _engine.Dispose();
        _burst.Dispose();
    }

    private void RenewNonces(AeadOperation* operations)
    {
        for (int i = 0; i < _burstSize; i++)
            *(ulong*)(operations[i].Nonce + 4) = _nonce++;
    }
}
