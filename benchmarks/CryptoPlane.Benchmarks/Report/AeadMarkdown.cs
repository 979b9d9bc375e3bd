using System.Globalization;
using System.Text;
using CryptoPlane.Benchmarks.Aead;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Report;

/// <summary>Tables of AEAD figures in Markdown.</summary>
internal static class AeadMarkdown
{
    /// <summary>Medians: a row per case, a column per subject.</summary>
    public static string Figures(AeadTable table) => Write(table, table.Subjects, (row, subject) => Number(row.Of(subject)?.Median));

    /// <summary>The quartiles, as a share of the median.</summary>
    public static string Spread(AeadTable table) => Write(table, table.Subjects, (row, subject) =>
        row.Of(subject) is { } measured ? $"{Percent(measured, measured.LowerQuartile)} … {Percent(measured, measured.UpperQuartile)}" : "");

    /// <summary>How many times as long a peer took as each of ours.</summary>
    public static string Ratios(AeadTable table, string peer)
    {
        string[] ours = [.. table.Rows.SelectMany(row => row.Figures).Where(figure => figure.CaseName != null)
            .Select(figure => figure.Measured.Subject).Distinct()];
        return Write(table, ours, (row, subject) => Ratio(row.Ratio(subject, peer)));
    }

    public static string Ratio(double? value) => value?.ToString("F2", CultureInfo.InvariantCulture) ?? "";

    private static string Number(double? value) =>
        value?.ToString(value < 100 ? "F1" : "F0", CultureInfo.InvariantCulture) ?? "";

    private static string Percent(Measurement measured, double quartile) =>
        ((quartile / measured.Median - 1) * 100).ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture) + " %";

    private static string Write(AeadTable table, IReadOnlyList<string> columns, Func<AeadRow, string, string> cell)
    {
        string head = table.Section.Kind switch
        {
            SectionKind.Size => "bytes",
            SectionKind.Burst => "burst",
            SectionKind.Keys => "keys",
            _ => "mix",
        };
        var text = new StringBuilder();
        text.Append($"| {head} | {string.Join(" | ", columns)} |\n");
        text.Append($"|{(table.Section.Kind == SectionKind.Size ? "---:" : "---")}|{string.Concat(columns.Select(_ => "---:|"))}\n");
        foreach (AeadRow row in table.Rows)
            text.Append($"| {table.Section.RowName(row.Case)} | {string.Join(" | ", columns.Select(column => cell(row, column)))} |\n");
        return text.ToString();
    }
}
