using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>The hash of the end of a message (or of all of a small one): up to eight blocks of ciphertext, and the lengths.</summary>
internal unsafe struct EndHash<TBlocks, TBefore> : IHashWork
    where TBlocks : struct, IBlockCount
    where TBefore : struct, IHashBefore
{
    private readonly AeadOperation* _operation;
    private readonly AeadKeyBlock* _key;
    private readonly byte* _ciphertext;
    private readonly int _lastLength;
    private readonly Vector128<ulong> _before;
    private Vector128<ulong> _low, _middle, _high;

    /// <param name="operation">The operation.</param>
    /// <param name="ciphertext">What is left of it: as many blocks as the type says, the last perhaps short.</param>
    /// <param name="length">Bytes there.</param>
    /// <param name="before">The hash of all that comes before.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public EndHash(AeadOperation* operation, byte* ciphertext, int length, Vector128<ulong> before)
    {
        _operation = operation;
        _key = operation->Key.Block;
        _ciphertext = ciphertext;
        _lastLength = length - 16 * (TBlocks.Value - 1);
        _before = before;
        _low = _middle = _high = default;
    }

    /// <summary>First the blocks for H^10 and H^9; then, at every second step, one for H^4 … H^1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step(int step)
    {
        if (step < 2)
            Add(10 - step);
        else if (step % 2 == 0)
            Add(5 - step / 2);
    }

    /// <summary>Adds the product with H^<paramref name="power"/>, and for 4 to 1 the one with the power four above it.</summary>
    /// <param name="power">10, 9, or 4 to 1. Nothing is done for a power that the message does not reach.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(int power)
    {
        if (power > Products)
            return;
        if (power <= 4 && power + 4 <= Products)
            Ghash.AddProducts(ref _low, ref _middle, ref _high, Block(power + 4), Block(power), _key, power + 4);
        else
            Ghash.AddProduct(ref _low, ref _middle, ref _high, Block(power), _key, power);
    }

    /// <summary>The highest power of H.</summary>
    private static int Products
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TBlocks.Value + 1 + TBefore.Pending;
    }

    /// <summary>What is multiplied by H^<paramref name="power"/>: the lengths by H, the last block by H², and so on.</summary>
    /// <remarks>Sound: reading 16 bytes at a short last block reaches at most into the tag's place behind it.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector128<ulong> Block(int power)
    {
        if (power == 1)
            return GcmBlock.Lengths(_operation);
        if (power == TBlocks.Value + 2)
            return _before;
        Vector128<byte> block = Vector128.Load(_ciphertext + 16 * (TBlocks.Value + 1 - power));
        Vector128<ulong> hashed = Ghash.Reverse(power == 2 ? GcmBlock.KeepFirst(block, _lastLength) : block);
        return power == Products ? hashed ^ _before : hashed;
    }

    /// <summary>The tag.</summary>
    /// <param name="mask">E(J0).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector128<byte> Tag(Vector128<byte> mask) => Ghash.Reverse(Ghash.Reduce(_low, _middle, _high).AsByte()).AsByte() ^ mask;
}
