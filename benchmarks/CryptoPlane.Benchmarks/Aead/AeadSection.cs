using CryptoPlane.Aead;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>A table of the report: cases in which one thing varies.</summary>
/// <param name="Kind">What varies.</param>
/// <param name="Title">The table's heading.</param>
/// <param name="Lineup">Who is measured.</param>
/// <param name="Cases">The rows.</param>
internal sealed record AeadSection(SectionKind Kind, string Title, Lineup Lineup, AeadCase[] Cases)
{
    private static readonly int[] s_sizes = [16, 32, 64, 128, 256, 512, 1024, 1408, 4096, 8192, 16384];
    private static readonly int[] s_quickSizes = [16, 64, 256, 1408, 16384];
    private static readonly int[] s_packets = [64, 1408];
    private static readonly int[] s_keys = [1, 32, 1000, 100_000];

    /// <summary>What is measured: not every combination, but every question once.</summary>
    public static AeadSection[] All(bool quick)
    {
        int[] sizes = quick ? s_quickSizes : s_sizes;
        int[] fewSizes = quick ? s_packets : s_sizes;
        return
        [
            BySize("AES-128-GCM, seal", Lineup.All, AeadAlgorithm.Aes128Gcm, AeadDirection.Seal, sizes),
            BySize("AES-128-GCM, open", Lineup.Main, AeadAlgorithm.Aes128Gcm, AeadDirection.Open, fewSizes),
            BySize("AES-256-GCM, seal", Lineup.Main, AeadAlgorithm.Aes256Gcm, AeadDirection.Seal, fewSizes),
            BySize("AES-256-GCM, open", Lineup.Main, AeadAlgorithm.Aes256Gcm, AeadDirection.Open, quick ? [64] : [64, 512, 1408, 16384]),
            new(SectionKind.Burst, "Operations per burst (AES-128-GCM, seal)", Lineup.Fast | Lineup.OtherTiers,
                [.. from size in quick ? [64] : s_packets from burst in (int[])[1, 8, 32, 64] select Aes128(SizeMix.Of(size), burst: burst)]),
            new(SectionKind.Keys, "Keys (AES-128-GCM, seal)", Lineup.Fast | Lineup.Framework,
                [.. from size in quick ? [64] : s_packets from keys in quick ? s_keys[..^1] : s_keys select Aes128(SizeMix.Of(size), keys: keys)]),
            new(SectionKind.Mix, "Mixed sizes (AES-128-GCM)", Lineup.Main | Lineup.OtherTiers,
                [.. from direction in quick ? [AeadDirection.Seal] : (AeadDirection[])[AeadDirection.Seal, AeadDirection.Open]
                    from mix in quick ? [SizeMix.Imix] : (SizeMix[])[SizeMix.Imix, SizeMix.Uniform(16, 256), SizeMix.Uniform(40, 1408)]
                    select Aes128(mix, direction)]),
            BySize("ChaCha20-Poly1305, seal", Lineup.ChaCha, AeadAlgorithm.ChaCha20Poly1305, AeadDirection.Seal, sizes),
            BySize("ChaCha20-Poly1305, open", Lineup.ChaCha, AeadAlgorithm.ChaCha20Poly1305, AeadDirection.Open, quick ? [64] : [64, 1408, 16384]),
        ];
    }

    /// <summary>What a row is called in its table.</summary>
    public string RowName(AeadCase row) => Kind switch
    {
        SectionKind.Size => $"{row.Mix.MeanBytes}",
        SectionKind.Burst => $"{row.Burst} of {row.Mix.MeanBytes} B",
        SectionKind.Keys => $"{row.Keys:N0} at {row.Mix.MeanBytes} B",
        _ => $"{row.Mix.Name}, {row.DirectionName}",
    };

    private static AeadSection BySize(string title, Lineup lineup, AeadAlgorithm algorithm, AeadDirection direction, int[] sizes) =>
        new(SectionKind.Size, title, lineup, [.. sizes.Select(size => new AeadCase(algorithm, direction, SizeMix.Of(size)))]);

    private static AeadCase Aes128(SizeMix mix, AeadDirection direction = AeadDirection.Seal, int burst = 32, int keys = 1) =>
        new(AeadAlgorithm.Aes128Gcm, direction, mix, burst, keys);
}

/// <summary>What varies from row to row of a table.</summary>
internal enum SectionKind
{
    Size,
    Burst,
    Keys,
    Mix,
}
