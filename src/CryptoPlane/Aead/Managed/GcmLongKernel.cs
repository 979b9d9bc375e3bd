using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// The groups of eight blocks of a long message: AES of one group goes through the AES unit while another group's hash goes through
/// the multiplier.
/// </summary>
/// <remarks>
/// <para>A seal can hash a group only when it has been encrypted, so it hashes one group behind. An open hashes what it reads, in the
/// same pass that decrypts it.</para>
/// <para>Control flow and addresses depend on the lengths of data and AAD only.</para>
/// </remarks>
internal static unsafe class GcmLongKernel
{
    /// <summary>Blocks per group: eight hide the latency of AESENC (4 cycles, or 2 units at 3 to 4) with registers left for the hash.</summary>
    public const int GroupBlocks = 8;

    /// <summary>Bytes per group.</summary>
    public const int GroupLength = 16 * GroupBlocks;

    /// <summary>Encrypts or decrypts and hashes all whole groups of a message that has at least one.</summary>
    /// <param name="operation">The operation; its key has been expanded.</param>
    /// <param name="state">In: the hash of the AAD, not yet multiplied by H. Out: the hash of all that was done.</param>
    /// <returns>Bytes done.</returns>
    /// <remarks>Sound: groups lie within <see cref="AeadOperation.Length"/>, and every read of a group comes before its write.</remarks>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static nuint Run<TRounds, TDirection, TLanes, TVector>(AeadOperation* operation, Vector128<ulong>* state)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
    {
        AeadKeyBlock* key = operation->Key.Block;
        byte* roundKeys = key->RoundKeys;
        byte* source = operation->Source, destination = operation->Destination;
        nuint groups = operation->Length / GroupLength;
        Vector128<uint> nonce = GcmBlock.Nonce(operation);
        uint counter = 2;

        // What a seal hashes beside its first group: zeros and the AAD, whose hash is just the AAD times H.
        byte* aad = stackalloc byte[GroupLength];
        Vector128<ulong> hash = default;
        byte* hashed = source;
        if (TDirection.Seals)
        {
            for (int i = 0; i < GroupBlocks - 1; i++)
                Vector128<byte>.Zero.Store(aad + 16 * i);
            Ghash.Reverse((*state).AsByte()).AsByte().Store(aad + GroupLength - 16);
            hashed = aad;
        }
        else
        {
            hash = Ghash.MultiplyByH(*state, key);
        }

        for (nuint group = 0; group < groups; group++)
        {
            var lanes = new AesGroup(nonce, counter, roundKeys);
            counter += GroupBlocks;
            var sum = default(GhashSum<TLanes, TVector>);
            sum.Add(TLanes.AddToFirst(TLanes.LoadReversed(hashed), hash), key, GroupBlocks);

            // One round for the eight lanes, then the next block of the hash: both units stay busy.
            lanes.Round(roundKeys + 16 * 1);
            Hash(ref sum, hashed, key, 1);
            lanes.Round(roundKeys + 16 * 2);
            Hash(ref sum, hashed, key, 2);
            lanes.Round(roundKeys + 16 * 3);
            Hash(ref sum, hashed, key, 3);
            lanes.Round(roundKeys + 16 * 4);
            Hash(ref sum, hashed, key, 4);
            lanes.Round(roundKeys + 16 * 5);
            Hash(ref sum, hashed, key, 5);
            lanes.Round(roundKeys + 16 * 6);
            Hash(ref sum, hashed, key, 6);
            lanes.Round(roundKeys + 16 * 7);
            Hash(ref sum, hashed, key, 7);
            for (int round = GroupBlocks; round < TRounds.Count; round++)
                lanes.Round(roundKeys + 16 * round);
            hash = sum.Reduce();
            lanes.Finish(roundKeys + 16 * TRounds.Count, source, destination);
            source += GroupLength;
            hashed = TDirection.Seals ? destination : source;
            destination += GroupLength;
        }
        *state = TDirection.Seals ? HashGroup<TLanes, TVector>(hash, hashed, key) : hash;
        return groups * GroupLength;
    }

    /// <summary>Block number <paramref name="index"/> of the hashed group, if a vector of blocks begins there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Hash<TLanes, TVector>(ref GhashSum<TLanes, TVector> sum, byte* hashed, AeadKeyBlock* key, [ConstantExpected] int index)
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
    {
        if (index % TLanes.Blocks == 0)
            sum.Add(TLanes.LoadReversed(hashed + 16 * index), key, GroupBlocks - index);
    }

    /// <summary>Hashes a group of ciphertext without encrypting anything beside it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> HashGroup<TLanes, TVector>(Vector128<ulong> hash, byte* hashed, AeadKeyBlock* key)
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
    {
        var sum = default(GhashSum<TLanes, TVector>);
        sum.Add(TLanes.AddToFirst(TLanes.LoadReversed(hashed), hash), key, GroupBlocks);
        for (int i = TLanes.Blocks; i < GroupBlocks; i += TLanes.Blocks)
            sum.Add(TLanes.LoadReversed(hashed + 16 * i), key, GroupBlocks - i);
        return sum.Reduce();
    }
}
