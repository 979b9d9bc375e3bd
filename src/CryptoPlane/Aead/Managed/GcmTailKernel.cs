using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// The end of a message, or the whole of a small one: up to eight blocks of data, the lengths and the tag.
/// </summary>
/// <remarks>
/// <para>One AES pass encrypts J0 (for the tag) beside the counters, all blocks' products are summed up and reduced once. The next
/// packet of a burst does not depend on this one, so the CPU begins it while this one's chain of latencies runs out.</para>
/// <para>Control flow and addresses depend on the lengths of data and AAD only.</para>
/// </remarks>
internal static unsafe class GcmTailKernel
{
    /// <summary>Bytes of data that one call takes at most.</summary>
    public const int MaxLength = 128;

    /// <summary>Carries out the rest of an operation; see <see cref="Run{TRounds,TDirection,TBlocks}"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Run<TRounds, TDirection>(AeadOperation* operation, nuint done, Vector128<ulong>* hash, int pending)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
    {
        return ((operation->Length - (uint)done + 15) / 16) switch
        {
            0 => Run<TRounds, TDirection, Blocks0>(operation, done, hash, pending),
            1 => Run<TRounds, TDirection, Blocks1>(operation, done, hash, pending),
            2 => Run<TRounds, TDirection, Blocks2>(operation, done, hash, pending),
            3 => Run<TRounds, TDirection, Blocks3>(operation, done, hash, pending),
            4 => Run<TRounds, TDirection, Blocks4>(operation, done, hash, pending),
            5 => Run<TRounds, TDirection, Blocks5>(operation, done, hash, pending),
            6 => Run<TRounds, TDirection, Blocks6>(operation, done, hash, pending),
            7 => Run<TRounds, TDirection, Blocks7>(operation, done, hash, pending),
            _ => Run<TRounds, TDirection, Blocks8>(operation, done, hash, pending),
        };
    }

    /// <summary>Encrypts or decrypts the rest of the data, and writes or compares the tag.</summary>
    /// <param name="operation">The operation; its key has been expanded.</param>
    /// <param name="done">Bytes that the long kernel has dealt with: a multiple of 128. What is left is as many blocks as the type says.</param>
    /// <param name="hash">The hash so far.</param>
    /// <param name="pending">1 if <paramref name="hash"/> has yet to be multiplied by H (it ends in an AAD block), else 0.</param>
    /// <returns>Whether the tag is right; always true for a seal.</returns>
    /// <remarks>Sound: see <see cref="AeadOperation"/> for what the addresses promise; the powers table has room for Value + 2 blocks.</remarks>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Run<TRounds, TDirection, TBlocks>(AeadOperation* operation, nuint done, Vector128<ulong>* hash, int pending)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TBlocks : struct, IBlockCount
    {
        byte* roundKeys = operation->Key.Block->RoundKeys;
        GcmLanes.Begin<TBlocks>(
            GcmBlock.Nonce(operation),
            2 + (uint)(done / 16),
            roundKeys,
            out Vector128<byte> b0, out Vector128<byte> b1, out Vector128<byte> b2, out Vector128<byte> b3, out Vector128<byte> b4, out Vector128<byte> b5, out Vector128<byte> b6, out Vector128<byte> b7, out Vector128<byte> b8);
        GcmLanes.Round<TBlocks>(roundKeys + 16 * 1, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
        GcmLanes.Round<TBlocks>(roundKeys + 16 * 2, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
        GcmLanes.Round<TBlocks>(roundKeys + 16 * 3, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
        GcmLanes.Round<TBlocks>(roundKeys + 16 * 4, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
        GcmLanes.Round<TBlocks>(roundKeys + 16 * 5, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
        GcmLanes.Round<TBlocks>(roundKeys + 16 * 6, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
        GcmLanes.Round<TBlocks>(roundKeys + 16 * 7, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
        GcmLanes.Round<TBlocks>(roundKeys + 16 * 8, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
        GcmLanes.Round<TBlocks>(roundKeys + 16 * 9, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
        if (TRounds.Count > 10)
        {
            GcmLanes.Round<TBlocks>(roundKeys + 16 * 10, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
            GcmLanes.Round<TBlocks>(roundKeys + 16 * 11, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
            GcmLanes.Round<TBlocks>(roundKeys + 16 * 12, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
            GcmLanes.Round<TBlocks>(roundKeys + 16 * 13, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
        }
        GcmLanes.LastRound<TBlocks>(roundKeys + 16 * TRounds.Count, ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8);
        return GcmLanes.Finish<TDirection, TBlocks>(operation, done, *hash, pending, b0, b1, b2, b3, b4, b5, b6, b7, b8);
    }
}
