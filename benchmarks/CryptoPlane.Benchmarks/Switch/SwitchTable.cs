using System.Globalization;
using System.Text;
using VpnBroker.DataPlane.Pipeline;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>The figures as Markdown tables.</summary>
internal static class SwitchTable
{
    public static string Figures(IReadOnlyList<SwitchFigure> figures)
    {
        var text = new StringBuilder();
        text.Append("| wire | bytes | burst | tunnels | ns | of it AEAD | all else | Mpps | Gb/s | beside 100 tunnels |\n");
        text.Append("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        foreach (SwitchFigure figure in figures)
        {
            string beside = figure.TotalOfHundred is { } hundred ? $"{(hundred / figure.Total) - 1:+0 %;-0 %;0 %}" : "";
            text.Append(CultureInfo.InvariantCulture,
                $"| {figure.Wire} | {figure.Bytes} | {figure.Burst} | {figure.Tunnels} | {figure.Total:F1} | {figure.Aead:F1} | {figure.Total - figure.Aead:F1} "
                + $"| {figure.MillionPacketsPerSecond:F2} | {figure.GigabitsPerSecond:F1} | {beside} |\n");
        }
        return text.ToString();
    }

    public static string Shares(IReadOnlyList<SwitchFigure> figures)
    {
        var text = new StringBuilder();
        text.Append("| wire | bytes | burst | tunnels | receive | find SA | open | route | frame | seal | transmit |\n");
        text.Append("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        foreach (SwitchFigure figure in figures)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {figure.Wire} | {figure.Bytes} | {figure.Burst} | {figure.Tunnels} |");
            foreach (Stage stage in Enum.GetValues<Stage>())
                text.Append(CultureInfo.InvariantCulture, $" {100 * figure.Share(stage):F0} % |");
            text.Append('\n');
        }
        return text.ToString();
    }
}
