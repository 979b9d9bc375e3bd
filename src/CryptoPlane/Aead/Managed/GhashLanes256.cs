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
    public static void AddProducts(
        ref Vector256<ulong> low, ref Vector256<ulong> middle, ref Vector256<ulong> high, Vector256<ulong> first, Vector256<ulong> second, AeadKeyBlock* key, int power)
    {
        Vector256<ulong> h = Vector256.Load((ulong*)((byte*)key + Ghash.PowerOffset(power)));
        Vector256<ulong> h4 = Vector256.Load((ulong*)((byte*)key + Ghash.PowerOffset(power - 4)));
        low = low ^ Pclmulqdq.V256.CarrylessMultiply(first, h, Ghash.LowHalves) ^ Pclmulqdq.V256.CarrylessMultiply(second, h4, Ghash.LowHalves);
        high = high ^ Pclmulqdq.V256.CarrylessMultiply(first, h, Ghash.HighHalves) ^ Pclmulqdq.V256.CarrylessMultiply(second, h4, Ghash.HighHalves);
        Vector256<ulong> sums = Vector256.Load((ulong*)((byte*)key + Ghash.HalfSumOffset(power)));
        Vector256<ulong> halves = Avx2.UnpackLow(first, second) ^ Avx2.UnpackHigh(first, second);
        middle = middle ^ Pclmulqdq.V256.CarrylessMultiply(halves, sums, Ghash.LowHalves) ^ Pclmulqdq.V256.CarrylessMultiply(halves, sums, Ghash.HighHalves);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Fold(Vector256<ulong> value) => value.GetLower() ^ value.GetUpper();
}
