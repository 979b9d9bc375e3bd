using CryptoPlane.Aead;
using CryptoPlane.Aead.Managed;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>Every backend, and every tier of it, that this machine can run. What it cannot run is named, not left out in silence.</summary>
internal static class BackendCatalog
{
    private static readonly GhashTier[] s_tiers = Enum.GetValues<GhashTier>();

    /// <summary>Names for theories: <c>managed/Lanes128</c>, <c>portable</c>, and so on.</summary>
    public static TheoryData<string> Names
    {
        get
        {
            var names = new TheoryData<string>();
            foreach (GhashTier tier in s_tiers.Where(IsRunnable))
                names.Add($"managed/{tier}");
            names.Add("portable");
            return names;
        }
    }

    /// <summary>Tiers that this CPU lacks, with the instructions that they need.</summary>
    public static string[] Missing => [.. s_tiers.Where(tier => !IsRunnable(tier)).Select(tier => $"managed/{tier} ({ManagedBackend.TierName(tier)})")];

    /// <summary>An engine whose first choice is the named backend; ChaCha20-Poly1305 falls through to the portable one.</summary>
    public static AeadEngine CreateEngine(string name)
    {
        IAeadBackend portable = AeadBackends.CreatePortable();
        return name == "portable"
            ? new AeadEngine(portable)
            : new AeadEngine(new ManagedBackend(Enum.Parse<GhashTier>(name.Split('/')[1])), portable);
    }

    private static bool IsRunnable(GhashTier tier) => ManagedBackend.IsSupported && ManagedBackend.IsTierSupported(tier);
}
