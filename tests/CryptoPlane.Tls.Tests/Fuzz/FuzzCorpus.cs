namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>
/// The cases of one target that came to an end which none before them had: new cases are made of them, most of those whose ends are rare, since what
/// is behind a rare end is reached by few others.
/// </summary>
internal sealed class FuzzCorpus
{
    private const int MaxChanged = 4, Candidates = 4;

    private readonly Dictionary<string, Kept> _ends = new(StringComparer.Ordinal);
    private readonly List<Kept> _kept = [];

    /// <summary>How many different ends there were.</summary>
    public int Ends => _kept.Count;

    /// <summary>The next case: a new one, or one of those that were kept with other decisions at some place.</summary>
    /// <param name="seed">For the new decisions.</param>
    public FuzzRandom Next(int seed)
    {
        if (_kept.Count == 0 || seed % 2 == 0)
            return new FuzzRandom(seed);
        var choice = new FuzzRandom(~seed);
        Kept parent = Enumerable.Range(0, Candidates).Select(_ => _kept[choice.Next(_kept.Count)]).MinBy(kept => kept.Uses + kept.Hits)!;
        parent.Uses++;
        return parent.Case.With(choice.Next(1, Math.Max(2, parent.Case.Drawn)), choice.Next(2) * choice.Next(1, MaxChanged + 1), seed);
    }

    /// <summary>Keeps a case if its end is new.</summary>
    public void Add(FuzzRandom done, FuzzOutcome outcome)
    {
        if (_ends.TryGetValue(outcome.Detail, out Kept? kept))
        {
            kept.Hits++;
            return;
        }
        kept = new Kept(done);
        _ends.Add(outcome.Detail, kept);
        _kept.Add(kept);
    }

    /// <summary>A case, how often others were made of it, and how often its end was come to again.</summary>
    private sealed class Kept(FuzzRandom done)
    {
        public FuzzRandom Case { get; } = done;

        public int Uses { get; set; }

        public int Hits { get; set; }
    }
}
