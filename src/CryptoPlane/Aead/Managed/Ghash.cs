using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// GHASH (NIST SP 800-38D §6.4) by carry-less multiplication.
/// </summary>
/// <remarks>
/// <para>GCM numbers the bits of a block from the other end than the CPU does. With the bytes of every block reversed and H multiplied
/// by x once, GHASH becomes POLYVAL (RFC 8452, Appendix A): products need no shift, and are reduced modulo
/// x^128 + x^127 + x^126 + x^121 + 1 after Montgomery, from the low end, 64 bits per carry-less multiplication.</para>
/// <para>Products are sums of three parts (Karatsuba): low·low, high·high, and (low+high)·(low+high), for which the sums of the
/// powers' halves are stored. Reduction is linear, so many products are added up and reduced once.</para>
/// <para>Constant time: nothing branches or indexes by data.</para>
/// </remarks>
internal static unsafe class Ghash
{
    /// <summary>Selectors of PCLMULQDQ: which half of either operand.</summary>
    public const byte LowHalves = 0x00, HighHalves = 0x11;

    /// <summary>PSHUFD control that swaps the two 64-bit halves.</summary>
    public const byte SwapHalves = 0x4E;

    /// <summary>Offset of H^<paramref name="power"/> in the key: the highest power first, so that it runs along with the data.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PowerOffset(int power) => 16 * (AeadKeyBlock.Powers - power);

    /// <summary>
    /// Offset of the 8-byte sum of H^<paramref name="power"/>'s halves in the key. Eight of them share a cache line: the even places are
    /// those of the line's four higher powers, the odd ones those of its four lower powers.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int HalfSumOffset(int power)
    {
        int line = (power - 1) / 8, before = 7 - (power - 1) % 8;
        int lineOffset = line == 0 ? AeadKeyBlock.LowHalfSumsOffset : AeadKeyBlock.HighHalfSumsOffset + 64 * (line - 1);
        return lineOffset + 16 * (before % 4) + 8 * (before / 4);
    }

    /// <summary>PSHUFB control that reverses the bytes of a block.</summary>
    public static Vector128<byte> ReverseBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create((byte)15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    }

    /// <summary>Reverses the bytes of a block: from and to the hash's representation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Reverse(Vector128<byte> block) => Ssse3.Shuffle(block, ReverseBytes).AsUInt64();

    /// <summary>Adds the product of a block and a power of H to the three sums.</summary>
    /// <param name="low">Sum of low·low.</param>
    /// <param name="middle">Sum of (low+high)·(low+high).</param>
    /// <param name="high">Sum of high·high.</param>
    /// <param name="x">The block in the hash's representation.</param>
    /// <param name="key">The key.</param>
    /// <param name="power">Which power of H, best a constant.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref Vector128<ulong> low, ref Vector128<ulong> middle, ref Vector128<ulong> high, Vector128<ulong> x, AeadKeyBlock* key, int power)
    {
        Vector128<ulong> h = Vector128.Load((ulong*)((byte*)key + PowerOffset(power)));
        Vector128<ulong> halves = x ^ Sse2.Shuffle(x.AsUInt32(), SwapHalves).AsUInt64();
        low ^= Pclmulqdq.CarrylessMultiply(x, h, LowHalves);
        high ^= Pclmulqdq.CarrylessMultiply(x, h, HighHalves);
        middle ^= Pclmulqdq.CarrylessMultiply(halves, Vector128.CreateScalarUnsafe(*(ulong*)((byte*)key + HalfSumOffset(power))), LowHalves);
    }

