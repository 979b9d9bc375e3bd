using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AesNi = System.Runtime.Intrinsics.X86.Aes;

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
        byte* powers = key->HashPowers + Ghash.PowerOffset(GroupBlocks);
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
            hash = Ghash.Multiply(*state, key->HashPowers + Ghash.PowerOffset(1));
        }

        for (nuint group = 0; group < groups; group++)
        {
            Vector128<byte> k = Vector128.Load(roundKeys);
            Vector128<byte> b0 = GcmBlock.Counter(nonce, counter) ^ k;
            Vector128<byte> b1 = GcmBlock.Counter(nonce, counter + 1) ^ k;
            Vector128<byte> b2 = GcmBlock.Counter(nonce, counter + 2) ^ k;
            Vector128<byte> b3 = GcmBlock.Counter(nonce, counter + 3) ^ k;
            Vector128<byte> b4 = GcmBlock.Counter(nonce, counter + 4) ^ k;
            Vector128<byte> b5 = GcmBlock.Counter(nonce, counter + 5) ^ k;
            Vector128<byte> b6 = GcmBlock.Counter(nonce, counter + 6) ^ k;
            Vector128<byte> b7 = GcmBlock.Counter(nonce, counter + 7) ^ k;
            counter += GroupBlocks;

            TVector low = default, middle = default, high = default;
            TLanes.AddProduct(ref low, ref middle, ref high, TLanes.AddToFirst(TLanes.LoadReversed(hashed), hash), powers);

            // One round for the eight lanes, then the next block of the hash: both units stay busy.
            Round(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, roundKeys + 16 * 1);
            Hash<TLanes, TVector>(ref low, ref middle, ref high, hashed, powers, 1);
            Round(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, roundKeys + 16 * 2);
            Hash<TLanes, TVector>(ref low, ref middle, ref high, hashed, powers, 2);
            Round(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, roundKeys + 16 * 3);
            Hash<TLanes, TVector>(ref low, ref middle, ref high, hashed, powers, 3);
            Round(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, roundKeys + 16 * 4);
            Hash<TLanes, TVector>(ref low, ref middle, ref high, hashed, powers, 4);
            Round(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, roundKeys + 16 * 5);
            Hash<TLanes, TVector>(ref low, ref middle, ref high, hashed, powers, 5);
            Round(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, roundKeys + 16 * 6);
            Hash<TLanes, TVector>(ref low, ref middle, ref high, hashed, powers, 6);
            Round(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, roundKeys + 16 * 7);
            Hash<TLanes, TVector>(ref low, ref middle, ref high, hashed, powers, 7);
            for (int round = GroupBlocks; round < TRounds.Count; round++)
                Round(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, roundKeys + 16 * round);
            hash = Ghash.Reduce(TLanes.Fold(low), TLanes.Fold(middle), TLanes.Fold(high));

            k = Vector128.Load(roundKeys + 16 * TRounds.Count);
            (AesNi.EncryptLast(b0, k) ^ Vector128.Load(source)).Store(destination);
            (AesNi.EncryptLast(b1, k) ^ Vector128.Load(source + 16)).Store(destination + 16);
            (AesNi.EncryptLast(b2, k) ^ Vector128.Load(source + 32)).Store(destination + 32);
            (AesNi.EncryptLast(b3, k) ^ Vector128.Load(source + 48)).Store(destination + 48);
            (AesNi.EncryptLast(b4, k) ^ Vector128.Load(source + 64)).Store(destination + 64);
            (AesNi.EncryptLast(b5, k) ^ Vector128.Load(source + 80)).Store(destination + 80);
            (AesNi.EncryptLast(b6, k) ^ Vector128.Load(source + 96)).Store(destination + 96);
            (AesNi.EncryptLast(b7, k) ^ Vector128.Load(source + 112)).Store(destination + 112);
            source += GroupLength;
            hashed = TDirection.Seals ? destination : source;
            destination += GroupLength;
        }
        *state = TDirection.Seals ? Ghash.Group<TLanes, TVector>(hash, hashed, powers) : hash;
        return groups * GroupLength;
    }

    /// <summary>One AES round of all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(
        ref Vector128<byte> b0,
        ref Vector128<byte> b1,
        ref Vector128<byte> b2,
        ref Vector128<byte> b3,
        ref Vector128<byte> b4,
        ref Vector128<byte> b5,
        ref Vector128<byte> b6,
        ref Vector128<byte> b7,
        byte* roundKey)
    {
        Vector128<byte> k = Vector128.Load(roundKey);
        b0 = AesNi.Encrypt(b0, k);
        b1 = AesNi.Encrypt(b1, k);
        b2 = AesNi.Encrypt(b2, k);
        b3 = AesNi.Encrypt(b3, k);
        b4 = AesNi.Encrypt(b4, k);
        b5 = AesNi.Encrypt(b5, k);
        b6 = AesNi.Encrypt(b6, k);
        b7 = AesNi.Encrypt(b7, k);
    }

    /// <summary>Block number <paramref name="index"/> of the hashed group, if a vector of blocks begins there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Hash<TLanes, TVector>(ref TVector low, ref TVector middle, ref TVector high, byte* hashed, byte* powers, [ConstantExpected] int index)
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
    {
        if (index % TLanes.Blocks == 0)
            TLanes.AddProduct(ref low, ref middle, ref high, TLanes.LoadReversed(hashed + 16 * index), powers + 16 * index);
    }
}
