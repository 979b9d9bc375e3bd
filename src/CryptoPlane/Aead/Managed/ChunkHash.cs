using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>The hash of 32 blocks of ciphertext, reduced once.</summary>
/// <typeparam name="TLanes">A multiplier of four blocks.</typeparam>
/// <typeparam name="TVector">Its vector.</typeparam>
internal unsafe struct ChunkHash<TLanes, TVector>
    where TLanes : struct, IGhashLanes<TVector>
    where TVector : struct
{
    /// <summary>Blocks per chunk: as many as there are powers of H.</summary>
    public const int Blocks = AeadKeyBlock.Powers;

    private readonly AeadKeyBlock* _key;
    private readonly byte* _ciphertext;
    private readonly Vector128<ulong> _before;
    private GhashSum<TLanes, TVector> _sum;

    /// <param name="key">The key.</param>
    /// <param name="ciphertext">The chunk.</param>
    /// <param name="before">The hash of all that comes before it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ChunkHash(AeadKeyBlock* key, byte* ciphertext, Vector128<ulong> before)
    {
        _key = key;
        _ciphertext = ciphertext;
        _before = before;
        _sum = default;
    }

    /// <summary>Adds eight blocks: two vectors, which are multiplied together.</summary>
    /// <param name="part">0 to 3, in this order.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int part)
    {
        TVector first = TLanes.LoadReversed(_ciphertext + 128 * part);
        TVector second = TLanes.LoadReversed(_ciphertext + 128 * part + 64);
        _sum.Add(part == 0 ? TLanes.AddToFirst(first, _before) : first, second, _key, Blocks - 8 * part);
    }

    /// <summary>The hash of the chunk and all before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector128<ulong> Reduce() => _sum.Reduce();
}
