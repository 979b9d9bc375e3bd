using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>One block at a time with PCLMULQDQ: every x86-64 CPU with AES-NI has it.</summary>
internal readonly unsafe struct GhashLanes128 : IGhashLanes<Vector128<ulong>>
{
    public static string Name => "PCLMULQDQ";

    public static bool IsSupported => Pclmulqdq.IsSupported && Ssse3.IsSupported;

    public static int Blocks => 1;

    public static Vector128<ulong> Load(byte* source) => Vector128.Load((ulong*)source);

    public static Vector128<ulong> LoadReversed(byte* source) => Ghash.Reverse(Vector128.Load(source));

    public static Vector128<ulong> InFirst(Vector128<ulong> value) => value;

    public static Vector128<ulong> HalfSums(Vector128<ulong> value) => value ^ Sse2.Shuffle(value.AsUInt32(), Ghash.SwapHalves).AsUInt64();

    public static Vector128<ulong> Xor(Vector128<ulong> left, Vector128<ulong> right) => left ^ right;

    public static Vector128<ulong> MultiplyLow(Vector128<ulong> left, Vector128<ulong> right) =>
        Pclmulqdq.CarrylessMultiply(left, right, Ghash.LowHalves);

    public static Vector128<ulong> MultiplyHigh(Vector128<ulong> left, Vector128<ulong> right) =>
        Pclmulqdq.CarrylessMultiply(left, right, Ghash.HighHalves);

    public static Vector128<ulong> Fold(Vector128<ulong> value) => value;
}
