using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>Two blocks at a time with VPCLMULQDQ on 256-bit vectors (AMD Zen 3, Intel Alder Lake and later).</summary>
internal readonly unsafe struct GhashLanes256 : IGhashLanes<Vector256<ulong>>
{
    public static string Name => "VPCLMULQDQ-256";

    public static bool IsSupported => Pclmulqdq.V256.IsSupported && Avx2.IsSupported;

    public static int Blocks => 2;

    public static Vector256<ulong> Load(byte* source) => Vector256.Load((ulong*)source);

    public static Vector256<ulong> LoadReversed(byte* source) =>
        Avx2.Shuffle(Vector256.Load(source), Vector256.Create(Ghash.ReverseBytes)).AsUInt64();

    public static Vector256<ulong> InFirst(Vector128<ulong> value) => value.ToVector256();

    public static Vector256<ulong> HalfSums(Vector256<ulong> value) => value ^ Avx2.Shuffle(value.AsUInt32(), Ghash.SwapHalves).AsUInt64();

    public static Vector256<ulong> Xor(Vector256<ulong> left, Vector256<ulong> right) => left ^ right;

    public static Vector256<ulong> MultiplyLow(Vector256<ulong> left, Vector256<ulong> right) =>
        Pclmulqdq.V256.CarrylessMultiply(left, right, Ghash.LowHalves);

    public static Vector256<ulong> MultiplyHigh(Vector256<ulong> left, Vector256<ulong> right) =>
        Pclmulqdq.V256.CarrylessMultiply(left, right, Ghash.HighHalves);

    public static Vector128<ulong> Fold(Vector256<ulong> value) => value.GetLower() ^ value.GetUpper();
}
