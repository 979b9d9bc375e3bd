using System.Diagnostics;
using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Measuring;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>
/// Measures one case: in every round our four subjects, beginning with another each time, and then the peers take some samples each on
/// one CPU, so that a change of the clock frequency or other work on the machine meets all of them.
/// </summary>
/// <param name="rounds">How many rounds.</param>
internal sealed class EspTurns(int rounds)
{
    private const int SamplesPerRound = 5;

    /// <summary>Shorter than a time slice, so that most samples are not interrupted where the machine has other work.</summary>
    private const double SampleNanoseconds = 0.3e6;

    /// <summary>The figures of sealing and of opening.</summary>
    public EspFigure[] Measure(EspTunnels tunnels, EspCase work, IReadOnlyList<IpsecPeer> peers)
    {
        using var packets = new EspPackets(tunnels, work);
        using var seal = new AeadAloneSubject(packets, AeadDirection.Seal);
        using var open = new AeadAloneSubject(packets, AeadDirection.Open);
        using var encapsulate = new EncapsulateSubject(packets);
        using var decapsulate = new DecapsulateSubject(packets);
        EspSubject[] subjects = [seal, encapsulate, open, decapsulate];
        int runs = Math.Clamp((int)(SampleNanoseconds / subjects.Max(WarmUp)), 1, 16);
        List<double>[] ours = [.. subjects.Select(_ => new List<double>())];
        List<double>[] theirs = [.. peers.SelectMany(_ => IpsecPeer.Ways).Select(_ => new List<double>())];
        for (int round = 0; round < rounds; round++)
        {
            for (int turn = 0; turn < subjects.Length; turn++)
            {
                int subject = (round + turn) % subjects.Length;
                Run(subjects[subject]);
                for (int sample = 0; sample < SamplesPerRound; sample++)
                    ours[subject].Add(Sample(subjects[subject], runs));
            }
            for (int i = 0; i < theirs.Length; i++)
                theirs[i].AddRange(peers[i / IpsecPeer.Ways.Count].Measure(IpsecPeer.Ways[i % IpsecPeer.Ways.Count], work, runs, SamplesPerRound));
        }
        foreach (EspSubject subject in subjects)
            subject.Verify();

        return [Figure(encapsulate, total: 1, peer: 0), Figure(decapsulate, total: 3, peer: 1)];

        EspFigure Figure(EspSubject subject, int total, int peer) => new(
            subject.Name, work, Measurement.Of(subject.Name, ours[total]), Measurement.Of("AEAD alone", ours[total - 1]),
            [.. IpsecPeer.Ways.Take(theirs.Length).Select((way, i) => Measurement.Of($"librte_ipsec, {way}", theirs[(peer * IpsecPeer.Ways.Count) + i]))],
            peers.Count == 0 ? 0 : peers[0].TscGigahertz);
    }

    /// <summary>Runs a subject until the JIT has replaced what runs often.</summary>
    /// <returns>Nanoseconds of its shortest run.</returns>
    public static double WarmUp(EspSubject subject)
    {
        double shortest = double.MaxValue;
        long until = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 10);
        for (int run = 0; run < 3 || Stopwatch.GetTimestamp() < until; run++)
            shortest = Math.Min(shortest, Run(subject));
        return shortest;
    }

    /// <summary>Nanoseconds per packet.</summary>
    private static double Sample(EspSubject subject, int runs)
    {
        double spent = 0;
        for (int run = 0; run < runs; run++)
            spent += Run(subject);
        return spent / runs / subject.OperationsPerRun;
    }

    private static double Run(EspSubject subject)
    {
        subject.Prepare();
        long start = ThreadClock.Nanoseconds;
        subject.Run();
        return ThreadClock.Nanoseconds - start;
    }
}
