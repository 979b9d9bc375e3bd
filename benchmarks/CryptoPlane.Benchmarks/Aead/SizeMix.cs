namespace CryptoPlane.Benchmarks.Aead;

/// <summary>How long the messages of a case are.</summary>
/// <param name="Name">A word for the case's name; null where all messages have one size.</param>
/// <param name="Pattern">Sizes that come again and again, in an order that is shuffled.</param>
internal sealed record SizeMix(string? Name, int[] Pattern)
{
    /// <summary>7 : 4 : 1 of 64, 576 and 1,408 bytes: the usual mix of Internet packets, the longest as it fits into a tunnel.</summary>
    public static SizeMix Imix { get; } = new("imix", [.. Enumerable.Repeat(64, 7), .. Enumerable.Repeat(576, 4), 1408]);

    /// <summary>Mean bytes of a message.</summary>
    public int MeanBytes => (int)Math.Round(Pattern.Average());

    public static SizeMix Of(int bytes) => new(null, [bytes]);

    /// <summary>Every size from <paramref name="least"/> to <paramref name="most"/> is as likely: 384 draws, the same in every run.</summary>
    public static SizeMix Uniform(int least, int most)
    {
        var random = new Random(least);
        return new SizeMix($"uniform{least}-{most}", [.. Enumerable.Range(0, AeadWorkload.MixOperations).Select(_ => random.Next(least, most + 1))]);
    }

    /// <summary>As many sizes, in an order that the branch predictor does not know but that is the same in every run.</summary>
    public int[] Sizes(int count)
    {
        int[] sizes = [.. Enumerable.Range(0, count).Select(i => Pattern[i % Pattern.Length])];
        new Random(count).Shuffle(sizes);
        return sizes;
    }
}
