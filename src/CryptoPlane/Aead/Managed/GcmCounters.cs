using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>Eight counter blocks in a row, with the first round key added.</summary>
/// <remarks>
/// The counters of a group are 2 to 9 and a multiple of 8. Adding 0 to 7 to a multiple of 8 carries nothing, so it is an XOR into the
/// last byte, which the round key does not mind: two blocks are put together, and the rest made from these with one XOR each.
/// </remarks>
internal readonly unsafe struct GcmCounters
{
    private readonly Vector128<byte> _first, _second;

    /// <summary>J0 with the first round key added: its encryption masks the tag.</summary>
    public readonly Vector128<byte> J0;

    /// <summary>The first group of a message.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GcmCounters(AeadOperation* operation)
    {
        _first = GcmBlock.Nonce(operation) ^ Vector128.Load(operation->Key.Block->RoundKeys);
        _second = _first ^ LastByte(8);
        J0 = _first ^ LastByte(1);
    }

    /// <summary>Any group of a message.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="offset">Bytes of data before the group: a multiple of 128.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GcmCounters(AeadOperation* operation, nuint offset)
    {
        Vector128<byte> nonce = GcmBlock.Nonce(operation), roundKey = Vector128.Load(operation->Key.Block->RoundKeys);
        uint counter = (uint)(offset / 16);
        _first = GcmBlock.Counter(nonce, counter) ^ roundKey;
        _second = GcmBlock.Counter(nonce, counter + 8) ^ roundKey;
        J0 = nonce ^ roundKey ^ LastByte(1);
    }

    /// <summary>Block number <paramref name="index"/> of the eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<byte> Block(int index) => (index < 6 ? _first : _second) ^ LastByte((index + 2) % 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> LastByte(int value) => Vector128.Create(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)value);
}
