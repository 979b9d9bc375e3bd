using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>Counter blocks, and the last block of a message, which may be short.</summary>
/// <remarks>Branches and masks here depend on lengths only, never on data.</remarks>
internal static unsafe class GcmBlock
{
    /// <summary>
    /// The nonce in the high 96 bits and zero in the low 32, byte-reversed so that the block counter is an ordinary integer.
    /// </summary>
    /// <remarks>
    /// SP 800-38D §7.1: with a 96-bit IV the first counter block is IV ‖ 1. inc32 wraps modulo 2^32; a message of at most 2^31 − 1
    /// bytes uses fewer than 2^27 + 2 counters, so it never comes to that.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Nonce(AeadOperation* operation)
    {
        // Sound: 16 bytes from the nonce on reach to the end of the descriptor (its UserData, which the shuffle drops).
        Vector128<byte> nonce = Vector128.Load(operation->Nonce);
        return Ssse3.Shuffle(nonce, Vector128.Create(0x80, 0x80, 0x80, 0x80, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)).AsUInt32();
    }

    /// <summary>Counter block number <paramref name="counter"/> for <see cref="Nonce"/>, as AES takes it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Counter(Vector128<uint> nonce, uint counter) =>
        Ssse3.Shuffle((nonce + Vector128.CreateScalar(counter)).AsByte(), Ghash.ReverseBytes);

    /// <summary>The GHASH block [bits of AAD] ‖ [bits of data], in the hash's representation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Lengths(AeadOperation* operation) =>
        Vector128.Create((ulong)operation->Length * 8, (ulong)operation->AadLength * 8);

    /// <summary>The first <paramref name="count"/> bytes (0 to 16) of a block, and zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> KeepFirst(Vector128<byte> block, int count)
    {
        Vector128<sbyte> index = Vector128.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        return block & Vector128.GreaterThan(Vector128.Create((sbyte)count), index).AsByte();
    }

    /// <summary>Loads 1 to 15 bytes and not one more, and zeros behind them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> LoadPartial(byte* source, int count)
    {
        // Two loads that overlap in the middle; the shift drops what both have.
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

    /// <summary>Stores the first 1 to 15 bytes of a block and not one more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(Vector128<byte> block, byte* destination, int count)
    {
        ulong low = block.AsUInt64().GetElement(0);
        if ((count & 8) != 0)
        {
            Unsafe.WriteUnaligned(destination, low);
            destination += 8;
            low = block.AsUInt64().GetElement(1);
        }
        if ((count & 4) != 0)
        {
            Unsafe.WriteUnaligned(destination, (uint)low);
            destination += 4;
            low >>= 32;
        }
        if ((count & 2) != 0)
        {
            Unsafe.WriteUnaligned(destination, (ushort)low);
            destination += 2;
            low >>= 16;
        }
        if ((count & 1) != 0)
            *destination = (byte)low;
    }

    /// <summary>XORs one block of 1 to 16 bytes with the key stream.</summary>
    /// <returns>The ciphertext, padded with zeros, in the hash's representation.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Crypt<TDirection>(byte* source, byte* destination, Vector128<byte> keyStream, int count)
        where TDirection : struct, IGcmDirection
    {
        Vector128<byte> input, output;
        if (count == 16)
        {
            input = Vector128.Load(source);
            output = input ^ keyStream;
            output.Store(destination);
        }
        else if (TDirection.Seals)
        {
            input = LoadPartial(source, count);
            output = KeepFirst(input ^ keyStream, count);
            // Sound: the destination has room for the tag behind the data, and the tag is written after this.
            output.Store(destination);
        }
        else
        {
            // Sound: the tag lies behind the ciphertext.
            input = KeepFirst(Vector128.Load(source), count);
            output = input ^ keyStream;
            StorePartial(output, destination, count);
        }
        return Ghash.Reverse(TDirection.Seals ? output : input);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Load<T>(byte* source)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(source);
}
