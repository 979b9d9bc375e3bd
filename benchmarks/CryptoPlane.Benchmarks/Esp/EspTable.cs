using System.Globalization;
using System.Text;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>The figures as Markdown tables.</summary>
internal static class EspTable
{
    public static string Figures(IReadOnlyList<EspFigure> figures)
    {
        bool hasPeers = figures.Any(figure => figure.Peers.Count > 0);
        var text = new StringBuilder("| work | bytes | burst | SAs | ns | of it AEAD | ESP's own | Mpps |");
        string rule = "|---|---:|---:|---:|---:|---:|---:|---:|";
        if (hasPeers)
        {
            text.Append(" TSC cycles | lookaside | cpu | **ratio** | of the fastest |");
            rule += "---:|---:|---:|---:|---:|";
        }
        text.Append('\n').Append(rule).Append('\n');
        foreach (EspFigure figure in figures)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {figure.Work} | {figure.Case.Bytes} | {figure.Case.Burst} | {figure.Case.Sas} | {Number(figure.Total.Median)} | {Number(figure.Aead.Median)} "
                + $"| {Number(figure.Own)} | {1e3 / figure.Total.Median:F2} |");
            if (hasPeers)
            {
                text.Append(CultureInfo.InvariantCulture, $" {figure.Total.Median * figure.TscGigahertz:F0} |");
                foreach (Measurement peer in figure.Peers)
                    text.Append(CultureInfo.InvariantCulture, $" {Number(peer.Median)} |");
                text.Append(CultureInfo.InvariantCulture, $" **{figure.Ratio:F2}** | {figure.RatioUndisturbed:F2} |");
            }
            text.Append('\n');
        }
        return text.ToString();
    }

    private static string Number(double nanoseconds) => nanoseconds.ToString(nanoseconds < 100 ? "F1" : "F0", CultureInfo.InvariantCulture);
}
