using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>Four blocks at a time with VPCLMULQDQ on 512-bit vectors (AMD Zen 4, Intel Ice Lake and later).</summary>
internal readonly unsafe struct GhashLanes512 : IGhashLanes<Vector512<ulong>>
{
    public static string Name => "VPCLMULQDQ-512";

    public static bool IsSupported => Pclmulqdq.V512.IsSupported && Avx512BW.IsSupported;

    public static int Blocks => 4;

    public static Vector512<ulong> Load(byte* source) => Vector512.Load((ulong*)source);

    public static Vector512<ulong> LoadReversed(byte* source) =>
        Avx512BW.Shuffle(Vector512.Load(source), Vector512.Create(Ghash.ReverseBytes)).AsUInt64();

    public static Vector512<ulong> InFirst(Vector128<ulong> value) => value.ToVector256().ToVector512();

    public static Vector512<ulong> HalfSums(Vector512<ulong> value) => value ^ Avx512F.Shuffle(value.AsUInt32(), Ghash.SwapHalves).AsUInt64();

    public static Vector512<ulong> Xor(Vector512<ulong> left, Vector512<ulong> right) => left ^ right;

    public static Vector512<ulong> MultiplyLow(Vector512<ulong> left, Vector512<ulong> right) =>
        Pclmulqdq.V512.CarrylessMultiply(left, right, Ghash.LowHalves);

    public static Vector512<ulong> MultiplyHigh(Vector512<ulong> left, Vector512<ulong> right) =>
        Pclmulqdq.V512.CarrylessMultiply(left, right, Ghash.HighHalves);

    public static Vector128<ulong> Fold(Vector512<ulong> value)
    {
        Vector256<ulong> half = value.GetLower() ^ value.GetUpper();
        return half.GetLower() ^ half.GetUpper();
    }
}
