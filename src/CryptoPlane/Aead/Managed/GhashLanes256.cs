using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>Two blocks at a time with VPCLMULQDQ on 256-bit vectors (AMD Zen 3, Intel Alder Lake and later).</summary>
internal readonly unsafe struct GhashLanes256 : IGhashLanes<Vector256<ulong>>
{
    public static string Name => "VPCLMULQDQ-256";

    public static bool IsSupported => Pclmulqdq.V256.IsSupported && Avx2.IsSupported;

    public static int Blocks => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> LoadReversed(byte* source) =>
        Avx2.Shuffle(Vector256.Load(source), Vector256.Create(Ghash.ReverseBytes)).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> AddToFirst(Vector256<ulong> blocks, Vector128<ulong> value) => blocks ^ value.ToVector256();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(ref Vector256<ulong> low, ref Vector256<ulong> middle, ref Vector256<ulong> high, Vector256<ulong> x, AeadKeyBlock* key, int power)
    {
        Vector256<ulong> h = Vector256.Load((ulong*)((byte*)key + Ghash.PowerOffset(power)));
        Vector256<ulong> halves = x ^ Avx2.Shuffle(x.AsUInt32(), Ghash.SwapHalves).AsUInt64();
        low ^= Pclmulqdq.V256.CarrylessMultiply(x, h, Ghash.LowHalves);
        high ^= Pclmulqdq.V256.CarrylessMultiply(x, h, Ghash.HighHalves);
        bool odd = Ghash.HalfSumIsOdd(power);
        Vector256<ulong> sums = Vector256.Load((ulong*)((byte*)key + Ghash.HalfSumOffset(power) - (odd ? 8 : 0)));
        middle ^= odd
            ? Pclmulqdq.V256.CarrylessMultiply(halves, sums, Ghash.LowByHighHalves)
            : Pclmulqdq.V256.CarrylessMultiply(halves, sums, Ghash.LowHalves);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Fold(Vector256<ulong> value) => value.GetLower() ^ value.GetUpper();
}
