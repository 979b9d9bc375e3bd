using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Sum = CryptoPlane.Aead.Managed.GhashSum<CryptoPlane.Aead.Managed.GhashLanes128, System.Runtime.Intrinsics.Vector128<ulong>>;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// Small messages of one shape in a row: AES of one goes through the AES unit while a hash goes through the multiplier. A seal hashes
/// the message before it, an open the message itself.
/// </summary>
/// <remarks>
/// <para>The CPU does not find this order by itself: a small message is more instructions than it looks ahead.</para>
/// <para>One shape is: same direction, key size and number of blocks, at most eight of them, and AAD of at most 16 bytes. Keys and
/// lengths are each message's own. Control flow and addresses depend on the lengths of data and AAD only.</para>
/// </remarks>
internal static unsafe class GcmRunKernel
{
    /// <summary>How many operations from the first on have its shape.</summary>
    /// <returns>0 if the first is not small.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Count(AeadOperation* operations, int limit)
    {
        if (operations->Length > GcmTailKernel.MaxLength || operations->AadLength > AeadSizes.InlineAad)
            return 0;
        uint blocks = (operations->Length + 15) / 16;
        int count = 1;
        while (count < limit
            && (operations[count].Length + 15) / 16 == blocks
            && operations[count].AadLength <= AeadSizes.InlineAad
            && operations[count].Direction == operations->Direction
            && operations[count].Key.Block->Algorithm == operations->Key.Block->Algorithm)
        {
            count++;
        }
        return count;
    }

    /// <summary>Carries out <see cref="Count"/> operations and sets their statuses. The plaintext of a forged one is the caller's to wipe.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TRounds, TDirection>(AeadOperation* operations, int count)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
    {
        switch ((operations->Length + 15) / 16)
        {
            case 0:
                Run<TRounds, TDirection, Blocks0>(operations, count);
                break;
            case 1:
                Run<TRounds, TDirection, Blocks1>(operations, count);
                break;
            case 2:
                Run<TRounds, TDirection, Blocks2>(operations, count);
                break;
            case 3:
                Run<TRounds, TDirection, Blocks3>(operations, count);
                break;
            case 4:
                Run<TRounds, TDirection, Blocks4>(operations, count);
                break;
            case 5:
                Run<TRounds, TDirection, Blocks5>(operations, count);
                break;
            case 6:
                Run<TRounds, TDirection, Blocks6>(operations, count);
                break;
            case 7:
                Run<TRounds, TDirection, Blocks7>(operations, count);
                break;
            default:
                Run<TRounds, TDirection, Blocks8>(operations, count);
                break;
        }
    }

