using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>A sum of products of blocks and powers of H, to be reduced once. The JIT keeps it in three registers.</summary>
/// <typeparam name="TLanes">The multiplier.</typeparam>
/// <typeparam name="TVector">Its vector: every lane has sums of its own.</typeparam>
internal unsafe struct GhashSum<TLanes, TVector>
    where TLanes : struct, IGhashLanes<TVector>
    where TVector : struct
{
    // The parts of Karatsuba's products: low·low, (low+high)·(low+high), high·high.
    private TVector _low, _middle, _high;

    /// <summary>Adds products; see <see cref="IGhashLanes{TVector}.AddProducts"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(TVector first, TVector second, AeadKeyBlock* key, int power) =>
        TLanes.AddProducts(ref _low, ref _middle, ref _high, first, second, key, power);

    /// <summary>The sum as one block in the hash's representation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector128<ulong> Reduce() => Ghash.Reduce(TLanes.Fold(_low), TLanes.Fold(_middle), TLanes.Fold(_high));
}
