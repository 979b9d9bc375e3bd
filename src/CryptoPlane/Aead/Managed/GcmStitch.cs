using System.Runtime.CompilerServices;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// AES and GHASH side by side: one round of all lanes through the AES unit, then a product through the multiplier, and so on.
/// </summary>
/// <remarks>
/// The two do not depend on each other, and each alone would leave the other's unit idle. The CPU does not find this order by itself:
/// a group of eight blocks is about as many instructions as it looks ahead.
/// </remarks>
internal static class GcmStitch
{
    /// <summary>Steps of hashing that find room: eight blocks of data, one before them (AAD) and one behind (lengths).</summary>
    public const int Steps = 10;

    /// <summary>All AES rounds but the last, and all steps of the hash.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TRounds, TLanes, THash>(ref TLanes lanes, ref THash hash)
        where TRounds : struct, IAesRounds
        where TLanes : struct, IAesLanes
        where THash : struct, IHashWork
    {
        hash.Step(0);
        lanes.Round(1);
        hash.Step(1);
        lanes.Round(2);
        hash.Step(2);
        lanes.Round(3);
        hash.Step(3);
        lanes.Round(4);
        hash.Step(4);
        lanes.Round(5);
        hash.Step(5);
        lanes.Round(6);
        hash.Step(6);
        lanes.Round(7);
        hash.Step(7);
        lanes.Round(8);
        hash.Step(8);
        lanes.Round(9);
        hash.Step(9);
        for (int round = Steps; round < TRounds.Count; round++)
            lanes.Round(round);
    }

    /// <summary>All steps of the hash, where there is nothing to encrypt beside it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<THash>(ref THash hash)
        where THash : struct, IHashWork
    {
        hash.Step(0);
        hash.Step(1);
        hash.Step(2);
        hash.Step(3);
        hash.Step(4);
        hash.Step(5);
        hash.Step(6);
        hash.Step(7);
        hash.Step(8);
        hash.Step(9);
    }
}
