using System.Diagnostics;

namespace CryptoPlane.Benchmarks.Measuring;

/// <summary>
/// Measures subjects side by side: a short sample of ours, one of each peer, and again, so that a change of the clock frequency or a
/// noisy neighbour meets all of them alike. Samples are shorter than a time slice, so that most of them are not interrupted where the
/// machine has other work. The figure is their median.
/// </summary>
/// <param name="quick">Fewer samples.</param>
internal sealed class InterleavedRunner(bool quick)
{
    private const double SampleNanoseconds = 0.4e6;

    private readonly int _samples = quick ? 61 : 201;
    // The JIT replaces what runs often about 100 ms after it is first called: kernels differ from case to case, peers do not.
    private readonly double _warmUpNanoseconds = quick ? 130e6 : 250e6;
    private readonly Stopwatch _progress = Stopwatch.StartNew();
    private bool _isWarm;

    /// <summary>Measures ours and the peers, prints one progress line, and disposes of all of them.</summary>
    public IReadOnlyList<BenchmarkResult> Measure(string name, int bytes, IBenchmarkSubject ours, params IBenchmarkSubject[] peers)
    {
        IBenchmarkSubject[] subjects = [ours, .. peers];
        if (!_isWarm)
        {
            // What all cases share is compiled for good before the first of them counts; on a busy machine that takes its time.
            foreach (IBenchmarkSubject subject in subjects.Append(ours))
                Calibrate(subject, 1e9);
            _isWarm = true;
        }
        int[] runs = [.. subjects.Select((subject, i) => Calibrate(subject, i == 0 ? _warmUpNanoseconds : _warmUpNanoseconds / 4))];
        double[][] samples = [.. subjects.Select(_ => new double[_samples])];
        for (int sample = 0; sample < _samples; sample++)
        {
            for (int subject = 0; subject < subjects.Length; subject++)
                samples[subject][sample] = Sample(subjects[subject], runs[subject]);
        }
        foreach (IBenchmarkSubject subject in subjects)
        {
            subject.Verify();
            subject.Dispose();
        }
        double[] medians = [.. samples.Select(Median)];
        BenchmarkResult[] results = [.. peers.Select((peer, i) => new BenchmarkResult(name, bytes, medians[0], peer.Name, medians[i + 1]))];
        Console.WriteLine($"[{_progress.Elapsed.TotalSeconds,5:F1} s] {name} {bytes} B: {medians[0]:F1} ns; "
            + string.Join(", ", results.Select(result => $"{result.Peer} {result.PeerNanoseconds:F1} ns ({result.Ratio:F2}x)")));
        return results;
    }

    /// <summary>Warms a subject up (JIT tiers, caches) and finds how many runs fill a sample.</summary>
    private static int Calibrate(IBenchmarkSubject subject, double warmUpNanoseconds)
    {
        double spent = 0, shortest = double.MaxValue;
        for (int run = 0; run < 3 || spent < warmUpNanoseconds; run++)
        {
            double duration = Sample(subject, 1) * subject.OperationsPerRun;
            spent += duration;
            shortest = Math.Min(shortest, duration);
        }
        return Math.Clamp((int)(SampleNanoseconds / shortest), 1, 10_000);
    }

    /// <summary>Nanoseconds per operation over some runs, without their preparation.</summary>
    private static double Sample(IBenchmarkSubject subject, int runs)
    {
        long ticks = 0;
        for (int run = 0; run < runs; run++)
        {
            bool isUsedUp = subject.Prepare();
            long start = Stopwatch.GetTimestamp();
            subject.Run();
            for (; !isUsedUp && run + 1 < runs; run++)
                subject.Run();
            ticks += Stopwatch.GetTimestamp() - start;
        }
        return ticks * (1e9 / Stopwatch.Frequency) / ((double)runs * subject.OperationsPerRun);
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
