using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// From a burst to lists of operations that one kernel takes together: operations are sorted by shape (direction, key size and number
/// of blocks), and those of one shape run in one go, whatever their keys.
/// </summary>
/// <remarks>
/// Sorted by counting, stably and without a branch that depends on the mix: a CPU would guess half of them wrong, and each wrong guess
/// costs as much as two blocks of AES.
/// </remarks>
internal static unsafe class GcmPlan
{
    /// <summary>Operations that are planned at once.</summary>
    private const int Limit = 64;

    /// <summary>Size classes 0 to 8 are numbers of blocks; then there are those with more, and small ones with long AAD.</summary>
    private const int LongClass = 9, LongAadClass = 10;

    /// <summary>Sixteen classes of sizes for each direction and key size. Not all are in use; a set of shapes is a 64-bit mask.</summary>
    private const int Classes = 16, Shapes = 4 * Classes;

    /// <summary>The shapes of <see cref="LongClass"/>.</summary>
    private const ulong LongShapes = 0x0001_0001_0001_0001UL << LongClass;

    /// <summary>Carries out operations, sets their statuses, and wipes the stack.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(AeadOperation* operations, int count, GhashTier tier)
    {
        if (count == 1)
        {
            int only = ShapeOf(operations);
            RunShape(only, &operations, 1, tier);
            Scrub.Run(IsWide(1UL << only, tier));
            return;
        }
        for (int done = 0; done < count; done += Limit)
            RunSome(operations + done, Math.Min(count - done, Limit), tier);
    }

    /// <remarks>Sound: a shape is less than <see cref="Shapes"/>, and the list has a place for each operation.</remarks>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunSome(AeadOperation* operations, int count, GhashTier tier)
    {
        AeadOperation** list = stackalloc AeadOperation*[Limit];
        byte* shapes = stackalloc byte[Limit];
        ulong present = 0;
        AeadKeyBlock* key = null;
        for (int i = 0; i < count; i++)
        {
            if (operations[i].Key.Block != key)
                Prefetch(key = operations[i].Key.Block);
            int shape = ShapeOf(operations + i);
            shapes[i] = (byte)shape;
            list[i] = operations + i;
            present |= 1UL << shape;
        }
        if (BitOperations.IsPow2(present))
        {
            RunShape(shapes[0], list, count, tier);
            Scrub.Run(IsWide(present, tier));
            return;
        }

        byte* ends = stackalloc byte[Shapes];
        Unsafe.InitBlockUnaligned(ends, 0, Shapes);
        for (int i = 0; i < count; i++)
            ends[shapes[i]]++;
        // From how many there are of each shape to where its part of the list begins. Filling the list moves that to where it ends.
        int begin = 0;
        for (ulong left = present; left != 0; left &= left - 1)
        {
            int shape = BitOperations.TrailingZeroCount(left);
            int size = ends[shape];
            ends[shape] = (byte)begin;
            begin += size;
        }
        for (int i = 0; i < count; i++)
            list[ends[shapes[i]]++] = operations + i;

        begin = 0;
        for (ulong left = present; left != 0; left &= left - 1)
        {
            int shape = BitOperations.TrailingZeroCount(left);
            RunShape(shape, list + begin, ends[shape] - begin, tier);
            begin = ends[shape];
        }
        Scrub.Run(IsWide(present, tier));
    }

    /// <summary>Whether vectors of more than 128 bits are used for any of the shapes: only the long kernel has them.</summary>
    private static bool IsWide(ulong present, GhashTier tier) => tier != GhashTier.Lanes128 && (present & LongShapes) != 0;

    /// <summary>Fetches what a small message touches of its key: H^8 to H^1, the sums of their halves, and the round keys.</summary>
    /// <remarks>The line after the sums is fetched by whoever asks for the algorithm; that of the last round keys of 256 bits is left out.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(AeadKeyBlock* key)
    {
        Sse.Prefetch0((byte*)key + Ghash.PowerOffset(8));
        Sse.Prefetch0((byte*)key + Ghash.PowerOffset(4));
        Sse.Prefetch0((byte*)key + AeadKeyBlock.LowHalfSumsOffset);
        Sse.Prefetch0((byte*)key + AeadKeyBlock.RoundKeysOffset + 64);
        Sse.Prefetch0((byte*)key + AeadKeyBlock.RoundKeysOffset + 128);
    }

    /// <remarks>In numbers instead of choices, which the JIT would make jumps of. Always less than <see cref="Shapes"/>.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ShapeOf(AeadOperation* operation)
    {
        int blocks = (int)((operation->Length + 15) / 16);
        // min(blocks, LongClass): the difference if it is negative, else 0.
        int size = LongClass + ((blocks - LongClass) & ((blocks - LongClass) >> 31));
        if (operation->AadLength > AeadSizes.InlineAad && size < LongClass)
            size = LongAadClass;
        int keySize = operation->Key.Block->Algorithm - AeadAlgorithm.Aes128Gcm;
        return Classes * (2 * ((int)operation->Direction & 1) + (keySize & 1)) + size;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunShape(int shape, AeadOperation** operations, int count, GhashTier tier)
    {
        int size = shape % Classes;
        switch (shape / Classes)
        {
            case 0:
                RunSize<Aes128Rounds, Sealing>(size, operations, count, tier);
                break;
            case 1:
                RunSize<Aes256Rounds, Sealing>(size, operations, count, tier);
                break;
            case 2:
                RunSize<Aes128Rounds, Opening>(size, operations, count, tier);
                break;
            default:
                RunSize<Aes256Rounds, Opening>(size, operations, count, tier);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunSize<TRounds, TDirection>(int size, AeadOperation** operations, int count, GhashTier tier)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
    {
        if (size < LongClass)
        {
            GcmRunKernel.Run<TRounds, TDirection, InlineAad>(operations, count);
        }
        else if (size == LongAadClass)
        {
            // Their numbers of blocks differ: one after the other.
            for (int i = 0; i < count; i++)
                GcmRunKernel.Run<TRounds, TDirection, AnyAad>(operations + i, 1);
        }
        else if (tier == GhashTier.Hybrid512)
        {
            RunHybrid<TRounds, TDirection>(operations, count);
        }
        else if (tier == GhashTier.Lanes512)
        {
            GcmLongKernel.Run<TRounds, TDirection, GhashLanes512, Vector512<ulong>>(operations, count);
        }
        else if (tier == GhashTier.Lanes256)
        {
            GcmLongKernel.Run<TRounds, TDirection, GhashLanes256, Vector256<ulong>>(operations, count);
        }
        else
        {
            GcmLongKernel.Run<TRounds, TDirection, GhashLanes128, Vector128<ulong>>(operations, count);
        }
    }

    /// <summary>Large messages one by one, and those between them together.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunHybrid<TRounds, TDirection>(AeadOperation** operations, int count)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
    {
        for (int i = 0; i < count;)
        {
            int shorter = 0;
            while (i + shorter < count && operations[i + shorter]->Length < GcmHybridKernel.MinLength)
                shorter++;
            if (shorter > 0)
                GcmLongKernel.Run<TRounds, TDirection, GhashLanes512, Vector512<ulong>>(operations + i, shorter);
            else
                GcmLongKernel.RunHybrid<TRounds, TDirection, GhashLanes512, Vector512<ulong>, Gfni512>(operations[i]);
            i += Math.Max(shorter, 1);
        }
        Scrub.LargeStack();
    }
}
