using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AesNi = System.Runtime.Intrinsics.X86.Aes;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// The AES lanes of a small message, or of a message's end: J0 in lane 0, whose encryption masks the tag, and up to eight blocks of key
/// stream in the lanes after it. The JIT keeps the lanes in registers and folds away those that the number of blocks does not reach.
/// </summary>
internal unsafe struct GcmLanes<TBlocks> : IAesLanes
    where TBlocks : struct, IBlockCount
{
    private readonly byte* _roundKeys;
    private Vector128<byte> _j0, _b1, _b2, _b3, _b4, _b5, _b6, _b7, _b8;

    /// <summary>Fills the lanes with counter blocks, and adds the first round key.</summary>
    /// <param name="nonce">See <see cref="GcmBlock.Nonce"/>.</param>
    /// <param name="counter">The counter of the first data block.</param>
    /// <param name="roundKeys">The expanded key.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GcmLanes(Vector128<uint> nonce, uint counter, byte* roundKeys)
    {
        _roundKeys = roundKeys;
        Vector128<byte> k = Vector128.Load(roundKeys);
        _j0 = GcmBlock.Counter(nonce, 1) ^ k;
        if (TBlocks.Value >= 1) _b1 = GcmBlock.Counter(nonce, counter) ^ k;
        if (TBlocks.Value >= 2) _b2 = GcmBlock.Counter(nonce, counter + 1) ^ k;
        if (TBlocks.Value >= 3) _b3 = GcmBlock.Counter(nonce, counter + 2) ^ k;
        if (TBlocks.Value >= 4) _b4 = GcmBlock.Counter(nonce, counter + 3) ^ k;
        if (TBlocks.Value >= 5) _b5 = GcmBlock.Counter(nonce, counter + 4) ^ k;
        if (TBlocks.Value >= 6) _b6 = GcmBlock.Counter(nonce, counter + 5) ^ k;
        if (TBlocks.Value >= 7) _b7 = GcmBlock.Counter(nonce, counter + 6) ^ k;
        if (TBlocks.Value >= 8) _b8 = GcmBlock.Counter(nonce, counter + 7) ^ k;
    }

    /// <summary>E(J0), once the rounds are done.</summary>
    public readonly Vector128<byte> TagMask
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _j0;
    }

    /// <summary>One AES round.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Round(int round)
    {
        Vector128<byte> k = Vector128.Load(_roundKeys + 16 * round);
        _j0 = AesNi.Encrypt(_j0, k);
        if (TBlocks.Value >= 1) _b1 = AesNi.Encrypt(_b1, k);
        if (TBlocks.Value >= 2) _b2 = AesNi.Encrypt(_b2, k);
        if (TBlocks.Value >= 3) _b3 = AesNi.Encrypt(_b3, k);
        if (TBlocks.Value >= 4) _b4 = AesNi.Encrypt(_b4, k);
        if (TBlocks.Value >= 5) _b5 = AesNi.Encrypt(_b5, k);
        if (TBlocks.Value >= 6) _b6 = AesNi.Encrypt(_b6, k);
        if (TBlocks.Value >= 7) _b7 = AesNi.Encrypt(_b7, k);
        if (TBlocks.Value >= 8) _b8 = AesNi.Encrypt(_b8, k);
    }

    /// <summary>The last AES round.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void LastRound<TRounds>()
        where TRounds : struct, IAesRounds
    {
        Vector128<byte> k = Vector128.Load(_roundKeys + 16 * TRounds.Count);
        _j0 = AesNi.EncryptLast(_j0, k);
        if (TBlocks.Value >= 1) _b1 = AesNi.EncryptLast(_b1, k);
        if (TBlocks.Value >= 2) _b2 = AesNi.EncryptLast(_b2, k);
        if (TBlocks.Value >= 3) _b3 = AesNi.EncryptLast(_b3, k);
        if (TBlocks.Value >= 4) _b4 = AesNi.EncryptLast(_b4, k);
        if (TBlocks.Value >= 5) _b5 = AesNi.EncryptLast(_b5, k);
        if (TBlocks.Value >= 6) _b6 = AesNi.EncryptLast(_b6, k);
        if (TBlocks.Value >= 7) _b7 = AesNi.EncryptLast(_b7, k);
        if (TBlocks.Value >= 8) _b8 = AesNi.EncryptLast(_b8, k);
    }

    /// <summary>Encrypts or decrypts <paramref name="length"/> bytes, which are TBlocks blocks, the last perhaps short.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Crypt<TDirection>(byte* source, byte* destination, int length)
        where TDirection : struct, IGcmDirection
    {
        int last = length - 16 * (TBlocks.Value - 1);
        if (TBlocks.Value >= 1) GcmBlock.Crypt<TDirection>(source, destination, _b1, TBlocks.Value == 1 ? last : 16);
        if (TBlocks.Value >= 2) GcmBlock.Crypt<TDirection>(source + 16, destination + 16, _b2, TBlocks.Value == 2 ? last : 16);
        if (TBlocks.Value >= 3) GcmBlock.Crypt<TDirection>(source + 32, destination + 32, _b3, TBlocks.Value == 3 ? last : 16);
        if (TBlocks.Value >= 4) GcmBlock.Crypt<TDirection>(source + 48, destination + 48, _b4, TBlocks.Value == 4 ? last : 16);
        if (TBlocks.Value >= 5) GcmBlock.Crypt<TDirection>(source + 64, destination + 64, _b5, TBlocks.Value == 5 ? last : 16);
        if (TBlocks.Value >= 6) GcmBlock.Crypt<TDirection>(source + 80, destination + 80, _b6, TBlocks.Value == 6 ? last : 16);
        if (TBlocks.Value >= 7) GcmBlock.Crypt<TDirection>(source + 96, destination + 96, _b7, TBlocks.Value == 7 ? last : 16);
        if (TBlocks.Value >= 8) GcmBlock.Crypt<TDirection>(source + 112, destination + 112, _b8, TBlocks.Value == 8 ? last : 16);
    }
}
