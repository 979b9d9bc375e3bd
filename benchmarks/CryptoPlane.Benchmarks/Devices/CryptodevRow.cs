using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Devices;

/// <summary>What was measured of one case: our ways to the device, and the peer.</summary>
/// <param name="Case">The work.</param>
/// <param name="Ours">By way: the backend alone, through the engine, through the dispatcher.</param>
/// <param name="Peer">dpdk-test-crypto-perf with the same driver.</param>
internal sealed record CryptodevRow(CryptodevCase Case, IReadOnlyList<Measurement> Ours, Measurement Peer)
{
    /// <summary>How many times as long as the peer one of ours takes: the expectation is about this.</summary>
    public double Overhead(string way) => Of(way).Median / Peer.Median;

    /// <summary>The same of each side's fastest sample, which other work on the machine disturbed least.</summary>
    public double OverheadUndisturbed(string way) => Of(way).Fastest / Peer.Fastest;

    public Measurement Of(string way) => Ours.First(measured => measured.Subject == way);

    public IEnumerable<BenchmarkResult> Results =>
        Ours.Select(measured => new BenchmarkResult(Case.NameOf(measured.Subject), Case.Bytes, measured.Median, Peer.Subject, Peer.Median));
}
