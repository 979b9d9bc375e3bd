using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AesNi = System.Runtime.Intrinsics.X86.Aes;

namespace CryptoPlane.Aead.Managed;

/// <summary>AES key expansion (FIPS 197 §5.2) with AESKEYGENASSIST, and the encryption of one block.</summary>
/// <remarks>
/// Constant time: no branch and no index depends on the key, only on its size. Everything that sees a key is compiled optimised at
/// once (here and in the kernels): code of the JIT's first tier would copy it around in its stack frame.
/// </remarks>
internal static unsafe class AesKeyExpansion
{
    /// <summary>Writes 11 round keys of 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Expand128(byte* key, byte* roundKeys)
    {
        Vector128<byte> k = Vector128.Load(key);
        k.Store(roundKeys);
        k = Next(k, Word3(AesNi.KeygenAssist(k, 0x01)), roundKeys + 16);
        k = Next(k, Word3(AesNi.KeygenAssist(k, 0x02)), roundKeys + 32);
        k = Next(k, Word3(AesNi.KeygenAssist(k, 0x04)), roundKeys + 48);
        k = Next(k, Word3(AesNi.KeygenAssist(k, 0x08)), roundKeys + 64);
        k = Next(k, Word3(AesNi.KeygenAssist(k, 0x10)), roundKeys + 80);
        k = Next(k, Word3(AesNi.KeygenAssist(k, 0x20)), roundKeys + 96);
        k = Next(k, Word3(AesNi.KeygenAssist(k, 0x40)), roundKeys + 112);
        k = Next(k, Word3(AesNi.KeygenAssist(k, 0x80)), roundKeys + 128);
        k = Next(k, Word3(AesNi.KeygenAssist(k, 0x1B)), roundKeys + 144);
        Next(k, Word3(AesNi.KeygenAssist(k, 0x36)), roundKeys + 160);
    }

    /// <summary>Writes 15 round keys of 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Expand256(byte* key, byte* roundKeys)
    {
        Vector128<byte> a = Vector128.Load(key), b = Vector128.Load(key + 16);
        a.Store(roundKeys);
        b.Store(roundKeys + 16);
        a = Next(a, Word3(AesNi.KeygenAssist(b, 0x01)), roundKeys + 32);
        b = Next(b, Word2(AesNi.KeygenAssist(a, 0)), roundKeys + 48);
        a = Next(a, Word3(AesNi.KeygenAssist(b, 0x02)), roundKeys + 64);
        b = Next(b, Word2(AesNi.KeygenAssist(a, 0)), roundKeys + 80);
        a = Next(a, Word3(AesNi.KeygenAssist(b, 0x04)), roundKeys + 96);
        b = Next(b, Word2(AesNi.KeygenAssist(a, 0)), roundKeys + 112);
        a = Next(a, Word3(AesNi.KeygenAssist(b, 0x08)), roundKeys + 128);
        b = Next(b, Word2(AesNi.KeygenAssist(a, 0)), roundKeys + 144);
        a = Next(a, Word3(AesNi.KeygenAssist(b, 0x10)), roundKeys + 160);
        b = Next(b, Word2(AesNi.KeygenAssist(a, 0)), roundKeys + 176);
        a = Next(a, Word3(AesNi.KeygenAssist(b, 0x20)), roundKeys + 192);
        b = Next(b, Word2(AesNi.KeygenAssist(a, 0)), roundKeys + 208);
        Next(a, Word3(AesNi.KeygenAssist(b, 0x40)), roundKeys + 224);
    }

    /// <summary>Encrypts one block, for the hash key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> EncryptBlock(Vector128<byte> block, byte* roundKeys, int rounds)
    {
        block ^= Vector128.Load(roundKeys);
        for (int round = 1; round < rounds; round++)
            block = AesNi.Encrypt(block, Vector128.Load(roundKeys + 16 * round));
        return AesNi.EncryptLast(block, Vector128.Load(roundKeys + 16 * rounds));
    }

    /// <summary>RotWord, SubWord and Rcon of the last word, in every word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Word3(Vector128<byte> assist) => Sse2.Shuffle(assist.AsUInt32(), 0xFF).AsByte();

    /// <summary>SubWord of the last word, in every word: the extra step of 256-bit keys.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Word2(Vector128<byte> assist) => Sse2.Shuffle(assist.AsUInt32(), 0xAA).AsByte();

    /// <summary>Each new word is the old one XORed with the new one before it: a running XOR over the four words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Next(Vector128<byte> key, Vector128<byte> word, byte* destination)
    {
        key ^= Sse2.ShiftLeftLogical128BitLane(key, 4);
        key ^= Sse2.ShiftLeftLogical128BitLane(key, 8);
        key ^= word;
        key.Store(destination);
        return key;
    }
}
