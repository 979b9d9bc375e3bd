using System.Diagnostics;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Buffers;
using CryptoPlane.Dpdk;
using VpnBroker.DataPlane.Pipeline;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>
/// ESP to ESP through one lcore of the broker, over DPDK's net_ring with Ethernet and over a wire that costs nothing, beside the AEAD
/// alone; AES-128-GCM with ESN.
/// </summary>
internal static class SwitchSuite
{
    private static readonly int[] s_sizes = [64, 512, 1400];
    private static readonly int[] s_tunnels = [1, 100, 10_000, 100_000];
    private static readonly int[] s_bursts = [32, 64, 256];
    private const int Burst = 256, MiddleTunnels = 100;
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(4);

    public static IReadOnlyList<SwitchFigure> Run(bool quick)
    {
        (int Tunnels, int Burst)[] beds = quick
            ? [(MiddleTunnels, Burst), (10_000, Burst)]
            : [.. s_tunnels.Select(tunnels => (tunnels, Burst)), .. s_bursts.Where(burst => burst != Burst).Select(burst => (MiddleTunnels, burst))];
        int[] sizes = quick ? [64, 1400] : s_sizes;
        bool hasRings = TryStartDpdk(2 * beds.Length);
        // Timed by the thread's own clock, since these machines have other work.
        var runner = new InterleavedRunner(quick, threadTime: true, settle: true);
        var progress = new ProgressLine(beds.Length * sizes.Length);
        var figures = new List<SwitchFigure>();
        WarmUp();
        // What others are compared with is measured again beside each of them: the clock of these machines changes from minute to minute.
        using var middle = new SwitchBeds(MiddleTunnels, Burst, hasRings);
        foreach ((int tunnels, int burst) in beds)
        {
            bool isMiddle = tunnels == MiddleTunnels && burst == Burst;
            using SwitchBeds? own = isMiddle ? null : new SwitchBeds(tunnels, burst, hasRings);
            foreach (int size in sizes)
            {
                progress.Next($"{tunnels} tunnels, {size} B, burst {burst}");
                figures.AddRange(Measure(runner, own ?? middle, isMiddle || burst != Burst ? null : middle, size, burst));
            }
        }
        progress.Finish();
        return [.. figures.OrderBy(figure => (figure.Wire, figure.Bytes, figure.Burst, figure.Tunnels))];
    }

    /// <summary>The figures as other suites have them: the whole way as ours, the AEAD alone as the peer that it cannot beat.</summary>
    public static IEnumerable<BenchmarkResult> Results(IEnumerable<SwitchFigure> figures) => figures.Select(figure =>
        new BenchmarkResult($"switch/{figure.Wire}/tunnels{figure.Tunnels}/burst{figure.Burst}", figure.Bytes, figure.Total, "AEAD alone", figure.Aead));

    /// <summary>
    /// The devices are the process's for good, so all are made at the start. Too few huge pages are found out before the one try that
    /// DPDK has.
    /// </summary>
    private static bool TryStartDpdk(int devices)
    {
        string[] rings = [.. Enumerable.Range(0, devices).Select(i => $"{RingWire.DevicePrefix}{i}")];
        foreach (EalMemory memory in (EalMemory[])[EalMemory.HugePages, EalMemory.NoHugePages])
        {
            try
            {
                Eal.Initialize(new EalOptions { Memory = memory, VirtualDevices = rings });
                return true;
            }
            catch (Exception e) when (e is DpdkException or InvalidOperationException)
            {
                Console.Error.WriteLine($"DPDK, {memory}: {e.Message}");
            }
        }
        Console.Error.WriteLine("Going on without DPDK.");
        return false;
    }

    /// <summary>Every path for as long as the JIT takes to replace it by its last version.</summary>
    private static void WarmUp()
    {
        using var bed = new SwitchBed(MiddleTunnels, null, _ => new MemoryWire(512, Burst));
        using var subject = new SwitchSubject(bed, 64);
        for (var elapsed = Stopwatch.StartNew(); elapsed.Elapsed < s_warmUp;)
        {
            subject.Prepare();
            subject.Run();
        }
        subject.Verify();
    }

    private static IEnumerable<SwitchFigure> Measure(InterleavedRunner runner, SwitchBeds beds, SwitchBeds? reference, int size, int burst)
    {
        int tunnels = beds.All[0].Tunnels, count = beds.All.Count;
        using var bound = new AeadBoundSubject(tunnels, size, beds.All[0].Wire.Capacity, burst);
        SwitchSubject[] subjects = [.. beds.All.Concat(reference?.All ?? []).Select(bed => new SwitchSubject(bed, size))];
        try
        {
            double[] medians = [.. runner.Measure([bound, .. subjects]).Select(measurement => measurement.Median)];
            for (int i = 0; i < count; i++)
            {
                yield return new SwitchFigure(beds.All[i].Wire.Name, size, tunnels, burst, medians[i + 1], medians[0], Shares(beds.All[i], subjects[i]))
                {
                    TotalOfHundred = reference == null ? null : medians[i + 1 + count],
                };
            }
        }
        finally
        {
            foreach (SwitchSubject subject in subjects)
                subject.Dispose();
        }
    }

    /// <summary>The same runs again with a clock between the stages, which the figures above do not pay for.</summary>
    private static double[] Shares(SwitchBed bed, SwitchSubject subject)
    {
        const int runs = 200;
        var clock = new StageClock();
        var samples = new List<double>[Enum.GetValues<Stage>().Length];
        for (int stage = 0; stage < samples.Length; stage++)
            samples[stage] = [];
        for (int run = 0; run < runs; run++)
        {
            subject.Prepare();
            bed.Stages = clock;
            clock.Clear();
            subject.Run();
            bed.Stages = null;
            for (int stage = 0; stage < samples.Length; stage++)
                samples[stage].Add(clock[(Stage)stage]);
        }
        subject.Verify();
        // Medians: an interruption of the thread would count for one stage.
        double[] medians = [.. samples.Select(sample => Measurement.Of("", sample).Median)];
        double all = medians.Sum();
        return [.. medians.Select(median => median / all)];
    }
}
