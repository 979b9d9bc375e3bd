using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
    /// <summary>
    /// Stack that the kernels may have left key streams on. With 32 vector registers they spill nothing; with 16 it is a few lanes.
    /// </summary>
    private const int StackToWipe = 512;

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
        IsTierSupported(GhashTier.Lanes512) ? GhashTier.Lanes512
        : IsTierSupported(GhashTier.Lanes256) ? GhashTier.Lanes256
        : GhashTier.Lanes128;

    /// <summary>Whether this CPU can run <paramref name="tier"/>.</summary>
    public static bool IsTierSupported(GhashTier tier) => tier switch
    {
        GhashTier.Lanes512 => GhashLanes512.IsSupported,
        GhashTier.Lanes256 => GhashLanes256.IsSupported,
        _ => GhashLanes128.IsSupported,
    };

    /// <summary>The instructions of <paramref name="tier"/>.</summary>
    public static string TierName(GhashTier tier) => tier switch
    {
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
        WipeStack();
    }

    public int Submit(AeadOperation* operations, int count)
    {
        int done = 0;
        while (done < count)
        {
            AeadOperation* operation = operations + done;
            int run = GcmRunKernel.Count(operation, count - done);
            // One seal alone has nothing to be sealed beside; one open is hashed beside itself.
            if (run > 1 || (run == 1 && operation->Direction == AeadDirection.Open))
            {
                ProcessRun(operation, run);
                done += run;
            }
            else
            {
                ProcessOne(operation, _tier);
                done++;
            }
        }
        WipeStack();
        return count;
    }

    public int Poll(AeadOperation** completed, int capacity) => 0;

    public void Dispose()
    {
        // Nothing is held: keys own their blocks.
    }

    /// <summary>Carries out small operations of one shape.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ProcessRun(AeadOperation* operations, int count)
    {
        bool aes128 = operations->Key.Block->Algorithm == AeadAlgorithm.Aes128Gcm;
        if (operations->Direction == AeadDirection.Seal)
        {
            if (aes128)
                GcmRunKernel.Run<Aes128Rounds, Sealing>(operations, count);
            else
                GcmRunKernel.Run<Aes256Rounds, Sealing>(operations, count);
            return;
        }
        if (aes128)
            GcmRunKernel.Run<Aes128Rounds, Opening>(operations, count);
        else
            GcmRunKernel.Run<Aes256Rounds, Opening>(operations, count);
        for (int i = 0; i < count; i++)
        {
            if (operations[i].Status != AeadStatus.Success)
                NativeMemory.Clear(operations[i].Destination, operations[i].Length);
        }
    }

    /// <summary>Carries out one operation of any length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ProcessOne(AeadOperation* operation, GhashTier tier)
    {
        bool seals = operation->Direction == AeadDirection.Seal;
        bool right = operation->Key.Block->Algorithm == AeadAlgorithm.Aes128Gcm
            ? seals ? ProcessOne<Aes128Rounds, Sealing>(operation, tier) : ProcessOne<Aes128Rounds, Opening>(operation, tier)
            : seals ? ProcessOne<Aes256Rounds, Sealing>(operation, tier) : ProcessOne<Aes256Rounds, Opening>(operation, tier);
        if (!right)
            NativeMemory.Clear(operation->Destination, operation->Length);
        operation->Status = right ? AeadStatus.Success : AeadStatus.AuthenticationFailed;
    }

    /// <returns>Whether the tag is right; always true for a seal.</returns>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool ProcessOne<TRounds, TDirection>(AeadOperation* operation, GhashTier tier)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
    {
        Vector128<ulong> hash = Ghash.Aad(operation);
        if (operation->Length <= GcmTailKernel.MaxLength)
            return GcmTailKernel.Run<TRounds, TDirection>(operation, 0, &hash, pending: 1);
        nuint done = tier switch
        {
            GhashTier.Lanes512 => GcmLongKernel.Run<TRounds, TDirection, GhashLanes512, Vector512<ulong>>(operation, &hash),
            GhashTier.Lanes256 => GcmLongKernel.Run<TRounds, TDirection, GhashLanes256, Vector256<ulong>>(operation, &hash),
            _ => GcmLongKernel.Run<TRounds, TDirection, GhashLanes128, Vector128<ulong>>(operation, &hash),
        };
        return GcmTailKernel.Run<TRounds, TDirection>(operation, done, &hash, pending: 0);
    }

    /// <summary>Overwrites the stack below the caller, where the kernels' frames were.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void WipeStack()
    {
        byte* stack = stackalloc byte[StackToWipe];
        NativeMemory.Clear(stack, StackToWipe);
    }
}
