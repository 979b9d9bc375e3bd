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

    /// <summary>Fills the lanes with counter blocks, the first round key added.</summary>
    /// <param name="counters">The counter blocks.</param>
    /// <param name="roundKeys">The expanded key.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GcmLanes(GcmCounters counters, byte* roundKeys)
    {
        _roundKeys = roundKeys;
        _j0 = counters.J0;
        if (TBlocks.Value >= 1) _b1 = counters.Block(0);
        if (TBlocks.Value >= 2) _b2 = counters.Block(1);
        if (TBlocks.Value >= 3) _b3 = counters.Block(2);
        if (TBlocks.Value >= 4) _b4 = counters.Block(3);
        if (TBlocks.Value >= 5) _b5 = counters.Block(4);
        if (TBlocks.Value >= 6) _b6 = counters.Block(5);
        if (TBlocks.Value >= 7) _b7 = counters.Block(6);
        if (TBlocks.Value >= 8) _b8 = counters.Block(7);
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
        Crypt<TDirection>(1, _b1, source, destination, last);
        Crypt<TDirection>(2, _b2, source, destination, last);
        Crypt<TDirection>(3, _b3, source, destination, last);
        Crypt<TDirection>(4, _b4, source, destination, last);
        Crypt<TDirection>(5, _b5, source, destination, last);
        Crypt<TDirection>(6, _b6, source, destination, last);
        Crypt<TDirection>(7, _b7, source, destination, last);
        Crypt<TDirection>(8, _b8, source, destination, last);
    }

    /// <summary>The block of lane <paramref name="lane"/>, if there is one; the last has <paramref name="last"/> bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Crypt<TDirection>(int lane, Vector128<byte> keyStream, byte* source, byte* destination, int last)
        where TDirection : struct, IGcmDirection
    {
        int offset = 16 * (lane - 1);
        if (lane < TBlocks.Value)
            (Vector128.Load(source + offset) ^ keyStream).Store(destination + offset);
        else if (lane == TBlocks.Value)
            GcmBlock.Crypt<TDirection>(source + offset, destination + offset, keyStream, last);
    }
}
