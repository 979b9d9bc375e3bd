using BenchmarkDotNet.Attributes;
using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Aead;

namespace CryptoPlane.MicroBenchmarks;

/// <summary>
/// Single AES-128-GCM operations under BenchmarkDotNet, for its diagnosers (allocations, disassembly): the subjects of eng/bench.sh aead,
/// which interleaves and is what to compare with peers by. A subject that this machine lacks fails, and says why.
/// </summary>
[InProcess]
[MemoryDiagnoser]
public class AeadBenchmarks
{
    private AeadWorkload? _workload;
    private AeadSubject? _subject;

    /// <summary>Bytes of an operation.</summary>
    [Params(64, 1408, 16384)]
    public int Bytes { get; set; }

    /// <summary>Seal or open.</summary>
    [Params(AeadDirection.Seal, AeadDirection.Open)]
    public AeadDirection Direction { get; set; }

    [GlobalSetup(Target = nameof(Native))]
    public void SetUpNative() => SetUp(workload => new EngineSubject("native", "native", workload, AeadBackends.CreateNative(), 1));

    [GlobalSetup(Target = nameof(Managed))]
    public void SetUpManaged() => SetUp(workload => new EngineSubject("managed", "managed", workload, AeadBackends.CreateManaged(), 1));

    [GlobalSetup(Target = nameof(Portable))]
    public void SetUpPortable() => SetUp(workload => new EngineSubject("portable", "portable", workload, AeadBackends.CreatePortable(), 1));

    [GlobalSetup(Target = nameof(AesGcm))]
    public void SetUpAesGcm() => SetUp(workload => new FrameworkSubject(workload));

    [GlobalSetup(Target = nameof(Evp))]
    public void SetUpEvp() => SetUp(workload => new PeerSubject(workload, PeerLibrary.Evp
        ?? throw new PlatformNotSupportedException("Build the peers first: eng/bench/build-peers.sh, and set CRYPTOPLANE_BENCH_PEERS.")));

    [GlobalCleanup]
    public void CleanUp()
    {
        _subject?.Verify();
        _subject?.Dispose();
        _workload?.Dispose();
    }

    [Benchmark(OperationsPerInvoke = AeadWorkload.FewOperations)]
    public void Native() => _subject!.Run();

    [Benchmark(OperationsPerInvoke = AeadWorkload.FewOperations)]
    public void Managed() => _subject!.Run();

    [Benchmark(OperationsPerInvoke = AeadWorkload.FewOperations)]
    public void Portable() => _subject!.Run();

    [Benchmark(OperationsPerInvoke = AeadWorkload.FewOperations, Baseline = true)]
    public void AesGcm() => _subject!.Run();

    [Benchmark(OperationsPerInvoke = AeadWorkload.FewOperations)]
    public void Evp() => _subject!.Run();

    private void SetUp(Func<AeadWorkload, AeadSubject> create)
    {
        _workload = new AeadWorkload(new AeadCase(AeadAlgorithm.Aes128Gcm, Direction, SizeMix.Of(Bytes), AeadWorkload.FewOperations));
        _subject = create(_workload);
    }
}
