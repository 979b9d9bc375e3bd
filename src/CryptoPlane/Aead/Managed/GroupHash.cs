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

    /// <summary>
    /// At every second step a block of the first half together with its counterpart in the second half, where vectors of blocks begin
    /// there. From the last to the first, since that one waits for the hash before.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step(int step)
    {
        int block = AesGroup.Blocks / 2 - TLanes.Blocks - step / 2;
        if (block < 0 || step % (2 * TLanes.Blocks) != 0)
            return;
        TVector first = TLanes.LoadReversed(_ciphertext + 16 * block);
        TVector second = TLanes.LoadReversed(_ciphertext + 16 * (block + AesGroup.Blocks / 2));
        _sum.Add(block == 0 ? TLanes.AddToFirst(first, _before) : first, second, _key, AesGroup.Blocks - block);
    }

    /// <summary>The hash of the group and all before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector128<ulong> Reduce() => _sum.Reduce();
}
