using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>Four blocks at a time with VPCLMULQDQ on 512-bit vectors (AMD Zen 4, Intel Ice Lake and later).</summary>
internal readonly unsafe struct GhashLanes512 : IGhashLanes<Vector512<ulong>>
{
    public static string Name => "VPCLMULQDQ-512";

    public static bool IsSupported => Pclmulqdq.V512.IsSupported && Avx512BW.IsSupported;

    public static int Blocks => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> LoadReversed(byte* source) =>
        Avx512BW.Shuffle(Vector512.Load(source), Vector512.Create(Ghash.ReverseBytes)).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> AddToFirst(Vector512<ulong> blocks, Vector128<ulong> value) => blocks ^ value.ToVector256().ToVector512();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts(
        ref Vector512<ulong> low, ref Vector512<ulong> middle, ref Vector512<ulong> high, Vector512<ulong> first, Vector512<ulong> second, AeadKeyBlock* key, int power)
    {
        Vector512<ulong> h = Vector512.Load((ulong*)((byte*)key + Ghash.PowerOffset(power)));
        Vector512<ulong> h4 = Vector512.Load((ulong*)((byte*)key + Ghash.PowerOffset(power - 4)));
        low = low ^ Pclmulqdq.V512.CarrylessMultiply(first, h, Ghash.LowHalves) ^ Pclmulqdq.V512.CarrylessMultiply(second, h4, Ghash.LowHalves);
        high = high ^ Pclmulqdq.V512.CarrylessMultiply(first, h, Ghash.HighHalves) ^ Pclmulqdq.V512.CarrylessMultiply(second, h4, Ghash.HighHalves);
        Vector512<ulong> sums = Vector512.Load((ulong*)((byte*)key + Ghash.HalfSumOffset(power)));
        Vector512<ulong> halves = Avx512F.UnpackLow(first, second) ^ Avx512F.UnpackHigh(first, second);
        middle = middle ^ Pclmulqdq.V512.CarrylessMultiply(halves, sums, Ghash.LowHalves) ^ Pclmulqdq.V512.CarrylessMultiply(halves, sums, Ghash.HighHalves);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Fold(Vector512<ulong> value)
    {
        Vector256<ulong> half = value.GetLower() ^ value.GetUpper();
        return half.GetLower() ^ half.GetUpper();
    }
}
