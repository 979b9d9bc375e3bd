using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>How long a poll loop's slices of some work took, in nanoseconds of CPU time.</summary>
/// <param name="Work">What was done.</param>
/// <param name="Flows">Flows in the table.</param>
/// <param name="Slices">How many there were.</param>
/// <param name="Median">Of a slice.</param>
/// <param name="MostOf1000">999 of 1,000 slices were shorter.</param>
/// <param name="Worst">The longest.</param>
/// <param name="PerFlow">Of all slices, per flow.</param>
internal sealed record SliceFigure(string Work, int Flows, int Slices, double Median, double MostOf1000, double Worst, double PerFlow)
{
    public static SliceFigure Of(string work, int flows, List<double> slices)
    {
        double sum = slices.Sum();
        slices.Sort();
        return new SliceFigure(
            work, flows, slices.Count, slices[slices.Count / 2], slices[(int)(slices.Count * 0.999)], slices[^1], sum / flows);
    }

    /// <summary>Of several runs the one whose longest slice other work on the machine disturbed least.</summary>
    public static SliceFigure LeastDisturbed(IEnumerable<SliceFigure> runs) => runs.MinBy(run => run.Worst)!;

    /// <summary>The figure as other suites have it: beside the 20 µs that are its bound, since there is no peer.</summary>
    public BenchmarkResult Result =>
        new($"flows/worst-slice/{Work.Replace(", ", "-").Replace(' ', '-')}/flows{Flows}", 0, Worst, "20 µs", 20_000);
}
