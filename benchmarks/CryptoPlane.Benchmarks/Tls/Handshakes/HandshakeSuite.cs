using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Tls;

namespace CryptoPlane.Benchmarks.Tls.Handshakes;

/// <summary>Whole handshakes, client and server in one thread: ours, libssl's and SslStream's, by turns.</summary>
internal static class HandshakeSuite
{
    public static IReadOnlyList<BenchmarkResult> Run(bool quick)
    {
        using BenchmarkCredentials ecdsa = BenchmarkCredentials.Ecdsa(), rsa = BenchmarkCredentials.Rsa();
        HandshakeCase[] cases =
        [
            new("ecdsa-p256", ecdsa, Chain: false, Resume: false),
            new("ecdsa-p256-chain", ecdsa, Chain: true, Resume: false),
            new("rsa-2048", rsa, Chain: false, Resume: false),
            new("resumed", ecdsa, Chain: false, Resume: true),
        ];
        // All of it is in the calling thread, which is timed by its own clock: these machines have other work.
        var runner = new InterleavedRunner(quick, threadTime: true);
        var progress = new ProgressLine(cases.Length + 1);
        var results = new List<BenchmarkResult>();
        foreach (HandshakeCase what in cases)
        {
            progress.Next($"handshake, {what.Name}");
            List<IBenchmarkSubject> subjects = [new HandshakeSubject(what), new SslStreamHandshakeSubject(what)];
            if (LibSsl.Instance is { } library)
                subjects.Insert(1, new LibSslHandshakeSubject(library, what));
            results.AddRange(Measure(runner, what.Name, subjects));
        }
        progress.Next("handshake, X25519MLKEM768");
        results.AddRange(Measure(
            runner, "ecdsa-p256-x25519mlkem768", [new HandshakeSubject(cases[0], TlsNamedGroup.X25519MLKem768), new HandshakeSubject(cases[0])]));
        progress.Finish();
        return results;
    }

    /// <summary>The first subject beside each of the others.</summary>
    private static IEnumerable<BenchmarkResult> Measure(InterleavedRunner runner, string name, List<IBenchmarkSubject> subjects)
    {
        try
        {
            IReadOnlyList<Measurement> measured = runner.Measure(subjects);
            for (int peer = 1; peer < subjects.Count; peer++)
                yield return new BenchmarkResult($"tls/handshake/{name}", 0, measured[0].Median, subjects[peer].Name, measured[peer].Median);
        }
        finally
        {
            foreach (IBenchmarkSubject subject in subjects)
                subject.Dispose();
        }
    }
}
