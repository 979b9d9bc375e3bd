using CryptoPlane.Aead;
using CryptoPlane.Aead.Managed;
using CryptoPlane.Aead.Native;
using CryptoPlane.TestKit;

namespace CryptoPlane.Conformance.Tests.Aead;

/// <summary>
/// Every backend, and every tier of it, that this machine can run: natively, or, where the CPU lacks the vector forms of AES and carry-less
/// multiplication, emulated (native/aead/tests/emulated_vaes.h); and DPDK's software crypto devices. What it cannot run is named, not left out in silence.
/// </summary>
internal static class BackendCatalog
{
    private static readonly GhashTier[] s_managed = Enum.GetValues<GhashTier>();

    private static readonly Lazy<NativeAeadLibrary?> s_emulated = new(() => NativeAeadLibrary.TryLoad(EmulatedLibrary, out _));

    /// <summary>Where eng/build-native.sh --tests puts the emulated library.</summary>
    public static string EmulatedLibrary { get; } = RepositoryRoot.PathOf("artifacts", "native", "linux-x64", "libcryptoplane_aead_emulated.so");

    /// <summary>Names for theories: <c>native/aesni</c>, <c>emulated/vaes512</c>, <c>managed/Lanes128</c>, <c>portable</c>, and so on.</summary>
    public static TheoryData<string> Names
    {
        get
        {
            var names = new TheoryData<string>();
            foreach (NativeAeadTier tier in Native.Where(tier => tier.IsSupported))
                names.Add($"native/{tier.Name}");
            foreach (NativeAeadTier tier in Emulated)
                names.Add($"emulated/{tier.Name}");
            foreach (GhashTier tier in s_managed.Where(IsRunnable))
                names.Add($"managed/{tier}");
            foreach (string device in DpdkDevices.Names)
                names.Add($"dpdk/{device}");
            names.Add("portable");
            return names;
        }
    }

    /// <summary>Tiers that this machine cannot run, with what they need.</summary>
    public static string[] Missing =>
    [
        .. Native.Where(tier => !tier.IsSupported && !Emulated.Any(emulated => emulated.Name == tier.Name)).Select(tier => $"native/{tier.Name} ({tier.Instructions})"),
        .. s_managed.Where(tier => !IsRunnable(tier)).Select(tier => $"managed/{tier} ({ManagedBackend.TierName(tier)})"),
        .. DpdkDevices.Problem is string problem ? new[] { $"dpdk ({problem})" } : [],
    ];

    private static IReadOnlyList<NativeAeadTier> Native => NativeAeadLibrary.Default?.Tiers ?? [];

    /// <summary>What the emulated library can run and the real one cannot.</summary>
    private static IEnumerable<NativeAeadTier> Emulated =>
        (s_emulated.Value?.Tiers ?? []).Where(tier => tier.IsSupported && Native.Any(native => native.Name == tier.Name && !native.IsSupported));

    /// <summary>Whether a backend does ChaCha20-Poly1305 itself.</summary>
    public static bool HasChaCha(string name) => name.Split('/')[0] is "native" or "emulated" or "portable";

    /// <summary>An engine whose first choice is the named backend; what it lacks (managed: ChaCha20-Poly1305) falls through to the portable one.</summary>
    public static AeadEngine CreateEngine(string name)
    {
        IAeadBackend portable = AeadBackends.CreatePortable();
        string[] parts = name.Split('/');
        return parts[0] switch
        {
            "native" => new AeadEngine(new NativeBackend(Native.Single(tier => tier.Name == parts[1])), portable),
            "emulated" => new AeadEngine(new NativeBackend(Emulated.Single(tier => tier.Name == parts[1])), portable),
            "managed" => new AeadEngine(new ManagedBackend(Enum.Parse<GhashTier>(parts[1])), portable),
            "dpdk" => new AeadEngine(DpdkDevices.CreateBackend(parts[1]), portable),
            _ => new AeadEngine(portable),
        };
    }

    private static bool IsRunnable(GhashTier tier) => ManagedBackend.IsSupported && ManagedBackend.IsTierSupported(tier);
}
