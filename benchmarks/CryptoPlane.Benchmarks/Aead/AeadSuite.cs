using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>Single AEAD operations: our backends against the framework and EVP, on the same buffers.</summary>
internal static class AeadSuite
{
    private static readonly int[] s_sizes = [16, 64, 128, 256, 512, 1024, 1408, 4096, 8192, 16384];
    private static readonly int[] s_quickSizes = [64, 256, 1408, 16384];

    public static IEnumerable<BenchmarkResult> Run(InterleavedRunner runner, bool quick) =>
        from backend in Backends(quick)
        from direction in (AeadDirection[])[AeadDirection.Seal, AeadDirection.Open]
        from shape in ((int Burst, int Keys)[])[(1, 1), (32, 1), (32, 32)]
        from size in quick ? s_quickSizes : s_sizes
        from result in Measure(runner, backend.Algorithm, backend.Create, direction, size, shape.Burst, shape.Keys)
        select result;

    /// <summary>The managed kernels where the CPU has what they need, and libcrypto for what they cannot do (or, in full, beside them).</summary>
    private static IEnumerable<(AeadAlgorithm Algorithm, Func<IAeadBackend> Create)> Backends(bool quick)
    {
        AeadAlgorithm[] aes = [AeadAlgorithm.Aes128Gcm, AeadAlgorithm.Aes256Gcm];
        if (AeadBackends.IsManagedSupported)
        {
            foreach (AeadAlgorithm algorithm in aes)
                yield return (algorithm, AeadBackends.CreateManaged);
        }
        if (!quick || !AeadBackends.IsManagedSupported)
        {
            foreach (AeadAlgorithm algorithm in aes)
                yield return (algorithm, AeadBackends.CreatePortable);
        }
        yield return (AeadAlgorithm.ChaCha20Poly1305, AeadBackends.CreatePortable);
    }

    private static IReadOnlyList<BenchmarkResult> Measure(InterleavedRunner runner, AeadAlgorithm algorithm, Func<IAeadBackend> create,
        AeadDirection direction, int size, int burst, int keys)
    {
        using var workload = new AeadWorkload(algorithm, direction, size, keys);
        var ours = new EngineSubject(workload, create(), burst);
        string name = $"{ours.Name}/{NameOf(algorithm)}/{(direction == AeadDirection.Seal ? "seal" : "open")}/burst{burst}/keys{keys}";
        return runner.Measure(name, size, ours, new FrameworkSubject(workload), new EvpSubject(workload));
    }

    private static string NameOf(AeadAlgorithm algorithm) => algorithm switch
    {
        AeadAlgorithm.Aes128Gcm => "aes-128-gcm",
        AeadAlgorithm.Aes256Gcm => "aes-256-gcm",
        _ => "chacha20-poly1305",
    };
}
