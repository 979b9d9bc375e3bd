using System.Runtime.Intrinsics.X86;
using AesNi = System.Runtime.Intrinsics.X86.Aes;

namespace CryptoPlane.Aead.Managed;

/// <summary>AES-128-GCM and AES-256-GCM with the CPU's AES and carry-less multiplication instructions, all in C#.</summary>
/// <remarks>
/// Every operation completes in <see cref="Submit"/>. The kernels keep keys and key streams in registers and in their own stack
/// frames; the stack is wiped once per burst. An open decrypts and hashes in one pass, and wipes what it wrote when the tag is
/// wrong, before anybody else can see it.
/// </remarks>
internal sealed unsafe class ManagedBackend : IAeadBackend
{
    /// <summary>"Auth", the first letters of AMD's name in CPUID.</summary>
    private const int AuthenticAmd = 0x6874_7541;

    private readonly GhashTier _tier;

    /// <param name="tier">A width that the CPU has.</param>
    public ManagedBackend(GhashTier tier)
    {
        if (!IsSupported || !IsTierSupported(tier))
            throw new PlatformNotSupportedException($"The CPU lacks AES-NI, SSSE3 or {TierName(tier)}: use the portable backend.");
        _tier = tier;
    }

    /// <summary>Whether this CPU can run the narrowest tier.</summary>
    public static bool IsSupported => AesNi.IsSupported && GhashLanes128.IsSupported;

    /// <summary>The widest tier of this CPU.</summary>
    public static GhashTier BestTier =>
        IsTierSupported(GhashTier.Hybrid512) && HybridPays ? GhashTier.Hybrid512
        : IsTierSupported(GhashTier.Lanes512) ? GhashTier.Lanes512
        : IsTierSupported(GhashTier.Lanes256) ? GhashTier.Lanes256
        : GhashTier.Lanes128;

    /// <summary>Whether this CPU can run <paramref name="tier"/>.</summary>
    public static bool IsTierSupported(GhashTier tier) => tier switch
    {
        GhashTier.Hybrid512 => GhashLanes512.IsSupported && Gfni512.IsSupported,
        GhashTier.Lanes512 => GhashLanes512.IsSupported,
        GhashTier.Lanes256 => GhashLanes256.IsSupported,
        _ => GhashLanes128.IsSupported,
    };

    /// <summary>Whether the hybrid is known to gain: on AMD's family 1Ah (Zen 5), whose vector units are 512 bits wide and many.</summary>
    /// <remarks>
    /// On Intel's CPUs it should lose: 512-bit instructions leave one unit for AES-NI there. Zen 4 does 512 bits in two halves.
    /// </remarks>
    private static bool HybridPays
    {
        get
        {
            (_, int vendor, _, _) = X86Base.CpuId(0, 0);
            (int version, _, _, _) = X86Base.CpuId(1, 0);
            int family = ((version >> 8) & 0xF) + ((version >> 20) & 0xFF);
            return vendor == AuthenticAmd && family == 0x1A;
        }
    }

    /// <summary>The instructions of <paramref name="tier"/>.</summary>
    public static string TierName(GhashTier tier) => tier switch
    {
        GhashTier.Hybrid512 => $"{GhashLanes512.Name}, half of large messages' AES by GFNI",
        GhashTier.Lanes512 => GhashLanes512.Name,
        GhashTier.Lanes256 => GhashLanes256.Name,
        _ => GhashLanes128.Name,
    };

    public string Name => "managed";

    public string Description => $"managed: AES-GCM by AES-NI, 8 blocks at a time, and {TierName(_tier)}";

    public AeadBackendKind Kind => AeadBackendKind.Managed;

    public bool IsSynchronous => true;

    public int InFlight => 0;

    public bool Supports(AeadAlgorithm algorithm) => algorithm is AeadAlgorithm.Aes128Gcm or AeadAlgorithm.Aes256Gcm;

    /// <summary>Nothing to do: <see cref="ExpandKey"/> ran when the key was made.</summary>
    public bool TryAttachKey(AeadKeyHandle key) => true;

    public void DetachKey(AeadKeyHandle key)
    {
        // All that the kernels use lies in the key block, which is zeroed as a whole.
    }

    /// <summary>Fills the round keys and the powers of H of a key block.</summary>
    public static void ExpandKey(AeadKeyBlock* block)
    {
        switch (block->Algorithm)
        {
            case AeadAlgorithm.Aes128Gcm:
                AesKeyExpansion.Expand128(block->RawKey, block->RoundKeys);
                Ghash.ExpandPowers(block, Aes128Rounds.Count);
                break;
            case AeadAlgorithm.Aes256Gcm:
                AesKeyExpansion.Expand256(block->RawKey, block->RoundKeys);
                Ghash.ExpandPowers(block, Aes256Rounds.Count);
                break;
        }
        Scrub.Run(wide: false);
    }

    public int Submit(AeadOperation* operations, int count)
    {
        GcmPlan.Run(operations, count, _tier);
        return count;
    }

    public int Poll(AeadOperation** completed, int capacity) => 0;

    public void Dispose()
    {
        // Nothing is held: keys own their blocks.
    }
}
