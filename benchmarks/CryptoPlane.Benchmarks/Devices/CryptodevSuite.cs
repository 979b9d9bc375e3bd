using System.Diagnostics;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Dpdk;
using CryptoPlane.Lcores;

namespace CryptoPlane.Benchmarks.Devices;

/// <summary>
/// Our ways to a crypto device against dpdk-test-crypto-perf on the same driver. In every round of a case the peer's process and our
/// subjects take turns on one CPU, so that a change of the clock frequency or other work on the machine meets all of them.
/// </summary>
internal static class CryptodevSuite
{
    /// <summary>Short, so that on a busy machine some of them are not disturbed.</summary>
    private const double SampleNanoseconds = 0.25e6;

    /// <summary>The peer takes a list of at most 32 sizes, each of which is a sample.</summary>
    private const int SamplesPerRound = 32;

    private const int MemoryMegabytes = 192;

    private static readonly string[] s_drivers = ["crypto_aesni_gcm", "crypto_aesni_mb", "crypto_openssl"];
    private static readonly int[] s_sizes = [64, 256, 1408, 8192, 16384];

    /// <summary>Measures all cases.</summary>
    /// <exception cref="DpdkException">DPDK does not start.</exception>
    /// <exception cref="InvalidOperationException">The peer is missing, or there is one CPU only.</exception>
    public static IReadOnlyList<CryptodevRow> Run(bool quick)
    {
        if (!CryptoPerf.IsInstalled)
            throw new InvalidOperationException($"{CryptoPerf.Program} is missing: eng/install-deps.sh dpdk installs it.");
        CpuSet cpus = CpuSet.OfCurrentThread();
        if (cpus.Count < 2)
            throw new InvalidOperationException($"{CryptoPerf.Program} has a thread that waits, spinning, on a CPU of its own: this needs two CPUs.");
        bool hugePages = HugePages.Read().FreeMegabytes >= 2 * MemoryMegabytes;
        string[] memory = hugePages ? ["--in-memory", "-m", $"{MemoryMegabytes}"] : ["--no-huge", "--no-shconf", "-m", $"{MemoryMegabytes}"];
        int workerCpu = cpus[cpus.Count - 1];
        var peer = new CryptoPerf(memory, cpus[0], workerCpu);
        Eal.Initialize(new EalOptions
        {
            Memory = hugePages ? EalMemory.HugePages : EalMemory.NoHugePages,
            MemoryMegabytes = MemoryMegabytes,
            VirtualDevices = [.. s_drivers.Select(driver => new CryptodevCase(driver, 0).Device)],
        });

        var progress = new ProgressLine(s_drivers.Length * s_sizes.Length);
        var rows = new List<CryptodevRow>();
        foreach (string driver in s_drivers)
        {
            using Cryptodev device = Cryptodev.Open(Cryptodev.Find(new CryptodevCase(driver, 0).Device), new CryptodevOptions { QueuePairs = 3, Sessions = 64 });
            foreach (int bytes in s_sizes)
            {
                var work = new CryptodevCase(driver, bytes);
                progress.Next(work.ToString());
                rows.Add(Measure(work, device, peer, workerCpu, quick ? 3 : 11));
            }
        }
        progress.Finish();
        return rows;
    }

    private static CryptodevRow Measure(CryptodevCase work, Cryptodev device, CryptoPerf peer, int cpu, int rounds)
    {
        CryptodevSubject[] subjects = [new BackendWay(work, device), new EngineWay(work, device), new DispatchWay(work, device)];
        CpuSet all = CpuSet.OfCurrentThread();
        CpuSet.Of(cpu).ApplyToCurrentThread();
        foreach (CryptodevSubject subject in subjects)
            subject.CompareWithFramework();
        int[] runs = [.. subjects.Select(Calibrate)];
        var samples = new List<double>[subjects.Length];
        for (int i = 0; i < samples.Length; i++)
            samples[i] = [];
        var peerSamples = new List<double>();
        for (int round = 0; round < rounds; round++)
        {
            for (int sample = 0; sample < SamplesPerRound; sample++)
            {
                for (int turn = 0; turn < subjects.Length; turn++)
                {
                    int subject = (sample + turn) % subjects.Length;
                    samples[subject].Add(Sample(subjects[subject], runs[subject]));
                }
            }
            // The peer's process starts with the CPUs of the thread that starts it.
            all.ApplyToCurrentThread();
            peerSamples.AddRange(peer.Measure(work, runs[0] * CryptodevCase.Burst, SamplesPerRound));
            CpuSet.Of(cpu).ApplyToCurrentThread();
        }
        all.ApplyToCurrentThread();
        foreach (CryptodevSubject subject in subjects)
            subject.Verify();
        foreach (CryptodevSubject subject in subjects)
            subject.Dispose();
        return new CryptodevRow(work, [.. subjects.Select((subject, i) => Measurement.Of(subject.Name, samples[i]))],
            Measurement.Of(CryptoPerf.Program, peerSamples));
    }

    /// <summary>Warms a subject up, until the JIT has replaced what runs often, and finds how many runs fill a sample.</summary>
    private static int Calibrate(CryptodevSubject subject)
    {
        double shortest = double.MaxValue;
        long until = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 4);
        for (int run = 0; run < 3 || Stopwatch.GetTimestamp() < until; run++)
            shortest = Math.Min(shortest, Sample(subject, 1) * subject.OperationsPerRun);
        return Math.Clamp((int)(SampleNanoseconds / shortest), 8, 10_000);
    }

    private static double Sample(CryptodevSubject subject, int runs)
    {
        long start = Stopwatch.GetTimestamp();
        for (int run = 0; run < runs; run++)
            subject.Run();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / ((double)runs * subject.OperationsPerRun);
    }
}
