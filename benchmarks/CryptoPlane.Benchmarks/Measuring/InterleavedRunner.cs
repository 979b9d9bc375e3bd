using System.Diagnostics;

namespace CryptoPlane.Benchmarks.Measuring;

/// <summary>
/// Measures subjects side by side: a short sample of each, and again, every time beginning with another, so that a change of the clock
/// frequency or a noisy neighbour meets all of them alike. Samples are shorter than a time slice, so that most of them are not
/// interrupted where the machine has other work.
/// </summary>
/// <param name="quick">Fewer samples.</param>
/// <param name="threadTime">
/// Measures the thread's CPU time: for runs that are long beside the system call that asks for it, on a machine with other work.
/// </param>
/// <param name="settle">
/// Begins each sample with a run that does not count: for subjects of which one takes what another has in the caches.
/// </param>
internal sealed class InterleavedRunner(bool quick, bool threadTime = false, bool settle = false)
{
    private const double SampleNanoseconds = 0.4e6;

    /// <summary>Least samples of a subject that takes longer than a sample should.</summary>
    private const int LeastSamples = 15;

    // What the framework has compiled ahead, and the harness itself, is replaced by the JIT once it has run for a while.
    private readonly double _firstWarmUp = quick ? 300e6 : 800e6;
    // The JIT replaces what runs often about 100 ms after it is first called: kernels differ from case to case.
    private readonly double _warmUp = quick ? 60e6 : 150e6;
    private readonly int _samples = quick ? 41 : 151;
    private readonly HashSet<string> _warm = [];

    /// <summary>Measures the subjects and checks each afterwards. They stay the caller's.</summary>
    public IReadOnlyList<Measurement> Measure(IReadOnlyList<IBenchmarkSubject> subjects)
    {
        Plan[] plans = [.. subjects.Select(subject => Calibrate(subject, _warm.Add(subject.Name) ? _firstWarmUp : _warmUp))];
        var samples = new List<double>[subjects.Count];
        for (int subject = 0; subject < subjects.Count; subject++)
            samples[subject] = [];
        for (int round = 0; round < _samples; round++)
        {
            for (int turn = 0; turn < subjects.Count; turn++)
            {
                int subject = (round + turn) % subjects.Count;
                if (round % plans[subject].EveryRound == 0)
                    samples[subject].Add(Sample(subjects[subject], plans[subject].Runs));
            }
        }
        foreach (IBenchmarkSubject subject in subjects)
            subject.Verify();
        return [.. subjects.Select((subject, i) => Measurement.Of(subject.Name, samples[i]))];
    }

    /// <summary>Warms a subject up (JIT tiers, caches) and finds how many runs fill a sample, or how seldom a long run must do.</summary>
    private Plan Calibrate(IBenchmarkSubject subject, double warmUpNanoseconds)
    {
        double spent = 0, shortest = double.MaxValue;
        for (int run = 0; run < 3 || spent < warmUpNanoseconds; run++)
        {
            double duration = Sample(subject, 1) * subject.OperationsPerRun;
            spent += duration;
            shortest = Math.Min(shortest, duration);
        }
        int runs = Math.Clamp((int)(SampleNanoseconds / shortest), 1, 10_000);
        int everyRound = Math.Clamp((int)Math.Ceiling(shortest / SampleNanoseconds), 1, _samples / LeastSamples);
        return new Plan(runs, everyRound);
    }

    /// <summary>Nanoseconds per operation over some runs, without their preparation.</summary>
    private double Sample(IBenchmarkSubject subject, int runs)
    {
        double nanoseconds = 0;
        if (settle)
        {
            subject.Prepare();
            subject.Run();
        }
        for (int run = 0; run < runs; run++)
        {
            bool isUsedUp = subject.Prepare();
            double start = Now();
            subject.Run();
            for (; !isUsedUp && run + 1 < runs; run++)
                subject.Run();
            nanoseconds += Now() - start;
        }
        return nanoseconds / ((double)runs * subject.OperationsPerRun);
    }

    private double Now() => threadTime ? ThreadClock.Nanoseconds : Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency);

    /// <summary>How a subject is sampled.</summary>
    /// <param name="Runs">Runs of a sample.</param>
    /// <param name="EveryRound">1: in every round; 2: in every second one.</param>
    private readonly record struct Plan(int Runs, int EveryRound);
}
