using System.Runtime.Intrinsics;
using CryptoPlane.Aead;
using CryptoPlane.Aead.Managed;

namespace CryptoPlane.Tests.Aead.Managed;

/// <summary>Two blocks, as a VPCLMULQDQ register would hold them.</summary>
internal struct TwoBlocks
{
    public Vector128<ulong> First, Second;
}

/// <summary>
/// The 256-bit multiplier put together from two 128-bit ones, so that the kernels' wide form (order of the powers, stride, folding)
/// runs on CPUs without VPCLMULQDQ. What this cannot show is that the real instructions do the same.
/// </summary>
internal readonly unsafe struct EmulatedLanes256 : IGhashLanes<TwoBlocks>
{
    public static string Name => "emulated 256";

    public static bool IsSupported => GhashLanes128.IsSupported;

    public static int Blocks => 2;

    public static TwoBlocks LoadReversed(byte* source) =>
        new() { First = GhashLanes128.LoadReversed(source), Second = GhashLanes128.LoadReversed(source + 16) };

    public static TwoBlocks AddToFirst(TwoBlocks blocks, Vector128<ulong> value) => blocks with { First = blocks.First ^ value };

    public static void AddProducts(
        ref TwoBlocks low, ref TwoBlocks middle, ref TwoBlocks high, TwoBlocks first, TwoBlocks second, AeadKeyBlock* key, int power)
    {
        Ghash.AddProducts(ref low.First, ref middle.First, ref high.First, first.First, second.First, key, power);
        Ghash.AddProducts(ref low.Second, ref middle.Second, ref high.Second, first.Second, second.Second, key, power - 1);
    }

    public static Vector128<ulong> Fold(TwoBlocks value) => value.First ^ value.Second;
}

/// <summary>Four blocks.</summary>
internal struct FourBlocks
{
    public TwoBlocks Lower, Upper;
}

/// <summary>The 512-bit multiplier, put together from four.</summary>
internal readonly unsafe struct EmulatedLanes512 : IGhashLanes<FourBlocks>
{
    public static string Name => "emulated 512";

    public static bool IsSupported => GhashLanes128.IsSupported;

    public static int Blocks => 4;

    public static FourBlocks LoadReversed(byte* source) =>
        new() { Lower = EmulatedLanes256.LoadReversed(source), Upper = EmulatedLanes256.LoadReversed(source + 32) };

    public static FourBlocks AddToFirst(FourBlocks blocks, Vector128<ulong> value) =>
        blocks with { Lower = EmulatedLanes256.AddToFirst(blocks.Lower, value) };

    public static void AddProducts(
        ref FourBlocks low, ref FourBlocks middle, ref FourBlocks high, FourBlocks first, FourBlocks second, AeadKeyBlock* key, int power)
    {
        EmulatedLanes256.AddProducts(ref low.Lower, ref middle.Lower, ref high.Lower, first.Lower, second.Lower, key, power);
        EmulatedLanes256.AddProducts(ref low.Upper, ref middle.Upper, ref high.Upper, first.Upper, second.Upper, key, power - 2);
    }

    public static Vector128<ulong> Fold(FourBlocks value) => EmulatedLanes256.Fold(value.Lower) ^ EmulatedLanes256.Fold(value.Upper);
}
