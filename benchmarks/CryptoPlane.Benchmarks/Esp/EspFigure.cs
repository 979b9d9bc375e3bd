using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>One line of figures, in nanoseconds of CPU time per packet.</summary>
/// <param name="Work">What was done: encapsulate or decapsulate.</param>
/// <param name="Case">With what.</param>
/// <param name="Total">All of it.</param>
/// <param name="Aead">The AEAD alone, on the same keys and lengths in the same order.</param>
/// <param name="Peers">librte_ipsec's ways to the crypto device; none where DPDK is not installed.</param>
/// <param name="TscGigahertz">Ticks of the time stamp counter per nanosecond; 0 if unknown.</param>
internal sealed record EspFigure(
    string Work, EspCase Case, Measurement Total, Measurement Aead, IReadOnlyList<Measurement> Peers, double TscGigahertz)
{
    /// <summary>What ESP itself costs: parsing, look-ups, windows, headers, counters.</summary>
    public double Own => Total.Median - Aead.Median;

    /// <summary>The peer's faster way; null if there is none.</summary>
    public Measurement? BestPeer => Peers.MinBy(peer => peer.Median);

    /// <summary>How many times our time the peer's faster way takes; null if there is none.</summary>
    public double? Ratio => BestPeer?.Median / Total.Median;

    /// <summary>The same of each side's fastest sample, which other work on the machine disturbed least.</summary>
    public double? RatioUndisturbed => Peers.Count == 0 ? null : Peers.Min(peer => peer.Fastest) / Total.Fastest;

    /// <summary>The figure as other suites have it, per peer, in nanoseconds and in ticks; and beside the AEAD alone.</summary>
    public IEnumerable<BenchmarkResult> Results()
    {
        string name = $"esp/{Work}/burst{Case.Burst}/sas{Case.Sas}";
        yield return new BenchmarkResult(name, Case.Bytes, Total.Median, "AEAD alone", Aead.Median);
        foreach (Measurement peer in Peers)
        {
            yield return new BenchmarkResult(name, Case.Bytes, Total.Median, peer.Subject, peer.Median);
            yield return new BenchmarkResult($"{name}/tsc-cycles", Case.Bytes, Total.Median * TscGigahertz, peer.Subject, peer.Median * TscGigahertz);
        }
    }
}