    /// <remarks>
    /// Sound: see <see cref="AeadOperation"/> for what the addresses promise. Reading 16 bytes at a short last block of ciphertext
    /// reaches at most into the tag's place behind it.
    /// </remarks>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TRounds, TDirection, TBlocks>(AeadOperation* operations, int count)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TBlocks : struct, IBlockCount
    {
        // A seal's first message has none before it: it hashes what happens to lie at its own destination, and drops the result.
        AeadOperation* hashed = operations;
        Vector128<byte> mask = default, tag;
        Sum sum;
        for (int i = 0; i < count; i++)
        {
            AeadOperation* operation = operations + i;
            if (!TDirection.Seals)
                hashed = operation;
            byte* ciphertext = TDirection.Seals ? hashed->Destination : hashed->Source;
            byte* roundKeys = operation->Key.Block->RoundKeys;
            var lanes = new GcmLanes<TBlocks>(GcmBlock.Nonce(operation), 2, roundKeys);
            sum = default;
            Hash<TBlocks>(ref sum, hashed, ciphertext, 0);
            lanes.Round(roundKeys + 16 * 1);
            Hash<TBlocks>(ref sum, hashed, ciphertext, 1);
            lanes.Round(roundKeys + 16 * 2);
            Hash<TBlocks>(ref sum, hashed, ciphertext, 2);
            lanes.Round(roundKeys + 16 * 3);
            Hash<TBlocks>(ref sum, hashed, ciphertext, 3);
            lanes.Round(roundKeys + 16 * 4);
            Hash<TBlocks>(ref sum, hashed, ciphertext, 4);
            lanes.Round(roundKeys + 16 * 5);
            Hash<TBlocks>(ref sum, hashed, ciphertext, 5);
            lanes.Round(roundKeys + 16 * 6);
            Hash<TBlocks>(ref sum, hashed, ciphertext, 6);
            lanes.Round(roundKeys + 16 * 7);
            Hash<TBlocks>(ref sum, hashed, ciphertext, 7);
            lanes.Round(roundKeys + 16 * 8);
            Hash<TBlocks>(ref sum, hashed, ciphertext, 8);
            lanes.Round(roundKeys + 16 * 9);
            Hash<TBlocks>(ref sum, hashed, ciphertext, 9);
            for (int round = 10; round < TRounds.Count; round++)
                lanes.Round(roundKeys + 16 * round);
            lanes.LastRound(roundKeys + 16 * TRounds.Count);
            if (!TDirection.Seals)
                mask = lanes.TagMask;
            tag = Ghash.Reverse(sum.Reduce().AsByte()).AsByte() ^ mask;

            lanes.Crypt<TDirection>(operation->Source, operation->Destination, (int)operation->Length);
            if (!TDirection.Seals)
            {
                // One comparison of all 128 bits: no position of a difference shows in the time.
                bool right = tag == Vector128.Load(ciphertext + operation->Length);
                operation->Status = right ? AeadStatus.Success : AeadStatus.AuthenticationFailed;
                continue;
            }
            if (i > 0)
                tag.Store(ciphertext + hashed->Length);
            operation->Status = AeadStatus.Success;
            mask = lanes.TagMask;
            hashed = operation;
        }
        if (!TDirection.Seals)
            return;
        sum = default;
        Hash<TBlocks>(ref sum, hashed, hashed->Destination, 0);
        Hash<TBlocks>(ref sum, hashed, hashed->Destination, 1);
        Hash<TBlocks>(ref sum, hashed, hashed->Destination, 2);
        Hash<TBlocks>(ref sum, hashed, hashed->Destination, 3);
        Hash<TBlocks>(ref sum, hashed, hashed->Destination, 4);
        Hash<TBlocks>(ref sum, hashed, hashed->Destination, 5);
        Hash<TBlocks>(ref sum, hashed, hashed->Destination, 6);
        Hash<TBlocks>(ref sum, hashed, hashed->Destination, 7);
        Hash<TBlocks>(ref sum, hashed, hashed->Destination, 8);
        Hash<TBlocks>(ref sum, hashed, hashed->Destination, 9);
        tag = Ghash.Reverse(sum.Reduce().AsByte()).AsByte() ^ mask;
        tag.Store(hashed->Destination + hashed->Length);
    }

    /// <summary>Block number <paramref name="index"/> of what a message hashes: 0 is its AAD, then its ciphertext, then the lengths.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Hash<TBlocks>(ref Sum sum, AeadOperation* operation, byte* ciphertext, [ConstantExpected] int index)
        where TBlocks : struct, IBlockCount
    {
        if (index > TBlocks.Value + 1)
            return;
        AeadKeyBlock* key = operation->Key.Block;
        int power = TBlocks.Value + 2 - index;
        if (index == TBlocks.Value + 1)
            sum.Add(GcmBlock.Lengths(operation), key, power);
        else if (index == 0)
            sum.Add(Ghash.InlineAad(operation), key, power);
        else if (index < TBlocks.Value)
            sum.Add(GhashLanes128.LoadReversed(ciphertext + 16 * (index - 1)), key, power);
        else
            sum.Add(Ghash.Reverse(GcmBlock.KeepFirst(Vector128.Load(ciphertext + 16 * (index - 1)), (int)operation->Length - 16 * (index - 1))), key, power);
    }
}
