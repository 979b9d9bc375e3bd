using System.Diagnostics;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Buffers;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>
/// Measures tables of one size side by side: in every round ours, Dictionary and the peers take some samples each on one CPU, beginning
/// with another each time, so that a change of the clock frequency or other work on the machine meets all of them.
/// </summary>
/// <param name="rounds">How many rounds.</param>
internal sealed class FlowTurns(int rounds)
{
    private const int SamplesPerRound = 5;

    /// <summary>Runs of a sample: about 0.3 ms, shorter than a time slice.</summary>
    private const int RunsPerSample = 8;

    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(1.5);

    /// <summary>The figures of one size of key and table.</summary>
    public IEnumerable<FlowFigure> Measure<TKey>(int keyBytes, int flows, IPacketMemory memory, IReadOnlyList<HashPeer> peers)
        where TKey : unmanaged, IBenchmarkKey<TKey>
    {
        var order = new FlowOrder(flows);
        using var table = new TableSubject<TKey>(order, memory);
        using var growing = new TableSubject<TKey>(order, memory, grows: true);
        using var dictionary = new DictionarySubject<TKey>(order);
        FlowSubject<TKey>[] subjects = [table, growing, dictionary];
        List<double>[] lookUps = Lists(), fills = Lists(), drains = Lists();
        foreach (FlowSubject<TKey> subject in subjects)
            WarmUp(subject);
        for (int round = 0; round < rounds; round++)
        {
            for (int turn = 0; turn < lookUps.Length; turn++)
            {
                int who = (round + turn) % lookUps.Length;
                lookUps[who].AddRange(
                    who < subjects.Length ? LookUp(subjects[who]) : peers[who - subjects.Length].LookUp(RunsPerSample, SamplesPerRound));
            }
            // Changing all flows of a large table takes long, and needs fewer samples.
            for (int who = 0; who < fills.Length && (flows < 1_000_000 || round % 2 == 0); who++)
            {
                (double drain, double fill) =
                    who < subjects.Length ? (subjects[who].Drain(), subjects[who].Fill()) : peers[who - subjects.Length].Refill();
                drains[who].Add(drain);
                fills[who].Add(fill);
            }
        }
        return
        [
            Figure("look up", lookUps, 0),
            Figure("look up, grown", lookUps, 1),
            Figure("insert", fills, 0),
            Figure("insert, growing", fills, 1),
            Figure("remove", drains, 0),
        ];

        List<double>[] Lists() => [.. Enumerable.Range(0, subjects.Length + peers.Count).Select(_ => new List<double>())];

        FlowFigure Figure(string work, List<double>[] samples, int ours) => new(
            work, keyBytes, flows, Measurement.Of("FlowTable", samples[ours]), Measurement.Of("Dictionary", samples[2]),
            [.. peers.Select((peer, i) => Measurement.Of(peer.Name, samples[subjects.Length + i]))],
            peers.Count == 0 ? 0 : peers[0].TscGigahertz);
    }

    /// <summary>Every path for as long as the JIT takes to replace it by its last version. The table is full at the end.</summary>
    private static void WarmUp<TKey>(FlowSubject<TKey> subject)
        where TKey : unmanaged, IBenchmarkKey<TKey>
    {
        subject.Fill();
        for (var elapsed = Stopwatch.StartNew(); elapsed.Elapsed < s_warmUp;)
        {
            subject.Drain();
            subject.Fill();
            subject.SampleLookUps(RunsPerSample);
        }
    }

    private static IEnumerable<double> LookUp<TKey>(FlowSubject<TKey> subject)
        where TKey : unmanaged, IBenchmarkKey<TKey>
    {
        // After the others' turn.
        subject.SampleLookUps(1);
        return Enumerable.Range(0, SamplesPerRound).Select(_ => subject.SampleLookUps(RunsPerSample)).ToArray();
    }
}
