using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Flows;

/// <summary>Hashing and comparing keys whose bytes all count: what an <see cref="IFlowKey{TSelf}"/> of up to 64 bytes is made of.</summary>
/// <remarks>
/// <para>With AES-NI every 16 bytes of the key go through three rounds of AES under secrets of their own, side by side; the sum of these
/// goes through two more. To make two keys collide a stranger would have to guess a difference that goes through three rounds of AES
/// with unknown keys (at least 9 active S-boxes: 2^-54 a try at best), and cannot see whether it did. Without AES-NI, 128-bit
/// products of the key's halves and the secrets are folded.</para>
/// <para>The hash is not a MAC, and differs from process to process and CPU to CPU: never store or send it.</para>
/// </remarks>
public static unsafe class FlowHash
{
    /// <summary>Most bytes of a key.</summary>
    public const int MaximumKeySize = 64;

    /// <summary>The hash of all bytes of a key.</summary>
    /// <typeparam name="T">1 to 64 bytes, without padding.</typeparam>
    /// <exception cref="NotSupportedException">The key has more than 64 bytes.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of<T>(in T key, in FlowHashSeed seed)
        where T : unmanaged => Aes.IsSupported ? ByAes(in key, in seed) : ByMultiplication(in key, in seed);

    /// <summary>Whether all bytes of two keys are the same.</summary>
    /// <typeparam name="T">A struct without padding.</typeparam>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Same<T>(in T a, in T b)
        where T : unmanaged
    {
        ref byte x = ref Unsafe.As<T, byte>(ref Unsafe.AsRef(in a));
        ref byte y = ref Unsafe.As<T, byte>(ref Unsafe.AsRef(in b));
        // The sizes are constants to the JIT, so that one of these is left. Sound: every read ends within sizeof(T).
        if (sizeof(T) == 8)
            return Unsafe.ReadUnaligned<ulong>(ref x) == Unsafe.ReadUnaligned<ulong>(ref y);
        if (sizeof(T) == 16)
            return Vector128.LoadUnsafe(ref x) == Vector128.LoadUnsafe(ref y);
        if (sizeof(T) == 40)
        {
            Vector256<byte> difference = Vector256.LoadUnsafe(ref x) ^ Vector256.LoadUnsafe(ref y);
            ulong tail = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref x, 32)) ^ Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref y, 32));
            return (difference | Vector256.CreateScalar(tail).AsByte()) == Vector256<byte>.Zero;
        }
        return System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpan(ref x, sizeof(T))
            .SequenceEqual(System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpan(ref y, sizeof(T)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong ByAes<T>(in T key, in FlowHashSeed seed)
        where T : unmanaged
    {
        Vector128<byte> sum = Lane(Block(in key, 0), seed.Lane0, in seed);
        if (sizeof(T) > 16)
            sum ^= Lane(Block(in key, 1), seed.Lane1, in seed);
        if (sizeof(T) > 32)
            sum ^= Lane(Block(in key, 2), seed.Lane2, in seed);
        if (sizeof(T) > 48)
            sum ^= Lane(Block(in key, 3), seed.Lane3, in seed);
        if (sizeof(T) > MaximumKeySize)
            ThrowTooLong(sizeof(T));
        sum = Aes.Encrypt(Aes.Encrypt(sum, seed.Round0), seed.Round1);
        return sum.AsUInt64().ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong ByMultiplication<T>(in T key, in FlowHashSeed seed)
        where T : unmanaged
    {
        ulong sum = Fold(Block(in key, 0), seed.Lane0, seed.Round0.AsUInt64().ToScalar());
        if (sizeof(T) > 16)
            sum = Fold(Block(in key, 1), seed.Lane1, sum);
        if (sizeof(T) > 32)
            sum = Fold(Block(in key, 2), seed.Lane2, sum);
        if (sizeof(T) > 48)
            sum = Fold(Block(in key, 3), seed.Lane3, sum);
        if (sizeof(T) > MaximumKeySize)
            ThrowTooLong(sizeof(T));
        return Fold(Vector128.Create(sum, seed.Round0.AsUInt64().GetElement(1)).AsByte(), seed.Round1, 0);
    }

    /// <summary>The key's 16 bytes of a number; the last ones filled up with zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Block<T>(in T key, int number)
        where T : unmanaged
    {
        ref byte from = ref Unsafe.Add(ref Unsafe.As<T, byte>(ref Unsafe.AsRef(in key)), number * 16);
        int left = sizeof(T) - (number * 16);
        // Sound: no more is read than the key has left.
        if (left >= 16)
            return Vector128.LoadUnsafe(ref from);
        if (left == 8)
            return Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(ref from)).AsByte();
        Vector128<byte> block = default;
        Unsafe.CopyBlockUnaligned(ref Unsafe.As<Vector128<byte>, byte>(ref block), ref from, (uint)left);
        return block;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Lane(Vector128<byte> block, Vector128<byte> secret, in FlowHashSeed seed) =>
        Aes.Encrypt(Aes.Encrypt(Aes.Encrypt(block ^ secret, seed.Round0), seed.Round1), secret);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(Vector128<byte> block, Vector128<byte> secret, ulong sum)
    {
        Vector128<ulong> mixed = (block ^ secret).AsUInt64();
        ulong high = Math.BigMul(mixed.ToScalar() ^ sum, mixed.GetElement(1) ^ ulong.RotateLeft(sum, 32), out ulong low);
        return high ^ low ^ sum;
    }

    private static void ThrowTooLong(int size) =>
        throw new NotSupportedException($"A key of {size} bytes is hashed by its owner: FlowHash takes {MaximumKeySize} at most.");
}
