using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>One subject in one case.</summary>
/// <param name="CaseName">The name of our figures in the JSON report; null for a peer's.</param>
/// <param name="Measured">The figure.</param>
internal sealed record AeadFigure(string? CaseName, Measurement Measured);

/// <summary>All subjects of one case.</summary>
internal sealed record AeadRow(AeadCase Case, IReadOnlyList<AeadFigure> Figures)
{
    /// <summary>The figure of a subject, or null if it was not there.</summary>
    public Measurement? Of(string subject) => Figures.FirstOrDefault(figure => figure.Measured.Subject == subject)?.Measured;

    /// <summary>How many times as long a peer took; null where one of the two is missing.</summary>
    public double? Ratio(string ours, string peer) => Of(peer)?.Median / Of(ours)?.Median;
}

/// <summary>The measured rows of a section.</summary>
internal sealed record AeadTable(AeadSection Section, IReadOnlyList<AeadRow> Rows)
{
    /// <summary>Everybody who is in one of the rows, in the order of the line-up.</summary>
    public IReadOnlyList<string> Subjects => [.. Rows.SelectMany(row => row.Figures).Select(figure => figure.Measured.Subject).Distinct()];

    /// <summary>The form of the JSON report: each of ours beside each peer.</summary>
    public IEnumerable<BenchmarkResult> Results =>
        from row in Rows
        from ours in row.Figures
        let name = ours.CaseName
        where name != null
        from peer in row.Figures
        where peer.CaseName == null
        select new BenchmarkResult(name, row.Case.Mix.MeanBytes, ours.Measured.Median, peer.Measured.Subject, peer.Measured.Median);
}
