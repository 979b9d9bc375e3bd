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
    public static void AddProduct(ref Vector512<ulong> low, ref Vector512<ulong> middle, ref Vector512<ulong> high, Vector512<ulong> x, AeadKeyBlock* key, int power)
    {
        Vector512<ulong> h = Vector512.Load((ulong*)((byte*)key + Ghash.PowerOffset(power)));
        Vector512<ulong> halves = x ^ Avx512F.Shuffle(x.AsUInt32(), Ghash.SwapHalves).AsUInt64();
        low ^= Pclmulqdq.V512.CarrylessMultiply(x, h, Ghash.LowHalves);
        high ^= Pclmulqdq.V512.CarrylessMultiply(x, h, Ghash.HighHalves);
        bool odd = Ghash.HalfSumIsOdd(power);
        Vector512<ulong> sums = Vector512.Load((ulong*)((byte*)key + Ghash.HalfSumOffset(power) - (odd ? 8 : 0)));
        middle ^= odd
            ? Pclmulqdq.V512.CarrylessMultiply(halves, sums, Ghash.LowByHighHalves)
            : Pclmulqdq.V512.CarrylessMultiply(halves, sums, Ghash.LowHalves);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Fold(Vector512<ulong> value)
    {
        Vector256<ulong> half = value.GetLower() ^ value.GetUpper();
        return half.GetLower() ^ half.GetUpper();
    }
}
