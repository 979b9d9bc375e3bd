using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AesNi = System.Runtime.Intrinsics.X86.Aes;

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
        AeadKeyBlock* key = operation->Key.Block;
        byte* source = operation->Source + done, destination = operation->Destination + done;
        int left = (int)(operation->Length - (uint)done), last = left - 16 * (TBlocks.Value - 1);

        Vector128<uint> nonce = GcmBlock.Nonce(operation);
        uint counter = 1 + (uint)(done / 16);
        Vector128<byte> k = Vector128.Load(key->RoundKeys);
        // Lane 0 is J0, whose encryption masks the tag; lanes 1 to 8 are the key stream.
        Vector128<byte> b0 = GcmBlock.Counter(nonce, 1) ^ k;
        Vector128<byte> b1 = default, b2 = default, b3 = default, b4 = default, b5 = default, b6 = default, b7 = default, b8 = default;
        if (TBlocks.Value >= 1) b1 = GcmBlock.Counter(nonce, counter + 1) ^ k;
        if (TBlocks.Value >= 2) b2 = GcmBlock.Counter(nonce, counter + 2) ^ k;
        if (TBlocks.Value >= 3) b3 = GcmBlock.Counter(nonce, counter + 3) ^ k;
        if (TBlocks.Value >= 4) b4 = GcmBlock.Counter(nonce, counter + 4) ^ k;
        if (TBlocks.Value >= 5) b5 = GcmBlock.Counter(nonce, counter + 5) ^ k;
        if (TBlocks.Value >= 6) b6 = GcmBlock.Counter(nonce, counter + 6) ^ k;
        if (TBlocks.Value >= 7) b7 = GcmBlock.Counter(nonce, counter + 7) ^ k;
        if (TBlocks.Value >= 8) b8 = GcmBlock.Counter(nonce, counter + 8) ^ k;
        Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 1);
        Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 2);
        Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 3);
        Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 4);
        Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 5);
        Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 6);
        Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 7);
        Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 8);
        Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 9);
        if (TRounds.Count > 10)
        {
            Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 10);
            Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 11);
            Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 12);
            Round<TBlocks>(ref b0, ref b1, ref b2, ref b3, ref b4, ref b5, ref b6, ref b7, ref b8, key->RoundKeys + 16 * 13);
        }
        k = Vector128.Load(key->RoundKeys + 16 * TRounds.Count);
        b0 = AesNi.EncryptLast(b0, k);
        if (TBlocks.Value >= 1) b1 = AesNi.EncryptLast(b1, k);
        if (TBlocks.Value >= 2) b2 = AesNi.EncryptLast(b2, k);
        if (TBlocks.Value >= 3) b3 = AesNi.EncryptLast(b3, k);
        if (TBlocks.Value >= 4) b4 = AesNi.EncryptLast(b4, k);
        if (TBlocks.Value >= 5) b5 = AesNi.EncryptLast(b5, k);
        if (TBlocks.Value >= 6) b6 = AesNi.EncryptLast(b6, k);
        if (TBlocks.Value >= 7) b7 = AesNi.EncryptLast(b7, k);
        if (TBlocks.Value >= 8) b8 = AesNi.EncryptLast(b8, k);

        // The block before the lengths is multiplied by H², and so on upwards; the lengths by H.
        byte* power = key->HashPowers + Ghash.PowerOffset(TBlocks.Value + 1);
        Vector128<ulong> low = default, middle = default, high = default;
        Ghash.AddProduct(ref low, ref middle, ref high, *hash, power - 16 * pending);
        if (TBlocks.Value >= 1) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source, destination, b1, TBlocks.Value == 1 ? last : 16), power);
        if (TBlocks.Value >= 2) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 16, destination + 16, b2, TBlocks.Value == 2 ? last : 16), power + 16);
        if (TBlocks.Value >= 3) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 32, destination + 32, b3, TBlocks.Value == 3 ? last : 16), power + 32);
        if (TBlocks.Value >= 4) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 48, destination + 48, b4, TBlocks.Value == 4 ? last : 16), power + 48);
        if (TBlocks.Value >= 5) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 64, destination + 64, b5, TBlocks.Value == 5 ? last : 16), power + 64);
        if (TBlocks.Value >= 6) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 80, destination + 80, b6, TBlocks.Value == 6 ? last : 16), power + 80);
        if (TBlocks.Value >= 7) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 96, destination + 96, b7, TBlocks.Value == 7 ? last : 16), power + 96);
        if (TBlocks.Value >= 8) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 112, destination + 112, b8, TBlocks.Value == 8 ? last : 16), power + 112);
        Ghash.AddProduct(ref low, ref middle, ref high, GcmBlock.Lengths(operation), key->HashPowers + Ghash.PowerOffset(1));
        Vector128<byte> tag = Ghash.Reverse(Ghash.Reduce(low, middle, high).AsByte()).AsByte() ^ b0;

        if (TDirection.Seals)
        {
            tag.Store(destination + left);
            return true;
        }
        // One comparison of all 128 bits: no position of a difference shows in the time.
        return tag == Vector128.Load(source + left);
    }

    /// <summary>One AES round of the lanes in use.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round<TBlocks>(
        ref Vector128<byte> b0,
        ref Vector128<byte> b1,
        ref Vector128<byte> b2,
        ref Vector128<byte> b3,
        ref Vector128<byte> b4,
        ref Vector128<byte> b5,
        ref Vector128<byte> b6,
        ref Vector128<byte> b7,
        ref Vector128<byte> b8,
        byte* roundKey)
        where TBlocks : struct, IBlockCount
    {
        Vector128<byte> k = Vector128.Load(roundKey);
        b0 = AesNi.Encrypt(b0, k);
        if (TBlocks.Value >= 1) b1 = AesNi.Encrypt(b1, k);
        if (TBlocks.Value >= 2) b2 = AesNi.Encrypt(b2, k);
        if (TBlocks.Value >= 3) b3 = AesNi.Encrypt(b3, k);
        if (TBlocks.Value >= 4) b4 = AesNi.Encrypt(b4, k);
        if (TBlocks.Value >= 5) b5 = AesNi.Encrypt(b5, k);
        if (TBlocks.Value >= 6) b6 = AesNi.Encrypt(b6, k);
        if (TBlocks.Value >= 7) b7 = AesNi.Encrypt(b7, k);
        if (TBlocks.Value >= 8) b8 = AesNi.Encrypt(b8, k);
    }

    /// <summary>XORs one block of 1 to 16 bytes with the key stream.</summary>
    /// <returns>The ciphertext, padded with zeros, in the hash's representation.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Crypt<TDirection>(byte* source, byte* destination, Vector128<byte> keyStream, int count)
        where TDirection : struct, IGcmDirection
    {
        Vector128<byte> input, output;
        if (count == 16)
        {
            input = Vector128.Load(source);
            output = input ^ keyStream;
            output.Store(destination);
        }
        else if (TDirection.Seals)
        {
            input = GcmBlock.LoadPartial(source, count);
            output = GcmBlock.KeepFirst(input ^ keyStream, count);
            // Sound: the destination has room for the tag behind the data, and the tag is written after this.
            output.Store(destination);
        }
        else
        {
            // Sound: the tag lies behind the ciphertext.
            input = GcmBlock.KeepFirst(Vector128.Load(source), count);
            output = input ^ keyStream;
            GcmBlock.StorePartial(output, destination, count);
        }
        return Ghash.Reverse(TDirection.Seals ? output : input);
    }
}
