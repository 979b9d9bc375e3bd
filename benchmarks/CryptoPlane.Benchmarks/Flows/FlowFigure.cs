using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>One line of figures, in nanoseconds of CPU time per flow.</summary>
/// <param name="Work">What was done.</param>
/// <param name="KeyBytes">Bytes of a key.</param>
/// <param name="Flows">Flows in the table.</param>
/// <param name="Ours">Our table.</param>
/// <param name="Dictionary">.NET's.</param>
/// <param name="Peers">rte_hash, by how many entries it was made for; none where DPDK is not installed.</param>
/// <param name="TscGigahertz">Ticks of the time stamp counter per nanosecond; 0 if unknown.</param>
internal sealed record FlowFigure(
    string Work, int KeyBytes, int Flows, Measurement Ours, Measurement Dictionary, IReadOnlyList<Measurement> Peers, double TscGigahertz)
{
    /// <summary>The peer's faster size; null if there is none.</summary>
    public Measurement? BestPeer => Peers.MinBy(peer => peer.Median);

    /// <summary>How many times our time the peer's faster size takes; null if there is none.</summary>
    public double? Ratio => BestPeer?.Median / Ours.Median;

    /// <summary>The same of each side's fastest sample, which other work on the machine disturbed least.</summary>
    public double? RatioUndisturbed => Peers.Count == 0 ? null : Peers.Min(peer => peer.Fastest) / Ours.Fastest;

    /// <summary>How many times our time Dictionary takes.</summary>
    public double DictionaryRatio => Dictionary.Median / Ours.Median;

    /// <summary>The figure as other suites have it.</summary>
    public IEnumerable<BenchmarkResult> Results()
    {
        string name = $"flows/{Work.Replace(", ", "-").Replace(' ', '-')}/flows{Flows}";
        yield return new BenchmarkResult(name, KeyBytes, Ours.Median, Dictionary.Subject, Dictionary.Median);
        foreach (Measurement peer in Peers)
        {
            yield return new BenchmarkResult(name, KeyBytes, Ours.Median, peer.Subject, peer.Median);
            yield return new BenchmarkResult(
                $"{name}/tsc-cycles", KeyBytes, Ours.Median * TscGigahertz, peer.Subject, peer.Median * TscGigahertz);
        }
    }
}
