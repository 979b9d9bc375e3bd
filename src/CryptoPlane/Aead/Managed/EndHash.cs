using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>The hash of the end of a message (or of all of a small one): up to eight blocks of ciphertext, and the lengths.</summary>
internal unsafe struct EndHash<TBlocks> : IHashWork
    where TBlocks : struct, IBlockCount
{
    private readonly AeadOperation* _operation;
    private readonly AeadKeyBlock* _key;
    private readonly byte* _ciphertext;
    private readonly int _lastLength, _pending;
    private readonly Vector128<ulong> _before;
    private Vector128<ulong> _low, _middle, _high;

    /// <param name="operation">The operation.</param>
    /// <param name="ciphertext">What is left of it: as many blocks as the type says, the last perhaps short.</param>
    /// <param name="length">Bytes there.</param>
    /// <param name="before">The hash of all that comes before.</param>
    /// <param name="pending">1 if <paramref name="before"/> has yet to be multiplied by H (it ends in an AAD block), else 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public EndHash(AeadOperation* operation, byte* ciphertext, int length, Vector128<ulong> before, [ConstantExpected] int pending)
    {
        _operation = operation;
        _key = operation->Key.Block;
        _ciphertext = ciphertext;
        _lastLength = length - 16 * (TBlocks.Value - 1);
        _before = before;
        _pending = pending;
        _low = _middle = _high = default;
    }

    /// <summary>Step 0 is what comes before; then one block of ciphertext each; then the lengths.</summary>
    /// <remarks>
    /// Sound: reading 16 bytes at a short last block reaches at most into the tag's place behind it. The powers table has room for
    /// Value + 2 blocks.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step([ConstantExpected] int step)
    {
        if (step > TBlocks.Value + 1)
            return;
        Vector128<ulong> block;
        if (step == 0)
            block = _before;
        else if (step == TBlocks.Value + 1)
            block = GcmBlock.Lengths(_operation);
        else if (step == TBlocks.Value)
            block = Ghash.Reverse(GcmBlock.KeepFirst(Vector128.Load(_ciphertext + 16 * (step - 1)), _lastLength));
        else
            block = Ghash.Reverse(Vector128.Load(_ciphertext + 16 * (step - 1)));
        Ghash.AddProduct(ref _low, ref _middle, ref _high, block, _key, step == 0 ? TBlocks.Value + 1 + _pending : TBlocks.Value + 2 - step);
    }

    /// <summary>The tag.</summary>
    /// <param name="mask">E(J0).</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector128<byte> Tag(Vector128<byte> mask) => Ghash.Reverse(Ghash.Reduce(_low, _middle, _high).AsByte()).AsByte() ^ mask;
}
