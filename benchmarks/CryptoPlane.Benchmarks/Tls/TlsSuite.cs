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

    public static IReadOnlyList<BenchmarkResult> Run(InterleavedRunner runner, bool quick)
    {
        (string Name, TlsCipherSuite Ours, FrameworkSuite Theirs, bool Writes, int Burst, int Size)[] cases =
        [
            .. from suite in quick ? s_suites[..1] : s_suites
               from writes in (bool[])[true, false]
               from burst in (int[])[1, 32]
               from size in quick ? s_quickSizes : s_sizes
               select ($"tls/{suite.Name}/{(writes ? "write" : "read")}/burst{burst}", suite.Ours, suite.Theirs, writes, burst, size),
        ];
        var progress = new ProgressLine(cases.Length);
        var results = new List<BenchmarkResult>();
        foreach ((string name, TlsCipherSuite ours, FrameworkSuite theirs, bool writes, int burst, int size) in cases)
        {
            progress.Next($"{name} {size} B");
            using var workload = new RecordWorkload(size, writes);
            using var record = new RecordSubject(workload, ours, burst);
            using var peer = new SslStreamSubject(workload, theirs);
            IReadOnlyList<Measurement> measured = runner.Measure([record, peer]);
            results.Add(new BenchmarkResult(name, size, measured[0].Median, peer.Name, measured[1].Median));
        }
        progress.Finish();
        return results;
    }
}
