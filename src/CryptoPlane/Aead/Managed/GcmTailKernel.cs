using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sum = CryptoPlane.Aead.Managed.GhashSum<CryptoPlane.Aead.Managed.GhashLanes128, System.Runtime.Intrinsics.Vector128<ulong>>;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// The end of a long message, or a small one that has no neighbour of its shape: up to eight blocks of data, the lengths and the tag.
/// </summary>
/// <remarks>
/// <para>One AES pass encrypts J0 (for the tag) beside the counters; all blocks' products are summed up and reduced once.</para>
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
        AeadKeyBlock* key = operation->Key.Block;
        byte* roundKeys = key->RoundKeys;
        byte* source = operation->Source + done, destination = operation->Destination + done;
        int left = (int)(operation->Length - (uint)done);

        var lanes = new GcmLanes<TBlocks>(GcmBlock.Nonce(operation), 2 + (uint)(done / 16), roundKeys);
        for (int round = 1; round < TRounds.Count; round++)
            lanes.Round(roundKeys + 16 * round);
        lanes.LastRound(roundKeys + 16 * TRounds.Count);

        // The block before the lengths is multiplied by H², and so on upwards; the lengths by H.
        var sum = default(Sum);
        sum.Add(*hash, key, TBlocks.Value + 1 + pending);
        lanes.CryptAndHash<TDirection>(source, destination, left, ref sum, key);
        sum.Add(GcmBlock.Lengths(operation), key, 1);
        Vector128<byte> tag = Ghash.Reverse(sum.Reduce().AsByte()).AsByte() ^ lanes.TagMask;

        if (TDirection.Seals)
        {
            tag.Store(destination + left);
            return true;
        }
        // One comparison of all 128 bits: no position of a difference shows in the time.
        return tag == Vector128.Load(source + left);
    }
}
