namespace CryptoPlane.Ike;

/// <summary>How long an SA lives: it is rekeyed at some moment before the end, and deleted at the end. Times in milliseconds.</summary>
/// <param name="RekeyAfter">When rekeying begins at the latest.</param>
/// <param name="ExpireAfter">When the SA is deleted, if it was not replaced until then.</param>
/// <param name="Jitter">
/// Rekeying begins up to this much before <paramref name="RekeyAfter"/>, by chance, so that two sides with the same lifetime seldom do it
/// at the same moment (RFC 7296 §2.8).
/// </param>
public sealed record IkeLifetime(long RekeyAfter, long ExpireAfter, long Jitter)
{
    /// <summary>For IKE SAs: rekeyed after some four hours.</summary>
    public static IkeLifetime IkeSaDefault { get; } = new(4 * 3_600_000, (4 * 3_600_000) + 600_000, 600_000);

    /// <summary>For child SAs: rekeyed after about an hour.</summary>
    public static IkeLifetime ChildSaDefault { get; } = new(3_600_000, 3_960_000, 360_000);

    internal void Validate(string name)
    {
        if (RekeyAfter <= 0 || ExpireAfter <= RekeyAfter || Jitter < 0 || Jitter >= RekeyAfter)
            throw new ArgumentException($"{name}: rekeying comes after 0, expiry after rekeying, and jitter is shorter than the time to rekeying; not {this}.");
    }
}
