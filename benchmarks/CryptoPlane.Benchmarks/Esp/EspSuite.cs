using System.Diagnostics;
using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>One line of figures, in nanoseconds of CPU time per packet.</summary>
/// <param name="Work">What was done.</param>
/// <param name="Bytes">Length of the inner packets.</param>
/// <param name="Tunnels">Tunnels that the packets took in turn.</param>
/// <param name="Total">All of it.</param>
/// <param name="Aead">The AEAD alone, on the same keys and lengths in the same order.</param>
internal sealed record EspFigure(string Work, int Bytes, int Tunnels, double Total, double Aead)
{
    /// <summary>What ESP itself costs: parsing, look-ups, windows, headers, counters.</summary>
    public double Own => Total - Aead;

    public double MillionPacketsPerSecond => 1e3 / Total;
}

/// <summary>ESP on one core: sealing, opening, and opening from A to seal for B, over few and many tunnels; AES-128-GCM with ESN.</summary>
internal static class EspSuite
{
    private static readonly int[] s_sizes = [64, 512, 1400];
    private static readonly int[] s_tunnels = [1, 100, 10_000, 100_000];
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(5);

    public static IReadOnlyList<EspFigure> Run(bool quick)
    {
        int[] sizes = quick ? [64, 1400] : s_sizes;
        var runner = new InterleavedRunner(quick, threadTime: true);
        var progress = new ProgressLine(s_tunnels.Length * sizes.Length);
        var figures = new List<EspFigure>();
        WarmUp(runner);
        foreach (int count in s_tunnels)
        {
            using var tunnels = new EspTunnels(count);
            foreach (int size in sizes)
            {
                progress.Next($"{count} tunnels, {size} B");
                figures.AddRange(Measure(runner, tunnels, size));
            }
        }
        progress.Finish();
        return [.. figures.OrderBy(figure => figure.Bytes)];
    }

    /// <summary>The figures as other suites have them: ESP as ours, the AEAD alone as the peer that it cannot beat.</summary>
    public static IEnumerable<BenchmarkResult> Results(IEnumerable<EspFigure> figures) => figures.Select(figure =>
        new BenchmarkResult($"esp/{figure.Work.Replace(", ", "-", StringComparison.Ordinal)}/tunnels{figure.Tunnels}", figure.Bytes, figure.Total, "AEAD alone", figure.Aead));

    public static void Print(IReadOnlyList<EspFigure> figures)
    {
        Console.WriteLine("| bytes | work | tunnels | ns | of it AEAD | ESP's own | Mpps | beside 100 tunnels |");
        Console.WriteLine("|---:|---|---:|---:|---:|---:|---:|---:|");
        foreach (EspFigure figure in figures.OrderBy(figure => (figure.Bytes, figure.Work, figure.Tunnels)))
        {
            EspFigure hundred = figures.First(other => other.Bytes == figure.Bytes && other.Work == figure.Work && other.Tunnels == 100);
            Console.WriteLine(
                $"| {figure.Bytes} | {figure.Work} | {figure.Tunnels} | {figure.Total:F1} | {figure.Aead:F1} | {figure.Own:F1} "
                + $"| {figure.MillionPacketsPerSecond:F2} | {(figure.MillionPacketsPerSecond / hundred.MillionPacketsPerSecond) - 1:+0 %;-0 %;0 %} |");
        }
    }

    /// <summary>Every path for as long as the JIT takes to replace it by its last version, which on a busy machine is seconds.</summary>
    private static void WarmUp(InterleavedRunner runner)
    {
        using var tunnels = new EspTunnels(100);
        for (var elapsed = Stopwatch.StartNew(); elapsed.Elapsed < s_warmUp;)
            Measure(runner, tunnels, s_sizes[0]);
    }

    private static EspFigure[] Measure(InterleavedRunner runner, EspTunnels tunnels, int size)
    {
        using var packets = new EspPackets(tunnels, size);
        using var seal = new AeadAloneSubject(packets, AeadDirection.Seal);
        using var open = new AeadAloneSubject(packets, AeadDirection.Open);
        using var encapsulate = new EncapsulateSubject(packets);
        using var decapsulate = new DecapsulateSubject(packets);
        using var both = new SwitchSubject(packets);
        double[] medians = [.. runner.Measure([seal, encapsulate, open, decapsulate, both]).Select(measurement => measurement.Median)];
        return
        [
            new EspFigure(encapsulate.Name, size, tunnels.Count, medians[1], medians[0]),
            new EspFigure(decapsulate.Name, size, tunnels.Count, medians[3], medians[2]),
            new EspFigure(both.Name, size, tunnels.Count, medians[4], medians[0] + medians[2]),
        ];
    }
}
