using System.Runtime.InteropServices;

namespace CryptoPlane.Aead;

/// <summary>
/// A key in native memory: what the engine keeps about it, the raw key, and what the CPU kernels expanded from it.
/// </summary>
/// <remarks>The block is aligned to a cache line, written once before the key's first use, and zeroed before it is freed.</remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
internal unsafe struct AeadKeyBlock
{
    public const int SizeInBytes = RoundKeysOffset + RoundKeysSize + HashPowersSize;
    public const int Alignment = 64;
    public const int RawKeySize = 32;
    public const int RoundKeysOffset = 128;

    /// <summary>Up to 15 round keys of 16 bytes (AES-256), and one for alignment.</summary>
    public const int RoundKeysSize = 256;

    /// <summary>The powers of GHASH's H and the sums of their halves, in the order the kernels want.</summary>
    public const int HashPowersSize = 2 * 16 * Managed.Ghash.Powers;

    [FieldOffset(0)] public AeadAlgorithm Algorithm;
    [FieldOffset(1)] public byte KeyLength;

    /// <summary>Which kind of backend the key is attached to.</summary>
    [FieldOffset(2)] public AeadBackendKind Backend;

    /// <summary>Set once the holder gave the key up: freed when <see cref="InFlight"/> reaches 0.</summary>
    [FieldOffset(3)] public bool Retired;

    /// <summary>Operations submitted and not completed. A plain counter: one lcore uses a key.</summary>
    [FieldOffset(4)] public int InFlight;

    /// <summary>The backend's own: EVP contexts, a device session.</summary>
    [FieldOffset(8)] public nint BackendSeal;
    [FieldOffset(16)] public nint BackendOpen;

    /// <summary>Links the engine's list of retired keys.</summary>
    [FieldOffset(24)] public AeadKeyBlock* NextRetired;

    [FieldOffset(64)] public fixed byte RawKey[RawKeySize];
    [FieldOffset(RoundKeysOffset)] public fixed byte RoundKeys[RoundKeysSize];
    [FieldOffset(RoundKeysOffset + RoundKeysSize)] public fixed byte HashPowers[HashPowersSize];

    /// <summary>Allocates a block, copies the key into it and expands it for the CPU kernels.</summary>
    public static AeadKeyBlock* Create(AeadAlgorithm algorithm, ReadOnlySpan<byte> key)
    {
        var block = (AeadKeyBlock*)NativeMemory.AlignedAlloc(SizeInBytes, Alignment);
        NativeMemory.Clear(block, SizeInBytes);
        block->Algorithm = algorithm;
        block->KeyLength = (byte)key.Length;
        key.CopyTo(new Span<byte>(block->RawKey, RawKeySize));
        AeadBackends.Expand(block);
        return block;
    }

    /// <summary>Zeroes and frees a block that no operation uses and no backend is attached to.</summary>
    public static void Free(AeadKeyBlock* block)
    {
        NativeMemory.Clear(block, SizeInBytes);
        NativeMemory.AlignedFree(block);
    }
}
