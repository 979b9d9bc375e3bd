using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>One block at a time with PCLMULQDQ: every x86-64 CPU with AES-NI has it.</summary>
internal readonly unsafe struct GhashLanes128 : IGhashLanes<Vector128<ulong>>
{
    public static string Name => "PCLMULQDQ";

    public static bool IsSupported => Pclmulqdq.IsSupported && Ssse3.IsSupported;

    public static int Blocks => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> LoadReversed(byte* source) => Ssse3.Shuffle(Vector128.Load(source), Ghash.ReverseBytes).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> AddToFirst(Vector128<ulong> blocks, Vector128<ulong> value) => blocks ^ value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProducts(
        ref Vector128<ulong> low, ref Vector128<ulong> middle, ref Vector128<ulong> high, Vector128<ulong> first, Vector128<ulong> second, AeadKeyBlock* key, int power) =>
        Ghash.AddProducts(ref low, ref middle, ref high, first, second, key, power);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Fold(Vector128<ulong> value) => value;
}
