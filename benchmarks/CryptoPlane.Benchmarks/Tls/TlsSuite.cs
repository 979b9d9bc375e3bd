using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Tls;
using FrameworkSuite = System.Net.Security.TlsCipherSuite;

namespace CryptoPlane.Benchmarks.Tls;

/// <summary>
/// TLS 1.3 records: our record layer, one by one and in bursts of 32, against libssl through memory BIOs and SslStream over a stream in memory, on
/// the same contents.
/// </summary>
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

    public static IReadOnlyList<BenchmarkResult> Run(bool quick)
    {
        (string Name, TlsCipherSuite Ours, FrameworkSuite Theirs, bool Writes, int Size)[] cases =
        [
            .. from suite in quick ? s_suites[..1] : s_suites
               from writes in (bool[])[true, false]
               from size in quick ? s_quickSizes : s_sizes
               select ($"tls/{suite.Name}/{(writes ? "write" : "read")}", suite.Ours, suite.Theirs, writes, size),
        ];
        // All of it is in the calling thread.
        var runner = new InterleavedRunner(quick, threadTime: true);
        var progress = new ProgressLine(cases.Length);
        var results = new List<BenchmarkResult>();
        using BenchmarkCredentials credentials = BenchmarkCredentials.Ecdsa();
        foreach ((string name, TlsCipherSuite ours, FrameworkSuite theirs, bool writes, int size) in cases)
        {
            progress.Next($"{name} {size} B");
            using var workload = new RecordWorkload(size, writes);
            using RecordSubject single = new(workload, ours, 1), burst = new(workload, ours, RecordWorkload.Buffers);
            using var stream = new SslStreamSubject(workload, theirs);
            using LibSslRecordSubject? library =
                LibSsl.Instance is { } found ? new LibSslRecordSubject(found, workload, theirs.ToString(), credentials) : null;
            IBenchmarkSubject[] subjects = library == null ? [single, burst, stream] : [single, burst, stream, library];
            IReadOnlyList<Measurement> measured = runner.Measure(subjects);
            foreach ((int mine, string shape) in (ReadOnlySpan<(int, string)>)[(0, "burst1"), (1, "burst32")])
            {
                for (int peer = 2; peer < subjects.Length; peer++)
                    results.Add(new BenchmarkResult($"{name}/{shape}", size, measured[mine].Median, subjects[peer].Name, measured[peer].Median));
            }
        }
        progress.Finish();
        return [.. results.OrderBy(result => result.Case, StringComparer.Ordinal).ThenBy(result => result.Bytes)];
    }
}
