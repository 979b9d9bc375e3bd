using System.Diagnostics;
using System.Globalization;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Malformed;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>
/// Connections with peers gone astray: a bounded run of the same cases each time, or with CRYPTOPLANE_FUZZ_SECONDS new ones for so long
/// (eng/fuzz.sh, which says what CRYPTOPLANE_FUZZ_SEED, _TARGET, _ONCE and _VARY are).
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    /// <summary>Cases of each kind in a bounded run.</summary>
    private const int Bounded = 300;

    /// <summary>The bounded run's first seed.</summary>
    private const int FirstSeed = 8446;

    [Fact]
    public void Peers_gone_astray_get_alerts_and_nothing_else()
    {
        string? seconds = Environment.GetEnvironmentVariable("CRYPTOPLANE_FUZZ_SECONDS");
        if (seconds != null)
        {
            RunFor(TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)));
            return;
        }
        for (int i = 0; i < Bounded; i++)
        {
            foreach ((string name, Func<Random, FuzzOutcome> run) in FuzzCases.All)
                RunCase(name, run, new FuzzRandom(FirstSeed + i));
        }
    }

    [Fact]
    public void A_case_has_the_decisions_that_its_text_says()
    {
        static int[] Draw(FuzzRandom random) => [.. Enumerable.Range(0, 10).Select(_ => random.Next(1000))];
        var first = new FuzzRandom(5);
        int[] one = Draw(first), other = Draw(new FuzzRandom(6));
        Assert.Equal(10, first.Drawn);
        FuzzRandom tail = first.With(4, 0, 6), middle = first.With(4, 2, 6), both = middle.With(1, 4, 7);
        Assert.Equal([.. one[..4], .. other[4..]], Draw(tail));
        Assert.Equal([.. one[..4], .. other[4..6], .. one[6..]], Draw(middle));
        int[] changed = Draw(both);
        Assert.Equal([one[0], other[5], .. one[6..]], [changed[0], .. changed[5..]]);
        foreach (FuzzRandom random in new[] { tail, middle, both })
            Assert.Equal(Draw(random.Again()), Draw(new FuzzRandom(random.ToString())));
    }

    [Theory]
    [InlineData((int)HandshakeType.ClientHello)]
    [InlineData((int)HandshakeType.ServerHello)]
    [InlineData((int)HandshakeType.EncryptedExtensions)]
    [InlineData((int)HandshakeType.CertificateRequest)]
    [InlineData((int)HandshakeType.Certificate)]
    [InlineData((int)HandshakeType.CertificateVerify)]
    [InlineData((int)HandshakeType.Finished)]
    public void A_message_is_put_together_as_it_was_taken_apart(int type)
    {
        byte[] message = SampleMessages.Get((HandshakeType)type);
        MessageTree tree = MessageTree.Parse(message);
        Assert.Equal(message, tree.ToArray());
        Assert.Equal(message, tree.Clone().ToArray());
        // All but the Finished have a structure to change.
        Assert.True((HandshakeType)type == HandshakeType.Finished || tree.All.Count() > 4);
        var random = new Random(type);
        int different = Enumerable.Range(0, 100).Count(_ => !MessageMutator.Mutate(message, random).AsSpan().SequenceEqual(message));
        Assert.InRange(different, 60, 100);
    }

    private void RunFor(TimeSpan limit)
    {
        string first = Environment.GetEnvironmentVariable("CRYPTOPLANE_FUZZ_SEED") is { Length: > 0 } text
            ? text
            : (Environment.TickCount & 0x3FFFFFFF).ToString(CultureInfo.InvariantCulture);
        string only = Environment.GetEnvironmentVariable("CRYPTOPLANE_FUZZ_TARGET") ?? "";
        if (Environment.GetEnvironmentVariable("CRYPTOPLANE_FUZZ_ONCE") != null)
        {
            FuzzOutcome outcome = RunCase(only, FuzzCases.All.Single(one => one.Name == only).Run, new FuzzRandom(first));
            output.WriteLine($"{only}: {outcome.Detail}");
            return;
        }
        bool varies = Environment.GetEnvironmentVariable("CRYPTOPLANE_FUZZ_VARY") != null;
        string current = Path.Combine(Findings(), $"current-{Environment.ProcessId}");
        output.WriteLine($"first seed {first}{(varies ? ", varied" : "")}");
        var outcomes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        Dictionary<string, FuzzCorpus> corpora = FuzzCases.All.ToDictionary(one => one.Name, _ => new FuzzCorpus());
        long executions = 0, findings = 0, start = Stopwatch.GetTimestamp(), told = start;
        for (int seed = int.Parse(first, CultureInfo.InvariantCulture); Stopwatch.GetElapsedTime(start) < limit; seed++)
        {
            foreach ((string name, Func<Random, FuzzOutcome> run) in FuzzCases.All)
            {
                if (only.Length != 0 && only != name)
                    continue;
                FuzzRandom random = varies ? corpora[name].Next(seed) : new FuzzRandom(seed);
                // If a read beyond a buffer kills the process, this is what it was doing.
                File.WriteAllText(current, $"{name} {random}\n");
                executions++;
                try
                {
                    FuzzOutcome outcome = RunCase(name, run, random);
                    corpora[name].Add(random, outcome);
                    string summary = $"{name}: {outcome.Summary}";
                    outcomes[summary] = outcomes.GetValueOrDefault(summary) + 1;
                }
                catch (FuzzFindingException e)
                {
                    findings++;
                    File.WriteAllText(Path.Combine(Findings(), $"{name}-{seed}.txt"), $"{name} {random}\n{e}\n");
                    output.WriteLine($"FINDING {e.Message}");
                }
            }
            if (Stopwatch.GetElapsedTime(told) > TimeSpan.FromSeconds(10))
            {
                told = Stopwatch.GetTimestamp();
                int ends = corpora.Values.Sum(corpus => corpus.Ends);
                output.WriteLine($"{executions} executions, {findings} findings, {ends} different ends, {GC.GetTotalMemory(false) >> 20} MiB");
            }
        }
        File.Delete(current);
        foreach ((string outcome, int count) in outcomes)
            output.WriteLine($"{count,10} {outcome}");
        output.WriteLine($"different ends: {string.Join(", ", corpora.Select(one => $"{one.Key} {one.Value.Ends}"))}");
        output.WriteLine($"{executions} executions, {findings} findings");
        Assert.Equal(0, findings);
    }

    private static FuzzOutcome RunCase(string name, Func<Random, FuzzOutcome> run, FuzzRandom random)
    {
        try
        {
            return run(random);
        }
        catch (Exception e)
        {
            throw new FuzzFindingException($"{name} {random}: {(e is FuzzFindingException ? e.Message : $"{e.GetType().Name}: {e.Message}")}", e);
        }
    }

    private static string Findings()
    {
        string directory = RepositoryRoot.PathOf("artifacts", "fuzz");
        Directory.CreateDirectory(directory);
        return directory;
    }
}
