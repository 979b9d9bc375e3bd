using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>Counter blocks, and the last block of a message, which may be short.</summary>
/// <remarks>Branches and masks here depend on lengths only, never on data.</remarks>
internal static unsafe class GcmBlock
{
    /// <summary>The counter block with the nonce and counter 0.</summary>
    /// <remarks>
    /// SP 800-38D §7.1: with a 96-bit IV the first counter block is IV ‖ 1. inc32 wraps modulo 2^32; a message of at most 2^31 − 1
    /// bytes uses fewer than 2^27 + 2 counters, so it never comes to that.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Nonce(AeadOperation* operation)
    {
        // Sound: 16 bytes from the nonce on reach to the end of the descriptor (its UserData, which the mask drops).
        return Vector128.Load(operation->Nonce) & Vector128.Create(-1, -1, -1, 0).AsByte();
    }

    /// <summary>The counter block with the given counter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Counter(Vector128<byte> nonce, uint counter) =>
        nonce.AsUInt32().WithElement(3, BinaryPrimitives.ReverseEndianness(counter)).AsByte();

    /// <summary>The GHASH block [bits of AAD] ‖ [bits of data], in the hash's representation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Lengths(AeadOperation* operation)
    {
        // Length and AadLength lie side by side: one load, and a shuffle that makes 64 bits of each.
        Vector128<byte> both = Vector128.CreateScalarUnsafe(*(ulong*)&operation->Length).AsByte();
        Vector128<byte> apart = Vector128.Create((byte)0, 1, 2, 3, 0x80, 0x80, 0x80, 0x80, 4, 5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80);
        return Ssse3.Shuffle(both, apart).AsUInt64() << 3;
    }

    /// <summary>The first <paramref name="count"/> bytes (0 to 16) of a block, and zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> KeepFirst(Vector128<byte> block, int count) => block & Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(Masks), (nuint)(16 - count));

    /// <summary>Sixteen ones and sixteen zeros: 16 bytes from 16 − n on are the mask for n bytes. A length chooses, never data.</summary>
    private static ReadOnlySpan<byte> Masks =>
    [
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    /// <summary>Loads 1 to 15 bytes and not one more, and zeros behind them.</summary>
    /// <remarks>With AVX-512 without a branch: lengths are as hard to predict as traffic is.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LoadPartial(byte* source, int count) =>
        Avx512BW.VL.IsSupported ? Avx512BW.VL.MaskLoad(source, KeepFirst(Vector128<byte>.AllBitsSet, count), Vector128<byte>.Zero) : LoadPieces(source, count);

    /// <summary>Stores the first 1 to 15 bytes of a block and not one more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(Vector128<byte> block, byte* destination, int count)
    {
        if (Avx512BW.VL.IsSupported)
            Avx512BW.VL.MaskStore(destination, KeepFirst(Vector128<byte>.AllBitsSet, count), block);
        else
            StorePieces(block, destination, count);
    }

    /// <summary><see cref="LoadPartial"/> for every CPU: two or three loads that overlap; the shift drops what both have.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LoadPieces(byte* source, int count)
    {
        ulong low, high = 0;
        if (count >= 8)
        {
            low = Load<ulong>(source);
            // A shift by 64 (8 bytes exactly) is done in two steps, since the CPU takes shift counts modulo 64.
            high = Load<ulong>(source + count - 8) >> (8 * (15 - count)) >> 8;
        }
        else if (count >= 4)
        {
            low = Load<uint>(source) | ((ulong)Load<uint>(source + count - 4) << (8 * (count - 4)));
        }
        else
        {
            low = source[0] | ((ulong)source[count >> 1] << (8 * (count >> 1))) | ((ulong)source[count - 1] << (8 * (count - 1)));
        }
        return Vector128.Create(low, high).AsByte();
    }

    /// <summary><see cref="StorePartial"/> for every CPU: two or three stores that overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePieces(Vector128<byte> block, byte* destination, int count)
    {
        ulong low = block.AsUInt64().GetElement(0), high = block.AsUInt64().GetElement(1);
        if (count >= 8)
        {
            Unsafe.WriteUnaligned(destination, low);
            Unsafe.WriteUnaligned(destination + count - 8, (low >> (8 * (count - 8))) | (high << 8 << (8 * (15 - count))));
        }
        else if (count >= 4)
        {
            Unsafe.WriteUnaligned(destination, (uint)low);
            Unsafe.WriteUnaligned(destination + count - 4, (uint)(low >> (8 * (count - 4))));
        }
        else
        {
            destination[0] = (byte)low;
            destination[count >> 1] = (byte)(low >> (8 * (count >> 1)));
            destination[count - 1] = (byte)(low >> (8 * (count - 1)));
        }
    }

    /// <summary>XORs one block of 1 to 16 bytes with the key stream.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Crypt<TDirection>(byte* source, byte* destination, Vector128<byte> keyStream, int count)
        where TDirection : struct, IGcmDirection
    {
        if (count == 16)
        {
            (Vector128.Load(source) ^ keyStream).Store(destination);
        }
        else if (TDirection.Seals)
        {
            // Sound: the destination has room for the tag behind the data, and the tag is written after this.
            KeepFirst(LoadPartial(source, count) ^ keyStream, count).Store(destination);
        }
        else
        {
            // Sound: the tag lies behind the ciphertext.
            StorePartial(Vector128.Load(source) ^ keyStream, destination, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Load<T>(byte* source)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(source);
}
