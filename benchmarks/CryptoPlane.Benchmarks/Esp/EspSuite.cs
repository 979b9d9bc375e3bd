using System.Diagnostics;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Lcores;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>
/// ESP on one core, sealing and opening, over few and many SAs, against DPDK's librte_ipsec and beside the AEAD alone; AES-128-GCM, ESN, an
/// anti-replay window of 1,024.
/// </summary>
internal static class EspSuite
{
    private static readonly int[] s_sizes = [64, 256, 512, 1400];
    private static readonly int[] s_bursts = [32, 256];
    private static readonly int[] s_sas = [1, 1_000, 100_000];
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(4);

    /// <summary>Measures all cases.</summary>
    /// <exception cref="InvalidOperationException">A peer or one of our subjects fails.</exception>
    public static IReadOnlyList<EspFigure> Run(bool quick)
    {
        int[] sizes = quick ? [64, 1400] : s_sizes;
        int[] bursts = quick ? [256] : s_bursts;
        CpuSet all = CpuSet.OfCurrentThread();
        int cpu = all[all.Count - 1];
        if (!IpsecPeer.IsBuilt)
            Console.Error.WriteLine("warning: the peer of librte_ipsec was not built: going on without it");
        CpuSet.Of(cpu).ApplyToCurrentThread();
        var turns = new EspTurns(quick ? 5 : 11);
        var progress = new ProgressLine(s_sas.Length * sizes.Length * bursts.Length);
        var figures = new List<EspFigure>();
        WarmUp();
        foreach (int count in s_sas)
        {
            using var tunnels = new EspTunnels(count);
            using IpsecPeer? seals = IpsecPeer.IsBuilt ? new IpsecPeer(opens: false, count, cpu) : null;
            using IpsecPeer? opens = IpsecPeer.IsBuilt ? new IpsecPeer(opens: true, count, cpu) : null;
            foreach (int size in sizes)
            {
                foreach (int burst in bursts)
                {
                    var work = new EspCase(size, burst, count);
                    progress.Next(work.ToString());
                    figures.AddRange(turns.Measure(tunnels, work, seals == null || opens == null ? [] : [seals, opens]));
                }
            }
        }
        progress.Finish();
        all.ApplyToCurrentThread();
        return [.. figures.OrderBy(figure => (figure.Case.Bytes, figure.Work, figure.Case.Burst, figure.Case.Sas))];
    }

    /// <summary>The figures as other suites have them.</summary>
    public static IEnumerable<BenchmarkResult> Results(IEnumerable<EspFigure> figures) => figures.SelectMany(figure => figure.Results());

    /// <summary>Every path for as long as the JIT takes to replace it by its last version, which on a busy machine is seconds.</summary>
    private static void WarmUp()
    {
        using var tunnels = new EspTunnels(100);
        var turns = new EspTurns(3);
        for (var elapsed = Stopwatch.StartNew(); elapsed.Elapsed < s_warmUp;)
            turns.Measure(tunnels, new EspCase(s_sizes[0], s_bursts[^1], tunnels.Count), []);
    }
}
