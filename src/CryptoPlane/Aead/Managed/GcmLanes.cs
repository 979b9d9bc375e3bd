using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AesNi = System.Runtime.Intrinsics.X86.Aes;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// The steps of a small message, as the kernels for one and for two messages put them together: J0 in lane 0, whose encryption masks
/// the tag, and up to eight blocks of key stream in the lanes after it.
/// </summary>
/// <remarks>Lanes that the number of blocks does not reach are folded away by the JIT.</remarks>
internal static unsafe class GcmLanes
{
    /// <summary>Counter blocks, after the first key addition.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Begin<TBlocks>(
        Vector128<uint> nonce,
        uint counter,
        byte* roundKey,
        out Vector128<byte> b0,
        out Vector128<byte> b1,
        out Vector128<byte> b2,
        out Vector128<byte> b3,
        out Vector128<byte> b4,
        out Vector128<byte> b5,
        out Vector128<byte> b6,
        out Vector128<byte> b7,
        out Vector128<byte> b8)
        where TBlocks : struct, IBlockCount
    {
        Vector128<byte> k = Vector128.Load(roundKey);
        b0 = GcmBlock.Counter(nonce, 1) ^ k;
        b1 = TBlocks.Value >= 1 ? GcmBlock.Counter(nonce, counter + 0) ^ k : default;
        b2 = TBlocks.Value >= 2 ? GcmBlock.Counter(nonce, counter + 1) ^ k : default;
        b3 = TBlocks.Value >= 3 ? GcmBlock.Counter(nonce, counter + 2) ^ k : default;
        b4 = TBlocks.Value >= 4 ? GcmBlock.Counter(nonce, counter + 3) ^ k : default;
        b5 = TBlocks.Value >= 5 ? GcmBlock.Counter(nonce, counter + 4) ^ k : default;
        b6 = TBlocks.Value >= 6 ? GcmBlock.Counter(nonce, counter + 5) ^ k : default;
        b7 = TBlocks.Value >= 7 ? GcmBlock.Counter(nonce, counter + 6) ^ k : default;
        b8 = TBlocks.Value >= 8 ? GcmBlock.Counter(nonce, counter + 7) ^ k : default;
    }

    /// <summary>One AES round.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Round<TBlocks>(
        byte* roundKey,
        ref Vector128<byte> b0,
        ref Vector128<byte> b1,
        ref Vector128<byte> b2,
        ref Vector128<byte> b3,
        ref Vector128<byte> b4,
        ref Vector128<byte> b5,
        ref Vector128<byte> b6,
        ref Vector128<byte> b7,
        ref Vector128<byte> b8)
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

    /// <summary>The last AES round.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LastRound<TBlocks>(
        byte* roundKey,
        ref Vector128<byte> b0,
        ref Vector128<byte> b1,
        ref Vector128<byte> b2,
        ref Vector128<byte> b3,
        ref Vector128<byte> b4,
        ref Vector128<byte> b5,
        ref Vector128<byte> b6,
        ref Vector128<byte> b7,
        ref Vector128<byte> b8)
        where TBlocks : struct, IBlockCount
    {
        Vector128<byte> k = Vector128.Load(roundKey);
        b0 = AesNi.EncryptLast(b0, k);
        if (TBlocks.Value >= 1) b1 = AesNi.EncryptLast(b1, k);
        if (TBlocks.Value >= 2) b2 = AesNi.EncryptLast(b2, k);
        if (TBlocks.Value >= 3) b3 = AesNi.EncryptLast(b3, k);
        if (TBlocks.Value >= 4) b4 = AesNi.EncryptLast(b4, k);
        if (TBlocks.Value >= 5) b5 = AesNi.EncryptLast(b5, k);
        if (TBlocks.Value >= 6) b6 = AesNi.EncryptLast(b6, k);
        if (TBlocks.Value >= 7) b7 = AesNi.EncryptLast(b7, k);
        if (TBlocks.Value >= 8) b8 = AesNi.EncryptLast(b8, k);
    }

    /// <summary>Encrypts or decrypts the data, sums up all products, reduces once, and writes or compares the tag.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="done">Bytes of it that were dealt with before.</param>
    /// <param name="hash">The hash so far.</param>
    /// <param name="pending">1 if <paramref name="hash"/> has yet to be multiplied by H, else 0.</param>
    /// <param name="b0">E(J0).</param>
    /// <param name="b1">Key stream of block 1.</param>
    /// <param name="b2">Key stream of block 2.</param>
    /// <param name="b3">Key stream of block 3.</param>
    /// <param name="b4">Key stream of block 4.</param>
    /// <param name="b5">Key stream of block 5.</param>
    /// <param name="b6">Key stream of block 6.</param>
    /// <param name="b7">Key stream of block 7.</param>
    /// <param name="b8">Key stream of block 8.</param>
    /// <returns>Whether the tag is right; always true for a seal.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Finish<TDirection, TBlocks>(
        AeadOperation* operation,
        nuint done,
        Vector128<ulong> hash,
        int pending,
        Vector128<byte> b0,
        Vector128<byte> b1,
        Vector128<byte> b2,
        Vector128<byte> b3,
        Vector128<byte> b4,
        Vector128<byte> b5,
        Vector128<byte> b6,
        Vector128<byte> b7,
        Vector128<byte> b8)
        where TDirection : struct, IGcmDirection
        where TBlocks : struct, IBlockCount
    {
        byte* powers = operation->Key.Block->HashPowers;
        byte* source = operation->Source + done, destination = operation->Destination + done;
        int left = (int)(operation->Length - (uint)done), last = left - 16 * (TBlocks.Value - 1);

        // The block before the lengths is multiplied by H², and so on upwards; the lengths by H.
        byte* power = powers + Ghash.PowerOffset(TBlocks.Value + 1);
        Vector128<ulong> low = default, middle = default, high = default;
        Ghash.AddProduct(ref low, ref middle, ref high, hash, power - 16 * pending);
        if (TBlocks.Value >= 1) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source, destination, b1, TBlocks.Value == 1 ? last : 16), power);
        if (TBlocks.Value >= 2) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 16, destination + 16, b2, TBlocks.Value == 2 ? last : 16), power + 16);
        if (TBlocks.Value >= 3) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 32, destination + 32, b3, TBlocks.Value == 3 ? last : 16), power + 32);
        if (TBlocks.Value >= 4) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 48, destination + 48, b4, TBlocks.Value == 4 ? last : 16), power + 48);
        if (TBlocks.Value >= 5) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 64, destination + 64, b5, TBlocks.Value == 5 ? last : 16), power + 64);
        if (TBlocks.Value >= 6) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 80, destination + 80, b6, TBlocks.Value == 6 ? last : 16), power + 80);
        if (TBlocks.Value >= 7) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 96, destination + 96, b7, TBlocks.Value == 7 ? last : 16), power + 96);
        if (TBlocks.Value >= 8) Ghash.AddProduct(ref low, ref middle, ref high, Crypt<TDirection>(source + 112, destination + 112, b8, TBlocks.Value == 8 ? last : 16), power + 112);
        Ghash.AddProduct(ref low, ref middle, ref high, GcmBlock.Lengths(operation), powers + Ghash.PowerOffset(1));
        Vector128<byte> tag = Ghash.Reverse(Ghash.Reduce(low, middle, high).AsByte()).AsByte() ^ b0;

        if (TDirection.Seals)
        {
            tag.Store(destination + left);
            return true;
        }
        // One comparison of all 128 bits: no position of a difference shows in the time.
        return tag == Vector128.Load(source + left);
    }

    /// <summary>Encrypts or decrypts the data of a small message without hashing it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Crypt<TDirection, TBlocks>(
        byte* source,
        byte* destination,
        int length,
        Vector128<byte> b1,
        Vector128<byte> b2,
        Vector128<byte> b3,
        Vector128<byte> b4,
        Vector128<byte> b5,
        Vector128<byte> b6,
        Vector128<byte> b7,
        Vector128<byte> b8)
        where TDirection : struct, IGcmDirection
        where TBlocks : struct, IBlockCount
    {
        int last = length - 16 * (TBlocks.Value - 1);
        if (TBlocks.Value >= 1) Crypt<TDirection>(source, destination, b1, TBlocks.Value == 1 ? last : 16);
        if (TBlocks.Value >= 2) Crypt<TDirection>(source + 16, destination + 16, b2, TBlocks.Value == 2 ? last : 16);
        if (TBlocks.Value >= 3) Crypt<TDirection>(source + 32, destination + 32, b3, TBlocks.Value == 3 ? last : 16);
        if (TBlocks.Value >= 4) Crypt<TDirection>(source + 48, destination + 48, b4, TBlocks.Value == 4 ? last : 16);
        if (TBlocks.Value >= 5) Crypt<TDirection>(source + 64, destination + 64, b5, TBlocks.Value == 5 ? last : 16);
        if (TBlocks.Value >= 6) Crypt<TDirection>(source + 80, destination + 80, b6, TBlocks.Value == 6 ? last : 16);
        if (TBlocks.Value >= 7) Crypt<TDirection>(source + 96, destination + 96, b7, TBlocks.Value == 7 ? last : 16);
        if (TBlocks.Value >= 8) Crypt<TDirection>(source + 112, destination + 112, b8, TBlocks.Value == 8 ? last : 16);
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
