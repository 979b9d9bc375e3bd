using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>The hash of a group of eight blocks of ciphertext.</summary>
internal unsafe struct GroupHash<TLanes, TVector> : IHashWork
    where TLanes : struct, IGhashLanes<TVector>
    where TVector : struct
{
    private readonly AeadKeyBlock* _key;
    private readonly byte* _ciphertext;
    private readonly Vector128<ulong> _before;
    private GhashSum<TLanes, TVector> _sum;

    /// <param name="key">The key.</param>
    /// <param name="ciphertext">The group.</param>
    /// <param name="before">The hash of all that comes before it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GroupHash(AeadKeyBlock* key, byte* ciphertext, Vector128<ulong> before)
    {
        _key = key;
        _ciphertext = ciphertext;
        _before = before;
        _sum = default;
    }

    /// <summary>Block number <paramref name="step"/>, if a vector of blocks begins there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step([ConstantExpected] int step)
    {
        if (step == 0)
            _sum.Add(TLanes.AddToFirst(TLanes.LoadReversed(_ciphertext), _before), _key, AesGroup.Blocks);
        else if (step < AesGroup.Blocks && step % TLanes.Blocks == 0)
            _sum.Add(TLanes.LoadReversed(_ciphertext + 16 * step), _key, AesGroup.Blocks - step);
    }

    /// <summary>The hash of the group and all before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector128<ulong> Reduce() => _sum.Reduce();
}
