using CryptoPlane.Aead;
using CryptoPlane.Benchmarks.Aead;

namespace CryptoPlane.Benchmarks.Report;

/// <summary>
/// What the project set out to reach, beside what was measured: ipsec-mb's time divided by ours, AES-128-GCM, seal, bursts of 32, on a CPU
/// with VAES, VPCLMULQDQ and AVX-512 (the expectations stem from measurements of prototypes on Zen 5).
/// </summary>
internal static class ExpectedRatios
{
    /// <summary>Native kernels, one key, by size.</summary>
    public static (int Bytes, double Ratio)[] Native { get; } =
        [(16, 3.8), (64, 3.2), (128, 2.5), (256, 2.0), (512, 1.45), (1408, 1.28), (16384, 1.2)];

    /// <summary>Managed kernels, one key, by size.</summary>
    public static (int Bytes, double Ratio)[] Managed { get; } = [(64, 2.2), (256, 1.0), (1408, 0.48), (16384, 0.48)];

    private const double Native32KeysOf64Bytes = 2.7;
    private const double NativeImix = 1.55;

    /// <summary>One row per expectation that this run measured.</summary>
    public static IEnumerable<(string What, string Subject, double Expected, double? Measured)> Compare(IReadOnlyList<AeadTable> tables)
    {
        AeadRow[] rows = [.. tables.SelectMany(table => table.Rows)
            .Where(row => row.Case is { Algorithm: AeadAlgorithm.Aes128Gcm, Direction: AeadDirection.Seal, Burst: 32 })];
        double? Measured(string subject, Func<AeadCase, bool> isIt) =>
            rows.FirstOrDefault(row => isIt(row.Case))?.Ratio(subject, LineupFactory.IpsecMb);

        foreach ((int bytes, double ratio) in Native)
            yield return ($"{bytes} B", LineupFactory.Native, ratio, Measured(LineupFactory.Native, OneKey(bytes)));
        yield return ("64 B, 32 keys", LineupFactory.Native, Native32KeysOf64Bytes,
            Measured(LineupFactory.Native, work => work is { Mix.Name: null, Mix.MeanBytes: 64, Keys: 32 }));
        yield return ("IMIX", LineupFactory.Native, NativeImix, Measured(LineupFactory.Native, work => work.Mix.Name == SizeMix.Imix.Name));
        foreach ((int bytes, double ratio) in Managed)
            yield return ($"{bytes} B", LineupFactory.Managed, ratio, Measured(LineupFactory.Managed, OneKey(bytes)));
    }

    private static Func<AeadCase, bool> OneKey(int bytes) => work => work is { Mix.Name: null, Keys: 1 } && work.Mix.MeanBytes == bytes;
}
