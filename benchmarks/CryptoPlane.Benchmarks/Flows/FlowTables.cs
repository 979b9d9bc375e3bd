using System.Globalization;
using System.Text;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>The figures as Markdown tables.</summary>
internal static class FlowTables
{
    public static string Figures(IReadOnlyList<FlowFigure> figures)
    {
        bool hasPeers = figures.Any(figure => figure.Peers.Count > 0);
        var text = new StringBuilder("| work | flows | key bytes | ns | Mflows/s | Dictionary | ratio |");
        string rule = "|---|---:|---:|---:|---:|---:|---:|";
        if (hasPeers)
        {
            text.Append(" TSC cycles | rte_hash, as many entries | twice as many | **ratio** | of the fastest |");
            rule += "---:|---:|---:|---:|---:|";
        }
        text.Append('\n').Append(rule).Append('\n');
        foreach (FlowFigure figure in figures)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {figure.Work} | {figure.Flows} | {figure.KeyBytes} | {Number(figure.Ours.Median)} | {1e3 / figure.Ours.Median:F1} "
                + $"| {Number(figure.Dictionary.Median)} | {figure.DictionaryRatio:F2} |");
            if (hasPeers)
            {
                text.Append(CultureInfo.InvariantCulture, $" {figure.Ours.Median * figure.TscGigahertz:F0} |");
                foreach (int times in (int[])[1, 2])
                {
                    Measurement? peer = figure.Peers.FirstOrDefault(peer => peer.Subject == HashPeer.NameOf(figure.Flows * times));
                    text.Append(' ').Append(peer == null ? "do not fit" : Number(peer.Median)).Append(" |");
                }
                text.Append(CultureInfo.InvariantCulture, $" **{figure.Ratio:F2}** | {figure.RatioUndisturbed:F2} |");
            }
            text.Append('\n');
        }
        return text.ToString();
    }

    public static string Slices(IReadOnlyList<SliceFigure> figures)
    {
        var text = new StringBuilder("| work | flows | slices | median, µs | 999 of 1,000 below, µs | **longest, µs** | ns per flow |\n");
        text.Append("|---|---:|---:|---:|---:|---:|---:|\n");
        foreach (SliceFigure figure in figures)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {figure.Work} | {figure.Flows} | {figure.Slices} | {figure.Median / 1e3:F1} | {figure.MostOf1000 / 1e3:F1} "
                + $"| **{figure.Worst / 1e3:F1}** | {Number(figure.PerFlow)} |\n");
        }
        return text.ToString();
    }

    private static string Number(double nanoseconds) => nanoseconds.ToString(nanoseconds < 100 ? "F1" : "F0", CultureInfo.InvariantCulture);
}
