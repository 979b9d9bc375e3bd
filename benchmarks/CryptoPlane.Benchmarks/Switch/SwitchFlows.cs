using System.Globalization;
using System.Text;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>What sessions cost on the way of a packet: the same packets through two lcores by turns, of which one keeps sessions.</summary>
/// <param name="Bytes">Bytes of an inner packet.</param>
/// <param name="Flows">Sessions that the packets are of, in a random order.</param>
/// <param name="Without">Nanoseconds per packet of the lcore that keeps none.</param>
/// <param name="With">Nanoseconds per packet of the lcore that keeps sessions.</param>
internal sealed record SwitchFlows(int Bytes, int Flows, double Without, double With)
{
    private const int Tunnels = 100, Burst = 256, WireCapacity = 512;

    /// <summary>Measures.</summary>
    public static IReadOnlyList<SwitchFlows> Run(bool quick)
    {
        var runner = new InterleavedRunner(quick, threadTime: true, settle: true);
        var figures = new List<SwitchFlows>();
        int[] counts = quick ? [1_000, 100_000] : [1_000, 100_000, 1_000_000];
        int[] sizes = quick ? [64] : [64, 1400];
        var progress = new ProgressLine(counts.Length * sizes.Length);
        foreach (int flows in counts)
        {
            using SwitchBed without = Bed(flows, keepsSessions: false), with = Bed(flows, keepsSessions: true);
            foreach (int size in sizes)
            {
                progress.Next($"{flows} sessions, {size} B");
                using SwitchSubject first = new(without, size), second = new(with, size);
                // Every session begins before the clock does.
                for (int sent = 0; sent < flows; sent += second.OperationsPerRun)
                {
                    foreach (SwitchSubject subject in new[] { first, second })
                    {
                        subject.Prepare();
                        subject.Run();
                    }
                }
                double[] medians = [.. runner.Measure([first, second]).Select(measurement => measurement.Median)];
                figures.Add(new SwitchFlows(size, flows, medians[0], medians[1]));
                if (with.Sessions != flows)
                    throw new InvalidOperationException($"The lcore keeps {with.Sessions} sessions, not {flows}.");
            }
        }
        progress.Finish();
        return figures;
    }

    /// <summary>The figures as other suites have them: the lcore without sessions is the peer.</summary>
    public static IEnumerable<BenchmarkResult> Results(IEnumerable<SwitchFlows> figures) => figures.Select(figure =>
        new BenchmarkResult($"switch/memory/tunnels{Tunnels}/burst{Burst}/sessions{figure.Flows}", figure.Bytes, figure.With, "without sessions", figure.Without));

    /// <summary>The figures as a table.</summary>
    public static string Table(IEnumerable<SwitchFlows> figures)
    {
        var text = new StringBuilder("| bytes | sessions | ns without | ns with | a packet's session |\n|---:|---:|---:|---:|---:|\n");
        foreach (SwitchFlows figure in figures)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {figure.Bytes} | {figure.Flows} | {figure.Without:F1} | {figure.With:F1} | {figure.With - figure.Without:+0.0;-0.0} ns |\n");
        }
        return text.ToString();
    }

    private static SwitchBed Bed(int flows, bool keepsSessions) =>
        new(Tunnels, null, _ => new MemoryWire(WireCapacity, Burst), flows, keepsSessions);
}