    /// <summary>Adds the products of two blocks and powers of H that are four apart, which costs less than one by one.</summary>
    /// <param name="low">Sum of low·low.</param>
    /// <param name="middle">Sum of (low+high)·(low+high).</param>
    /// <param name="high">Sum of high·high.</param>
    /// <param name="first">The block to be multiplied by H^<paramref name="power"/>.</param>
    /// <param name="second">The block to be multiplied by H^(power − 4).</param>
    /// <param name="key">The key.</param>
    /// <param name="power">5 to 8, a constant: there the two powers' half sums lie side by side.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts(
        ref Vector128<ulong> low, ref Vector128<ulong> middle, ref Vector128<ulong> high, Vector128<ulong> first, Vector128<ulong> second, AeadKeyBlock* key, int power)
    {
        Vector128<ulong> h = Vector128.Load((ulong*)((byte*)key + PowerOffset(power)));
        Vector128<ulong> h4 = Vector128.Load((ulong*)((byte*)key + PowerOffset(power - 4)));
        low = low ^ Pclmulqdq.CarrylessMultiply(first, h, LowHalves) ^ Pclmulqdq.CarrylessMultiply(second, h4, LowHalves);
        high = high ^ Pclmulqdq.CarrylessMultiply(first, h, HighHalves) ^ Pclmulqdq.CarrylessMultiply(second, h4, HighHalves);
        Vector128<ulong> sums = Vector128.Load((ulong*)((byte*)key + HalfSumOffset(power)));
        Vector128<ulong> halves = Sse2.UnpackLow(first, second) ^ Sse2.UnpackHigh(first, second);
        middle = middle ^ Pclmulqdq.CarrylessMultiply(halves, sums, LowHalves) ^ Pclmulqdq.CarrylessMultiply(halves, sums, HighHalves);
    }

    /// <summary>Reduces the sums of <see cref="AddProduct"/> to one block in the hash's representation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Reduce(Vector128<ulong> low, Vector128<ulong> middle, Vector128<ulong> high)
    {
        // x^127 + x^126 + x^121 of the modulus, seen from x^64.
        Vector128<ulong> polynomial = Vector128.CreateScalar(0xC200_0000_0000_0000);
        middle ^= low ^ high;
        middle ^= Swap(low) ^ Pclmulqdq.CarrylessMultiply(low, polynomial, LowHalves);
        return high ^ Swap(middle) ^ Pclmulqdq.CarrylessMultiply(middle, polynomial, LowHalves);
    }

    /// <summary>One multiplication by H.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> MultiplyByH(Vector128<ulong> x, AeadKeyBlock* key)
    {
        Vector128<ulong> low = default, middle = default, high = default;
        AddProduct(ref low, ref middle, ref high, x, key, 1);
        return Reduce(low, middle, high);
    }

    /// <summary>
    /// Hashes the AAD of an operation up to its last block, which is added but not yet multiplied by H: the kernels do that together
    /// with the products of the data.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Aad(AeadOperation* operation)
    {
        int length = operation->AadLength;
        return length <= AeadSizes.InlineAad ? InlineAad(operation) : LongAad(operation->AadPointer, length, operation->Key.Block);
    }

    /// <summary>The same for AAD of at most 16 bytes, which is one block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> InlineAad(AeadOperation* operation) =>
        // Zero padding is part of GHASH; what lies behind the AAD in a reused descriptor is not.
        Reverse(GcmBlock.KeepFirst(Vector128.Load(operation->InlineAad), operation->AadLength));

    /// <summary>AAD of more than 16 bytes, block by block: rare, so short rather than fast.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static Vector128<ulong> LongAad(byte* aad, int length, AeadKeyBlock* key)
    {
        Vector128<ulong> hash = default;
        for (; length >= 16; length -= 16, aad += 16)
            hash = MultiplyByH(hash, key) ^ Reverse(Vector128.Load(aad));
        return length == 0 ? hash : MultiplyByH(hash, key) ^ Reverse(GcmBlock.LoadPartial(aad, length));
    }

    /// <summary>Derives the powers of H from the expanded key, and the sums of their halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ExpandPowers(AeadKeyBlock* key, int rounds)
    {
        Vector128<ulong> power = TimesX(Reverse(AesKeyExpansion.EncryptBlock(default, key->RoundKeys, rounds)));
        StorePower(power, key, 1);
        for (int i = 2; i <= AeadKeyBlock.Powers; i++)
        {
            power = MultiplyByH(power, key);
            StorePower(power, key, i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePower(Vector128<ulong> value, AeadKeyBlock* key, int power)
    {
        value.Store((ulong*)((byte*)key + PowerOffset(power)));
        *(ulong*)((byte*)key + HalfSumOffset(power)) = (value ^ Swap(value)).ToScalar();
    }

    /// <summary>H·x modulo the polynomial, the carry applied by a mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> TimesX(Vector128<ulong> value)
    {
        ulong low = value.GetElement(0), high = value.GetElement(1);
        ulong carry = 0UL - (high >> 63);
        return Vector128.Create((low << 1) ^ (carry & 1), ((high << 1) | (low >> 63)) ^ (carry & 0xC200_0000_0000_0000));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Swap(Vector128<ulong> value) => Sse2.Shuffle(value.AsUInt32(), SwapHalves).AsUInt64();
}
