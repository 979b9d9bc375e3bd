using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AesNi = System.Runtime.Intrinsics.X86.Aes;

namespace CryptoPlane.Aead.Managed;

/// <summary>The key stream of a group of eight blocks. The JIT keeps it in registers.</summary>
internal unsafe struct AesGroup : IAesLanes
{
    /// <summary>Blocks per group: eight hide the latency of AESENC (4 cycles, or 2 units at 3 to 4) with registers left for the hash.</summary>
    public const int Blocks = 8;

    /// <summary>Bytes per group.</summary>
    public const int Length = 16 * Blocks;

    private readonly byte* _roundKeys;
    private Vector128<byte> _b0, _b1, _b2, _b3, _b4, _b5, _b6, _b7;

    /// <summary>Fills the lanes with counter blocks, the first round key added.</summary>
    /// <param name="counters">The counter blocks.</param>
    /// <param name="roundKeys">The expanded key.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public AesGroup(GcmCounters counters, byte* roundKeys)
    {
        _roundKeys = roundKeys;
        _b0 = counters.Block(0);
        _b1 = counters.Block(1);
        _b2 = counters.Block(2);
        _b3 = counters.Block(3);
        _b4 = counters.Block(4);
        _b5 = counters.Block(5);
        _b6 = counters.Block(6);
        _b7 = counters.Block(7);
    }

    /// <summary>One AES round.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Round(int round)
    {
        Vector128<byte> k = Vector128.Load(_roundKeys + 16 * round);
        _b0 = AesNi.Encrypt(_b0, k);
        _b1 = AesNi.Encrypt(_b1, k);
        _b2 = AesNi.Encrypt(_b2, k);
        _b3 = AesNi.Encrypt(_b3, k);
        _b4 = AesNi.Encrypt(_b4, k);
        _b5 = AesNi.Encrypt(_b5, k);
        _b6 = AesNi.Encrypt(_b6, k);
        _b7 = AesNi.Encrypt(_b7, k);
    }

    /// <summary>The last AES round, and the XOR with the data.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Finish<TRounds>(byte* source, byte* destination)
        where TRounds : struct, IAesRounds
    {
        Vector128<byte> k = Vector128.Load(_roundKeys + 16 * TRounds.Count);
        (AesNi.EncryptLast(_b0, k) ^ Vector128.Load(source)).Store(destination);
        (AesNi.EncryptLast(_b1, k) ^ Vector128.Load(source + 16)).Store(destination + 16);
        (AesNi.EncryptLast(_b2, k) ^ Vector128.Load(source + 32)).Store(destination + 32);
        (AesNi.EncryptLast(_b3, k) ^ Vector128.Load(source + 48)).Store(destination + 48);
        (AesNi.EncryptLast(_b4, k) ^ Vector128.Load(source + 64)).Store(destination + 64);
        (AesNi.EncryptLast(_b5, k) ^ Vector128.Load(source + 80)).Store(destination + 80);
        (AesNi.EncryptLast(_b6, k) ^ Vector128.Load(source + 96)).Store(destination + 96);
        (AesNi.EncryptLast(_b7, k) ^ Vector128.Load(source + 112)).Store(destination + 112);
    }
}
