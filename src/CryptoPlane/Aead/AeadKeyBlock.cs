using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Aead;

/// <summary>
/// A key in native memory: what the CPU kernels expanded from it, what the engine keeps about it, and the raw key.
/// </summary>
/// <remarks>
/// <para>The block is aligned to a cache line, written once before the key's first use, and zeroed before it is freed.</para>
/// <para>The first 1,024 bytes are native/aead's <c>cp_aead_key</c>, where the layout is explained: change both together. What a small
/// packet touches lies side by side, since the keys of 100,000 tunnels do not fit into a cache.</para>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
internal unsafe struct AeadKeyBlock
{
    public const int SizeInBytes = 1088;
    public const int Alignment = 64;
    public const int RawKeySize = 32;

    /// <summary>How many powers of GHASH's H a key keeps: the widest kernel sums up 32 blocks before one reduction.</summary>
    public const int Powers = 32;

    /// <summary>Where the half sums of H^8 … H^1 lie.</summary>
    public const int LowHalfSumsOffset = 512;

    /// <summary>Where the header lies, from <see cref="Algorithm"/> on.</summary>
    public const int HeaderOffset = 576;

    /// <summary>Where up to 15 round keys of 16 bytes lie (AES), or the key (ChaCha20).</summary>
    public const int RoundKeysOffset = 592;

    /// <summary>Where the half sums of H^16 … H^9, H^24 … H^17 and H^32 … H^25 lie.</summary>
    public const int HighHalfSumsOffset = 832;

    /// <summary>Where what native kernels know of a key ends.</summary>
    public const int NativeSize = 1024;

    /// <summary>H^32 first, H^1 last, in the hash's representation.</summary>
    [FieldOffset(0)] public fixed byte HashPowers[16 * Powers];

    [FieldOffset(HeaderOffset)] public AeadAlgorithm Algorithm;
    [FieldOffset(HeaderOffset + 1)] public byte KeyLength;

    /// <summary>Which kind of backend the key is attached to.</summary>
    [FieldOffset(HeaderOffset + 2)] public AeadBackendKind Backend;

    /// <summary>Set once the holder gave the key up: freed when <see cref="InFlight"/> reaches 0.</summary>
    [FieldOffset(HeaderOffset + 3)] public bool Retired;

    /// <summary>Operations submitted and not completed. A plain counter: one lcore uses a key.</summary>
    [FieldOffset(HeaderOffset + 4)] public int InFlight;

    /// <summary>Links the engine's list of retired keys.</summary>
    [FieldOffset(HeaderOffset + 8)] public AeadKeyBlock* NextRetired;

    [FieldOffset(RoundKeysOffset)] public fixed byte RoundKeys[240];

    [FieldOffset(NativeSize)] public fixed byte RawKey[RawKeySize];

    /// <summary>The backend's own: EVP contexts, a device session.</summary>
    [FieldOffset(NativeSize + RawKeySize)] public nint BackendSeal;
    [FieldOffset(NativeSize + RawKeySize + 8)] public nint BackendOpen;

    /// <summary>Where the block goes back to; null for the heap.</summary>
    [FieldOffset(NativeSize + RawKeySize + 16)] public SlotArena.State* Arena;

    /// <summary>Allocates a block, copies the key into it and expands it for the CPU kernels.</summary>
    public static AeadKeyBlock* Create(AeadAlgorithm algorithm, ReadOnlySpan<byte> key, AeadKeyArena? arena = null)
    {
        AeadKeyBlock* block = arena != null ? arena.Take() : Allocate();
        block->Algorithm = algorithm;
        block->KeyLength = (byte)key.Length;
        key.CopyTo(new Span<byte>(block->RawKey, RawKeySize));
        AeadBackends.Expand(block);
        return block;
    }

    /// <summary>Zeroes and frees a block that no operation uses and no backend is attached to.</summary>
    public static void Free(AeadKeyBlock* block)
    {
        if (block->Arena != null)
        {
            SlotArena.Return(block->Arena, block);
            return;
        }
        NativeMemory.Clear(block, SizeInBytes);
        NativeMemory.AlignedFree(block);
    }

    private static AeadKeyBlock* Allocate()
    {
        var block = (AeadKeyBlock*)NativeMemory.AlignedAlloc(SizeInBytes, Alignment);
        NativeMemory.Clear(block, SizeInBytes);
        return block;
    }

    static AeadKeyBlock()
    {
        if (Unsafe.SizeOf<AeadKeyBlock>() != SizeInBytes)
            throw new InvalidOperationException("AeadKeyBlock must have the layout that native/aead expects.");
    }
}
