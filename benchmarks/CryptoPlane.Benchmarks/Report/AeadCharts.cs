using CryptoPlane.Benchmarks.Aead;
using CryptoPlane.Benchmarks.Report.Charts;

namespace CryptoPlane.Benchmarks.Report;

/// <summary>The charts of the AEAD page.</summary>
internal static class AeadCharts
{
    /// <summary>Nanoseconds per operation by size, for some of a table's subjects.</summary>
    public static LineChart? TimeBySize(AeadTable table, params string[] subjects)
    {
        ChartSeries[] series = Present(subjects.Select(subject => new ChartSeries(subject, [.. Points(table, row => row.Of(subject)?.Median)])));
        return series.Length == 0 ? null : new LineChart($"{table.Section.Title}, bursts of 32, one key", "bytes per operation", "ns per operation",
            BySize(series), Axis.Log10(Values(series)), series);
    }

    /// <summary>How many times as long a peer takes, by size; with what was expected, where something was.</summary>
    public static LineChart? RatioBySize(AeadTable table, string peer, string[] subjects, params (string Name, (int Bytes, double Ratio)[] Points)[] expected)
    {
        ChartSeries[] series = Present(subjects.Select(subject => new ChartSeries(subject, [.. Points(table, row => row.Ratio(subject, peer))])));
        if (series.Length == 0)
            return null;
        ChartSeries[] all = [.. series, .. expected.Select(line =>
            new ChartSeries(line.Name, [.. line.Points.Select(point => ((double)point.Bytes, point.Ratio))], IsDashed: true))];
        return new LineChart($"{table.Section.Title}: time of {peer} / ours", "bytes per operation", $"times as fast as {peer}",
            BySize(all), Axis.FromZero(Values(all)), all);
    }

    /// <summary>Nanoseconds per operation of one size by bursts or by keys.</summary>
    public static LineChart? TimeBy(AeadTable table, int bytes, Func<AeadCase, int> x, string xTitle, params string[] subjects)
    {
        AeadRow[] rows = [.. table.Rows.Where(row => row.Case.Mix.MeanBytes == bytes)];
        ChartSeries[] series = Present(subjects.Select(subject => new ChartSeries(subject,
            [.. from row in rows let measured = row.Of(subject) where measured != null select ((double)x(row.Case), measured.Median)])));
        return series.Length == 0 ? null : new LineChart($"{table.Section.Title}, {bytes} bytes", xTitle, "ns per operation",
            BySize(series), Axis.FromZero(Values(series)), series);
    }

    private static IEnumerable<(double X, double Y)> Points(AeadTable table, Func<AeadRow, double?> value) =>
        from row in table.Rows let y = value(row) where y != null select ((double)row.Case.Mix.MeanBytes, y.Value);

    private static ChartSeries[] Present(IEnumerable<ChartSeries> series) => [.. series.Where(line => line.Points.Count > 0)];

    private static Axis BySize(ChartSeries[] series) => Axis.Log2(series.SelectMany(line => line.Points).Select(point => point.X));

    private static IEnumerable<double> Values(ChartSeries[] series) => series.SelectMany(line => line.Points).Select(point => point.Y);
}
