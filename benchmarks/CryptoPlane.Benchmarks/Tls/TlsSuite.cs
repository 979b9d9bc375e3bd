using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Tls;
using FrameworkSuite = System.Net.Security.TlsCipherSuite;

namespace CryptoPlane.Benchmarks.Tls;

/// <summary>TLS 1.3 records: our record layer, one by one and in bursts of 32, against SslStream on the same contents.</summary>
internal static class TlsSuite
{
    private static readonly int[] s_sizes = [64, 256, 1400, 4096, 16384];
    private static readonly int[] s_quickSizes = [64, 1400, 16384];

    private static readonly (string Name, TlsCipherSuite Ours, FrameworkSuite Theirs)[] s_suites =
    [
        ("aes-128-gcm", TlsCipherSuite.Aes128GcmSha256, FrameworkSuite.TLS_AES_128_GCM_SHA256),
        ("aes-256-gcm", TlsCipherSuite.Aes256GcmSha384, FrameworkSuite.TLS_AES_256_GCM_SHA384),
        ("chacha20-poly1305", TlsCipherSuite.ChaCha20Poly1305Sha256, FrameworkSuite.TLS_CHACHA20_POLY1305_SHA256),
    ];

    public static IEnumerable<BenchmarkResult> Run(InterleavedRunner runner, bool quick) =>
        from suite in quick ? s_suites[..1] : s_suites
        from writes in (bool[])[true, false]
        from burst in (int[])[1, 32]
        from size in quick ? s_quickSizes : s_sizes
        from result in Measure(runner, suite, writes, burst, size)
        select result;

    private static IReadOnlyList<BenchmarkResult> Measure(InterleavedRunner runner,
        (string Name, TlsCipherSuite Ours, FrameworkSuite Theirs) suite, bool writes, int burst, int size)
    {
        using var workload = new RecordWorkload(size, writes);
        return runner.Measure($"tls/{suite.Name}/{(writes ? "write" : "read")}/burst{burst}", size,
            new RecordSubject(workload, suite.Ours, burst), new SslStreamSubject(workload, suite.Theirs));
    }
}
