using BenchmarkDotNet.Attributes;
using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Aead;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.MicroBenchmarks;

/// <summary>
/// Runs of AES-128-GCM under BenchmarkDotNet, for its diagnosers (allocations, disassembly). One invocation is a run of a subject:
/// <see cref="IBenchmarkSubject.OperationsPerRun"/> operations. For comparisons with peers use eng/bench.sh, which interleaves.
/// </summary>
[InProcess]
[MemoryDiagnoser]
public class AeadBenchmarks
{
    private AeadWorkload? _workload;
    private IBenchmarkSubject? _engine, _framework, _evp;

    /// <summary>Bytes of an operation.</summary>
    [Params(64, 1408, 16384)]
    public int Bytes { get; set; }

    /// <summary>Seal or open.</summary>
    [Params(AeadDirection.Seal, AeadDirection.Open)]
    public AeadDirection Direction { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _workload = new AeadWorkload(AeadAlgorithm.Aes128Gcm, Direction, Bytes, keyCount: 1);
        IAeadBackend backend = AeadBackends.IsManagedSupported ? AeadBackends.CreateManaged() : AeadBackends.CreatePortable();
        _engine = new EngineSubject(_workload, backend, AeadWorkload.Operations);
        _framework = new FrameworkSubject(_workload);
        _evp = new EvpSubject(_workload);
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _engine?.Dispose();
        _framework?.Dispose();
        _evp?.Dispose();
        _workload?.Dispose();
    }

    [Benchmark(OperationsPerInvoke = EngineSubject.OperationsOfRun)]
    public void Engine() => _engine!.Run();

    [Benchmark(OperationsPerInvoke = FrameworkSubject.OperationsOfRun, Baseline = true)]
    public void Framework() => _framework!.Run();

    [Benchmark(OperationsPerInvoke = EvpSubject.OperationsOfRun)]
    public void Evp() => _evp!.Run();
}
