using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>All that a run found.</summary>
/// <param name="Figures">The tables beside one another.</param>
/// <param name="Slices">Expiry and growth.</param>
/// <param name="HasHugePages">Whether our tables and the peer's were in huge pages; else neither's.</param>
internal sealed record FlowReport(IReadOnlyList<FlowFigure> Figures, IReadOnlyList<SliceFigure> Slices, bool HasHugePages)
{
    /// <summary>The figures as other suites have them.</summary>
    public IEnumerable<BenchmarkResult> Results =>
        Figures.SelectMany(figure => figure.Results()).Concat(Slices.Select(figure => figure.Result));

    /// <summary>Both tables.</summary>
    public string Text => $"{FlowTables.Figures(Figures)}\n{FlowTables.Slices(Slices)}";
}
